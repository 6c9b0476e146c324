import SQLite

/// The SQL on deliveries.
package enum DeliveryTable {
    private static let columns = "state, attempts, next_ms, tried_ms, milliseconds, status, error, answer"

    // MARK: What is to be tried

    /// Events whose time to be tried again has come, with the attempts so far.
    package static func due(at now: Timestamp, _ webhook: Identifier<Webhook>, limit: Int, in connection: Connection) throws(DatabaseError) -> [(event: Event, attempts: Int)] {
        try connection.all(
            """
            SELECT attempts, \(Outbox.columns) FROM webhook_delivery JOIN webhook_event ON seq = event_seq
            WHERE webhook_id = ? AND state = 'waiting' AND next_ms <= ? ORDER BY next_ms LIMIT ?
            """, [webhook.value, .integer(now.milliseconds), .integer(Int64(limit))]
        ) { (Outbox.event($0, at: 1), Int(truncatingIfNeeded: $0.integer(0))) }
    }

    /// When the next one is due; nil where none waits.
    package static func nextDue(_ webhook: Identifier<Webhook>, in connection: Connection) throws(DatabaseError) -> Timestamp? {
        try connection.first("SELECT next_ms FROM webhook_delivery WHERE webhook_id = ? AND state = 'waiting' ORDER BY next_ms LIMIT 1", [webhook.value]) {
            Timestamp(milliseconds: $0.integer(0))
        }
    }

    /// The events beyond the webhook's position, as far as it has reached, that something has become of in its present run: after a
    /// start, they are not sent as new.
    package static func settled(
        _ webhook: Identifier<Webhook>, in place: WebhookTable.Place, in connection: Connection
    ) throws(DatabaseError) -> Set<Int64> {
        try Set(connection.all(
            "SELECT event_seq FROM webhook_delivery WHERE webhook_id = ? AND event_seq > ? AND event_seq <= ? AND run = ?",
            [webhook.value, .integer(place.position), .integer(place.reached), .integer(place.run)]) { $0.integer(0) })
    }

    /// The records of an ordered webhook of which an event has not yet come through.
    package static func blocked(_ webhook: Identifier<Webhook>, in connection: Connection) throws(DatabaseError) -> Set<Identifier<Void>> {
        try Set(connection.all(
            "SELECT DISTINCT record_id FROM webhook_delivery WHERE webhook_id = ? AND state IN ('waiting', 'held') AND record_id IS NOT NULL", [webhook.value]
        ) { Identifier($0.text(0)) }.compactMap { $0 })
    }

    // MARK: The log

    /// Newest event first.
    static func page(
        _ webhook: Identifier<Webhook>, state: Delivery.State?, before seq: Int64, limit: Int, in connection: Connection
    ) throws(DatabaseError) -> [Delivery] {
        let condition = state.map { "AND state = '\($0.rawValue)'" } ?? ""
        return try connection.all(
            """
            SELECT \(columns), \(Outbox.columns) FROM webhook_delivery JOIN webhook_event ON seq = event_seq
            WHERE webhook_id = ? AND event_seq < ? \(condition) ORDER BY event_seq DESC LIMIT ?
            """, [webhook.value, .integer(seq), .integer(Int64(limit))], delivery)
    }

    static func find(_ webhook: Identifier<Webhook>, _ seq: Int64, in connection: Connection) throws(DatabaseError) -> Delivery? {
        try page(webhook, state: nil, before: seq == .max ? seq : seq + 1, limit: 1, in: connection).first { $0.event.seq == seq }
    }

    private static func delivery(_ row: Statement) -> Delivery {
        func number(_ column: Int) -> Int? { row.optionalInteger(column).map { Int(truncatingIfNeeded: $0) } }
        return Delivery(
            event: Outbox.event(row, at: 8), state: Delivery.State(rawValue: row.text(0)) ?? .dead, attempts: number(1) ?? 0,
            next: row.optionalInteger(2).map { Timestamp(milliseconds: $0) },
            last: Delivery.Attempt(
                at: Timestamp(milliseconds: row.integer(3)), milliseconds: number(4) ?? 0, status: number(5), error: row.optionalText(6),
                answer: row.optionalText(7)))
    }

    // MARK: Writing

    /// - Parameter record: at an ordered webhook, whose events wait for each other.
    static func store(
        _ webhook: Identifier<Webhook>, _ seq: Int64, _ state: Delivery.State, attempts: Int, next: Timestamp? = nil, _ attempt: Delivery.Attempt?,
        record: Identifier<Void>?, run: Int64, in tx: Transaction
    ) throws(DatabaseError) {
        try tx.connection.run(
            """
            INSERT INTO webhook_delivery (webhook_id, event_seq, state, attempts, next_ms, tried_ms, milliseconds, status, error, answer, record_id, run)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (webhook_id, event_seq) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, next_ms = excluded.next_ms,
                tried_ms = excluded.tried_ms, milliseconds = excluded.milliseconds, status = excluded.status, error = excluded.error,
                answer = excluded.answer, record_id = excluded.record_id, run = excluded.run
            """,
            [
                webhook.value, .integer(seq), .text(state.rawValue), .integer(Int64(attempts)), next.map { .integer($0.milliseconds) } ?? .null,
                .integer((attempt?.at ?? tx.now).milliseconds), attempt.map { .integer(Int64($0.milliseconds)) } ?? .null,
                attempt?.status.map { .integer(Int64($0)) } ?? .null, attempt?.error.map { .text($0) } ?? .null, attempt?.answer.map { .text($0) } ?? .null,
                record?.value ?? .null, .integer(run),
            ])
    }

    /// Lets the first of a record's open events go on, if it was held behind one that has come through or was given up.
    ///
    /// - Returns: whether the record has open events.
    static func release(_ webhook: Identifier<Webhook>, _ record: Identifier<Void>, in tx: Transaction) throws(DatabaseError) -> Bool {
        let first = try tx.connection.first(
            "SELECT event_seq, state FROM webhook_delivery WHERE webhook_id = ? AND record_id = ? AND state IN ('waiting', 'held') ORDER BY event_seq LIMIT 1",
            [webhook.value, record.value]
        ) { ($0.integer(0), $0.text(1)) }
        guard let (seq, state) = first else { return false }
        if state == Delivery.State.held.rawValue { try wait(webhook, seq, in: tx) }
        return true
    }

    /// Tries it at once; what came of it before stays to be read until then.
    static func wait(_ webhook: Identifier<Webhook>, _ seq: Int64, in tx: Transaction) throws(DatabaseError) {
        try tx.connection.run(
            "UPDATE webhook_delivery SET state = 'waiting', attempts = 0, next_ms = ? WHERE webhook_id = ? AND event_seq = ?",
            [.integer(tx.now.milliseconds), webhook.value, .integer(seq)])
    }

    /// The oldest dead letters of a webhook.
    static func dead(_ webhook: Identifier<Webhook>, limit: Int, in connection: Connection) throws(DatabaseError) -> [(seq: Int64, record: Identifier<Void>?)] {
        try connection.all(
            "SELECT event_seq, record_id FROM webhook_delivery WHERE webhook_id = ? AND state = 'dead' ORDER BY event_seq LIMIT ?",
            [webhook.value, .integer(Int64(limit))]
        ) { ($0.integer(0), $0.optionalText(1).flatMap { Identifier($0) }) }
    }

    /// Puts a dead letter behind what is open of its record, if anything is.
    static func hold(_ webhook: Identifier<Webhook>, _ seq: Int64, in tx: Transaction) throws(DatabaseError) {
        try tx.connection.run(
            "UPDATE webhook_delivery SET state = 'held', attempts = 0 WHERE webhook_id = ? AND event_seq = ?", [webhook.value, .integer(seq)])
    }

    /// How many are open: to be tried again, or behind one that is.
    package static func openCount(_ webhook: Identifier<Webhook>, in connection: Connection) throws(DatabaseError) -> Int {
        try count(webhook, .waiting, in: connection) + count(webhook, .held, in: connection)
    }

    static func count(_ webhook: Identifier<Webhook>, _ state: Delivery.State, in connection: Connection) throws(DatabaseError) -> Int {
        try connection.first("SELECT count(*) FROM webhook_delivery WHERE webhook_id = ? AND state = '\(state.rawValue)'", [webhook.value]) {
            Int(truncatingIfNeeded: $0.integer(0))
        } ?? 0
    }
}
