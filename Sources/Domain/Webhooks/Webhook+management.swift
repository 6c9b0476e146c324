import SQLite
import Text

/// What people do with webhooks: the federation with all, a co-op's manager with the co-op's own.
extension Webhook {
    package static let roles: Set<Role> = [.federationAdmin, .coopManager]

    /// - Throws: `.forbidden` (`scope.missing`).
    package static func authorize(_ caller: Caller) throws(DomainError) {
        guard caller.isOperator || caller.role.map(roles.contains) ?? false else { throw .scopeMissing }
    }

    // MARK: Making and changing

    /// It hears of what happens from now on.
    ///
    /// - Throws: `.conflict` (`webhook.limit`).
    package static func create(_ draft: Draft, by caller: Caller, in tx: Transaction) throws(DomainError) -> Webhook {
        try authorize(caller)
        guard tx.webhooks.all.count(where: { $0.coop == caller.coop }) < limit else {
            throw .conflict(
                code: "webhook.limit",
                Bilingual(en: "There are \(limit) webhooks already; delete one first.", fr: "Il y a déjà \(limit) webhooks ; supprimez-en un d'abord."))
        }
        let id: Identifier<Webhook> = tx.newID()
        let meta = Meta(id: Identifier(id), rev: 1, ownRev: 1, created: tx.now, updated: tx.now)
        var webhook = Webhook(id: id, coop: caller.coop, url: "", events: [], description: "", isOrdered: false, secrets: WebhookSecrets(), meta: meta)
        webhook.apply(draft)
        let made = webhook
        try storing { () throws(DatabaseError) in try WebhookTable.insert(made, position: Outbox.newest(in: tx.connection), in: tx.connection) }
        tx.webhooks.keep(made, for: id, after: tx)
        return made
    }

