import SQLite

/// What keeps log and queues bounded: deliveries and events are kept 30 days, and a webhook that lies too far behind, or for too
/// long, has its oldest events as dead letters. Runs in small pieces, so that nobody waits for it.
package enum WebhookUpkeep {
    package struct Limits: Sendable {
        /// So many events may lie between a webhook and the newest one.
        package var queue: Int64 = 1_000_000
        package var keptDays: Int64 = 30
        package init() {}
    }

    private static let batch: Int64 = 1000

    /// - Returns: whether there is more to do at once.
    package static func run(_ limits: Limits, in tx: Transaction) throws(DatabaseError) -> Bool {
        let old = tx.now.adding(seconds: -limits.keptDays * 86_400)
        let boundary = try Outbox.last(before: old, in: tx.connection)
        var hasMore = false
        for webhook in tx.webhooks.all {
            if try overflow(webhook, upTo: max(boundary, Outbox.newest(in: tx.connection) - limits.queue), isOld: boundary, in: tx) { hasMore = true }
        }
        if try dropDeliveries(upTo: boundary, triedBefore: old, in: tx) { hasMore = true }
        if !hasMore, try dropEvents(upTo: boundary, in: tx) { hasMore = true }
        return hasMore
    }

    /// Gives up what lies at `limit` or before it, and has not been tried yet.
    private static func overflow(_ webhook: Webhook, upTo limit: Int64, isOld boundary: Int64, in tx: Transaction) throws(DatabaseError) -> Bool {
        guard let place = try WebhookTable.place(of: webhook.id, in: tx.connection), place.position < limit else { return false }
        let events = try Outbox.events(after: place.position, limit: Int(batch), in: tx.connection).filter { $0.seq <= limit }
        let known = try DeliveryTable.settled(webhook.id, in: place, in: tx.connection)
        for event in events where webhook.hears(event) && !known.contains(event.seq) {
            let why = Delivery.Attempt(at: tx.now, milliseconds: 0, status: nil, error: event.seq <= boundary ? "expired" : "queue.full", answer: nil)
            try DeliveryTable.store(webhook.id, event.seq, .dead, attempts: 0, why, record: webhook.isOrdered ? event.record : nil, run: place.run, in: tx)
        }
        let position = events.last?.seq ?? limit
        // A new run: what is under way from before must not set it back.
        try tx.connection.run(
            "UPDATE webhook SET position = ?, reached = max(reached, ?), run = run + 1 WHERE id = ?", [.integer(position), .integer(position), webhook.id.value])
        try refresh(webhook.id, in: tx)
        return position < limit
    }

    private static func refresh(_ id: Identifier<Webhook>, in tx: Transaction) throws(DatabaseError) {
        if let webhook = try WebhookTable.find(id, in: tx.connection) { tx.webhooks.keep(webhook, for: id, after: tx) }
    }

    /// Those of webhooks that are gone, and those that were last tried long ago and are not open.
    private static func dropDeliveries(upTo boundary: Int64, triedBefore old: Timestamp, in tx: Transaction) throws(DatabaseError) -> Bool {
        var hasMore = false
        var id = ""
        // From one webhook to the next through the index, of which there are few.
        while let next = try tx.connection.first("SELECT webhook_id FROM webhook_delivery WHERE webhook_id > ? ORDER BY webhook_id LIMIT 1", [.text(id)], { $0.text(0) }) {
            id = next
            let isGone = Identifier<Webhook>(id).flatMap { tx.webhooks.find($0) } == nil
            let condition = isGone ? "" : "AND event_seq <= \(boundary) AND tried_ms < \(old.milliseconds) AND state IN ('delivered', 'dead')"
            try tx.connection.run(
                """
                DELETE FROM webhook_delivery WHERE webhook_id = ?1 AND event_seq IN
                    (SELECT event_seq FROM webhook_delivery WHERE webhook_id = ?1 \(condition) ORDER BY event_seq LIMIT \(batch))
                """, [.text(id)])
            if tx.connection.changes == batch { hasMore = true }
        }
        return hasMore
    }

    /// Except the newest, which holds the count, and those that a delivery still needs.
    private static func dropEvents(upTo boundary: Int64, in tx: Transaction) throws(DatabaseError) -> Bool {
        let limit = min(boundary, try Outbox.newest(in: tx.connection) - 1)
        try tx.connection.run(
            """
            DELETE FROM webhook_event WHERE seq IN (SELECT seq FROM webhook_event WHERE seq <= ? AND NOT EXISTS
                (SELECT 1 FROM webhook_delivery WHERE event_seq = seq AND state <> 'delivered') ORDER BY seq LIMIT \(batch))
            """, [.integer(limit)])
        return tx.connection.changes == batch
    }
}
