import SQLite

/// What is known of webhooks: for people, for whoever delivers, and for those who watch.
extension Federation {
    /// The webhooks that the caller may see, in the order of creation.
    package func webhooks(for caller: Caller) throws(DomainError) -> [Webhook] {
        try Webhook.authorize(caller)
        return webhooks.all.filter { $0.belongs(to: caller) }
    }

    /// - Throws: `.forbidden`, `.notFound` for what is absent or another's.
    package func webhook(_ id: Identifier<Webhook>, for caller: Caller) throws(DomainError) -> Webhook {
        try Webhook.authorize(caller)
        guard let found = webhooks.find(id), found.belongs(to: caller) else { throw .notFound(type: "webhook") }
        return found
    }

    /// What became of a webhook's events, the newest first.
    package func deliveries(
        of id: Identifier<Webhook>, state: Delivery.State?, before seq: Int64, limit: Int, for caller: Caller
    ) throws(DomainError) -> [Delivery] {
        _ = try webhook(id, for: caller)
        return try read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in try DeliveryTable.page(id, state: state, before: seq, limit: limit, in: connection) }
        }
    }

    package func delivery(of id: Identifier<Webhook>, _ seq: Int64, for caller: Caller) throws(DomainError) -> Delivery {
        _ = try webhook(id, for: caller)
        let found = try read { (connection) throws(DomainError) in try storing { () throws(DatabaseError) in try DeliveryTable.find(id, seq, in: connection) } }
        guard let found else { throw .notFound(type: "delivery") }
        return found
    }

    // MARK: Watching

    /// How a webhook stands.
    package struct WebhookHealth: Sendable {
        package let webhook: Webhook
        /// Events between it and the newest one, of which it may want none.
        package let behind: Int64
        /// When the first of these happened.
        package let oldest: Timestamp?
        /// Deliveries that wait for another attempt, or behind one that does.
        package let waiting: Int
        package let dead: Int

        package func lagSeconds(at now: Timestamp) -> Int { Self.seconds(from: oldest, to: now) }
        package func failingSeconds(at now: Timestamp) -> Int { Self.seconds(from: webhook.failingSince, to: now) }

        private static func seconds(from start: Timestamp?, to now: Timestamp) -> Int {
            start.map { max(0, Int(clamping: (now.milliseconds - $0.milliseconds) / 1000)) } ?? 0
        }
    }

    package func webhookHealth() throws(DomainError) -> [WebhookHealth] {
        let all = webhooks.all
        guard !all.isEmpty else { return [] }
        return try read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                let newest = try Outbox.newest(in: connection)
                var health: [WebhookHealth] = []
                for webhook in all {
                    let position = try WebhookTable.place(of: webhook.id, in: connection)?.position ?? newest
                    let next = try Outbox.time(after: position, in: connection)
                    let waiting = try DeliveryTable.openCount(webhook.id, in: connection)
                    let dead = try DeliveryTable.count(webhook.id, .dead, in: connection)
                    health.append(WebhookHealth(webhook: webhook, behind: newest - position, oldest: next?.at, waiting: waiting, dead: dead))
                }
                return health
            }
        }
    }
}