    package static func update(
        _ id: Identifier<Webhook>, with draft: Draft, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Webhook {
        let old = try require(id, for: caller, in: tx)
        try expected.check(old)
        var webhook = old
        webhook.apply(draft)
        return try webhook.store(in: tx)
    }

    /// What waits for it is dropped, and its log goes too.
    package static func delete(_ id: Identifier<Webhook>, expecting expected: Expectation, by caller: Caller, in tx: Transaction) throws(DomainError) {
        try expected.check(require(id, for: caller, in: tx))
        try storing { () throws(DatabaseError) in try WebhookTable.delete(id, in: tx.connection) }
        tx.webhooks.keep(nil, for: id, after: tx)
    }

    /// How long the old secret goes on signing.
    package static let overlapSeconds: Int64 = 86_400

    /// Gives it a new secret.
    ///
    /// - Parameter droppingOld: from now on the old one signs no more, which is for a secret that others may know.
    package static func rotate(_ id: Identifier<Webhook>, droppingOld: Bool, by caller: Caller, in tx: Transaction) throws(DomainError) -> Webhook {
        var webhook = try require(id, for: caller, in: tx)
        webhook.secrets.rotate(keepingOldUntil: droppingOld ? nil : tx.now.adding(seconds: overlapSeconds))
        return try webhook.store(in: tx)
    }

    private func store(in tx: Transaction) throws(DomainError) -> Webhook {
        var webhook = self
        webhook.meta.rev += 1
        webhook.meta.updated = tx.now
        let stored = webhook
        try storing { () throws(DatabaseError) in try WebhookTable.update(stored, in: tx.connection) }
        tx.webhooks.keep(stored, for: id, after: tx)
        return stored
    }

    // MARK: Sending by hand

    /// Sends an event of its own type to this webhook alone.
    ///
    /// - Returns: the event's seq, by which its delivery is found.
    package static func ping(_ id: Identifier<Webhook>, by caller: Caller, in tx: Transaction) throws(DomainError) -> Int64 {
        let webhook = try requireActive(id, for: caller, in: tx)
        return try storing { () throws(DatabaseError) in
            let coops = webhook.coop.map { [$0] } ?? []
            let seq = try Outbox.insert(EventType.ping, record: Identifier(id), rev: webhook.meta.rev, coops: coops, hearers: [], in: tx)
            try DeliveryTable.store(id, seq, .waiting, attempts: 0, next: tx.now, nil, record: nil, run: webhook.run, in: tx)
            tx.webhooks.touch(id, after: tx)
            return seq
        }
    }

    /// Sends one event again, whatever became of it.
    package static func resend(_ id: Identifier<Webhook>, _ seq: Int64, by caller: Caller, in tx: Transaction) throws(DomainError) {
        _ = try require(id, for: caller, in: tx)
        let found = try delivery(of: id, seq, in: tx)
        guard found.state != .held else {
            throw .conflict(
                code: "delivery.held",
                Bilingual(
                    en: "It waits for an earlier event of the same record; send that one again.",
                    fr: "Elle attend un événement antérieur du même enregistrement ; renvoyez celui-là."))
        }
        try storing { () throws(DatabaseError) in try DeliveryTable.wait(id, seq, in: tx) }
        tx.webhooks.touch(id, after: tx)
    }

    /// What has become of an event so far, as the transaction has left it.
    package static func delivery(of id: Identifier<Webhook>, _ seq: Int64, in tx: Transaction) throws(DomainError) -> Delivery {
        let found = try storing { () throws(DatabaseError) in try DeliveryTable.find(id, seq, in: tx.connection) }
        guard let found else { throw .notFound(type: "delivery") }
        return found
    }

    /// So many dead letters are sent again at once; the rest with the next call.
    package static let redriveLimit = 1000

    /// Sends dead letters again, the oldest first.
    ///
    /// - Returns: how many, and how many are left.
    package static func redrive(_ id: Identifier<Webhook>, by caller: Caller, in tx: Transaction) throws(DomainError) -> (sent: Int, left: Int) {
        _ = try require(id, for: caller, in: tx)
        let done = try storing { () throws(DatabaseError) in
            let dead = try DeliveryTable.dead(id, limit: redriveLimit, in: tx.connection)
            for (seq, record) in dead {
                if record == nil { try DeliveryTable.wait(id, seq, in: tx) } else { try DeliveryTable.hold(id, seq, in: tx) }
            }
            for record in Set(dead.compactMap(\.record)) { _ = try DeliveryTable.release(id, record, in: tx) }
            return (dead.count, try DeliveryTable.count(id, .dead, in: tx.connection))
        }
        tx.webhooks.touch(id, after: tx)
        return done
    }

    /// Sends everything again that happened at this time or later; events are kept 30 days.
    ///
    /// - Returns: how many events that may be, of which it may want none.
    package static func replay(_ id: Identifier<Webhook>, since time: Timestamp, by caller: Caller, in tx: Transaction) throws(DomainError) -> Int64 {
        _ = try require(id, for: caller, in: tx)
        return try storing { () throws(DatabaseError) in
            let last = try Outbox.last(before: time, in: tx.connection)
            try WebhookTable.rewind(id, to: last, in: tx.connection)
            if let webhook = try WebhookTable.find(id, in: tx.connection) { tx.webhooks.keep(webhook, for: id, after: tx) }
            return try Outbox.newest(in: tx.connection) - last
        }
    }

    // MARK: Finding

    /// - Throws: `.forbidden` for roles that have no webhooks, `.notFound` for what is absent or another's.
    private static func require(_ id: Identifier<Webhook>, for caller: Caller, in tx: Transaction) throws(DomainError) -> Webhook {
        try authorize(caller)
        let found = try storing { () throws(DatabaseError) in try WebhookTable.find(id, in: tx.connection) }
        guard let found, found.belongs(to: caller) else { throw .notFound(type: "webhook") }
        return found
    }

    private static func requireActive(_ id: Identifier<Webhook>, for caller: Caller, in tx: Transaction) throws(DomainError) -> Webhook {
        let webhook = try require(id, for: caller, in: tx)
        guard webhook.status == .active else {
            throw .conflict(
                code: "webhook.not-active",
                Bilingual(
                    en: "It is \(webhook.status.rawValue); set its status to active first.", fr: "Son état est \(webhook.status.rawValue) ; passez-le d'abord à active."))
        }
        return webhook
    }
}

extension Expectation {
    fileprivate func check(_ webhook: Webhook) throws(DomainError) {
        switch self {
        case .none: throw .preconditionRequired
        case .any: return
        case .oneOf(let tags): if !tags.contains(webhook.etag) { throw .stale(etag: webhook.etag.text) }
        }
    }
}
