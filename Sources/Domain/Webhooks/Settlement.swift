import SQLite

/// What whoever delivers has found out about one webhook since the last time, stored in one transaction with that of others.
package struct Settlement: Sendable {
    /// What becomes of one event.
    package struct Outcome: Sendable {
        package enum Fate: Sendable, Equatable {
            case delivered
            case retry(at: Timestamp)
            /// Not tried: an earlier event of the same record has not come through.
            case held
            case dead
        }

        package let event: Event
        package let fate: Fate
        /// How often it was tried, this time included.
        package let attempts: Int
        /// nil where it was not tried.
        package let attempt: Delivery.Attempt?

        package init(event: Event, fate: Fate, attempts: Int, attempt: Delivery.Attempt?) {
            (self.event, self.fate, self.attempts, self.attempt) = (event, fate, attempts, attempt)
        }
    }

    package let webhook: Identifier<Webhook>
    package let run: Int64
    package let outcomes: [Outcome]
    /// Up to here all events are settled with this.
    package let position: Int64
    /// Beyond this, none is.
    package let reached: Int64
    /// It answered that it is gone.
    package let isGone: Bool

    package init(webhook: Identifier<Webhook>, run: Int64, outcomes: [Outcome], position: Int64, reached: Int64, isGone: Bool) {
        self.webhook = webhook
        self.run = run
        self.outcomes = outcomes
        self.position = position
        self.reached = reached
        self.isGone = isGone
    }

    /// A webhook that has failed for so long is disabled.
    static let patienceSeconds: Int64 = 5 * 86_400

    /// Stores it.
    ///
    /// - Returns: the records of an ordered webhook of which nothing is open any more.
    package func store(in tx: Transaction) throws(DatabaseError) -> Set<Identifier<Void>> {
        // It may have been deleted meanwhile.
        guard let webhook = try WebhookTable.find(webhook, in: tx.connection) else { return [] }
        var records: Set<Identifier<Void>> = []
        for outcome in outcomes {
            let record = webhook.isOrdered ? outcome.event.record : nil
            let (state, next): (Delivery.State, Timestamp?) =
                switch outcome.fate {
                case .delivered: (.delivered, nil)
                case .retry(let time): (.waiting, time)
                case .held: (.held, nil)
                case .dead: (.dead, nil)
                }
            try DeliveryTable.store(
                webhook.id, outcome.event.seq, state, attempts: outcome.attempts, next: next, outcome.attempt, record: record, run: run, in: tx)
            if let record { records.insert(record) }
        }
        var free = records
        for record in records where try DeliveryTable.release(webhook.id, record, in: tx) { free.remove(record) }
        try WebhookTable.advance(webhook.id, to: position, reached: reached, run: run, in: tx.connection)
        try noteHealth(of: webhook, in: tx)
        return free
    }

    private func noteHealth(of webhook: Webhook, in tx: Transaction) throws(DatabaseError) {
        let tried = outcomes.filter { $0.attempt != nil }
        guard !tried.isEmpty else { return }
        var changed = webhook
        if let last = tried.filter({ $0.fate == .delivered }).compactMap(\.attempt?.at).max() {
            (changed.delivered, changed.failingSince) = (last, nil)
        } else if webhook.failingSince == nil {
            changed.failingSince = tried.compactMap(\.attempt?.at).min()
        }
        if webhook.status == .active, let reason = disabling(changed, at: tx.now) {
            (changed.status, changed.disabledReason) = (.disabled, reason)
            changed.meta.rev += 1
            changed.meta.updated = tx.now
            try WebhookTable.update(changed, in: tx.connection)
            return tx.webhooks.keep(changed, for: changed.id, after: tx)
        }
        // The time of the last success alone is not worth a write more often than each minute.
        let isRecent = webhook.delivered.map { old in changed.delivered.map { $0 < old.adding(seconds: 60) } ?? true } ?? (changed.delivered == nil)
        guard changed.failingSince != webhook.failingSince || !isRecent else { return }
        try WebhookTable.update(changed, in: tx.connection)
        tx.webhooks.note(changed, after: tx)
    }

    private func disabling(_ webhook: Webhook, at now: Timestamp) -> Webhook.DisabledReason? {
        if isGone { return .gone }
        guard let since = webhook.failingSince, since.adding(seconds: Self.patienceSeconds) <= now else { return nil }
        return .failing
    }
}
