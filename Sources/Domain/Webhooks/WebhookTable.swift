import JSON
import SQLite

/// The SQL on webhooks.
package enum WebhookTable {
    private static let columns = """
        id, coop_id, url, events, description, ordered, status, disabled_reason, secret, old_secret, old_secret_until_ms, run, failing_since_ms,
        delivered_ms, rev, created_ms, updated_ms
        """

    /// - Parameter position: the event behind which it begins to listen.
    static func insert(_ webhook: Webhook, position: Int64, in connection: Connection) throws(DatabaseError) {
        try connection.run(
            "INSERT INTO webhook (\(columns), position, reached) VALUES (\(String(repeating: "?, ", count: 18))?)",
            [webhook.id.value, webhook.coop?.value ?? .null] + settable(webhook) + state(webhook)
                + [.integer(webhook.meta.rev), .integer(webhook.meta.created.milliseconds), .integer(webhook.meta.updated.milliseconds)]
                + [.integer(position), .integer(position)])
    }

    /// Stores what people set, and the state.
    static func update(_ webhook: Webhook, in connection: Connection) throws(DatabaseError) {
        try connection.run(
            """
            UPDATE webhook SET url = ?, events = ?, description = ?, ordered = ?, status = ?, disabled_reason = ?, secret = ?, old_secret = ?,
                old_secret_until_ms = ?, run = ?, failing_since_ms = ?, delivered_ms = ?, rev = ?, updated_ms = ? WHERE id = ?
            """,
            settable(webhook) + state(webhook) + [.integer(webhook.meta.rev), .integer(webhook.meta.updated.milliseconds), webhook.id.value])
    }

    static func delete(_ id: Identifier<Webhook>, in connection: Connection) throws(DatabaseError) {
        try connection.run("DELETE FROM webhook WHERE id = ?", [id.value])
    }

    static func find(_ id: Identifier<Webhook>, in connection: Connection) throws(DatabaseError) -> Webhook? {
        try connection.first("SELECT \(columns) FROM webhook WHERE id = ?", [id.value], webhook) ?? nil
    }

    /// In the order of creation.
    static func all(in connection: Connection) throws(DatabaseError) -> [Webhook] {
        try connection.all("SELECT \(columns) FROM webhook ORDER BY id", [], webhook).compactMap { $0 }
    }

    /// Where a webhook stands in the log: up to `position` every event is settled, beyond `reached` none is.
    package struct Place: Sendable {
        package let position: Int64
        package let reached: Int64
        package let run: Int64
    }

    package static func place(of id: Identifier<Webhook>, in connection: Connection) throws(DatabaseError) -> Place? {
        try connection.first("SELECT position, reached, run FROM webhook WHERE id = ?", [id.value]) {
            Place(position: $0.integer(0), reached: $0.integer(1), run: $0.integer(2))
        }
    }

    /// Moves it on, unless it was set back since.
    static func advance(_ id: Identifier<Webhook>, to position: Int64, reached: Int64, run: Int64, in connection: Connection) throws(DatabaseError) {
        try connection.run(
            "UPDATE webhook SET position = ?, reached = ? WHERE id = ? AND run = ? AND position <= ?",
            [.integer(position), .integer(reached), id.value, .integer(run), .integer(position)])
    }

    /// Sets it back to an event behind which it hears everything again.
    static func rewind(_ id: Identifier<Webhook>, to position: Int64, in connection: Connection) throws(DatabaseError) {
        try connection.run(
            "UPDATE webhook SET position = min(position, ?), reached = min(position, ?), run = run + 1 WHERE id = ?",
            [.integer(position), .integer(position), id.value])
    }

    // MARK: Columns

    private static func settable(_ webhook: Webhook) -> [Value] {
        var events = JSONWriter()
        events.beginArray()
        for event in webhook.events { events.string(event) }
        events.endArray()
        return [
            .text(webhook.url), .text(String(decoding: events.bytes, as: UTF8.self)), .text(webhook.description), .integer(webhook.isOrdered ? 1 : 0),
            .text(webhook.status.rawValue),
        ]
    }

    private static func state(_ webhook: Webhook) -> [Value] {
        [webhook.disabledReason.map { .text($0.rawValue) } ?? .null] + webhook.secrets.stored
            + [.integer(webhook.run), time(webhook.failingSince), time(webhook.delivered)]
    }

    private static func time(_ time: Timestamp?) -> Value { time.map { .integer($0.milliseconds) } ?? .null }

    private static func webhook(_ row: Statement) -> Webhook? {
        guard let id = Identifier<Webhook>(row.text(0)), let status = Webhook.Status(rawValue: row.text(6)) else { return nil }
        func time(_ column: Int) -> Timestamp? { row.optionalInteger(column).map { Timestamp(milliseconds: $0) } }
        let events = (try? JSON.parse(Array(row.text(3).utf8)))?.elements?.compactMap(\.stringValue) ?? []
        let secrets = WebhookSecrets(current: row.blob(8), old: row.isNull(9) ? nil : row.blob(9), until: time(10))
        let meta = Meta(
            id: Identifier(id), rev: row.integer(14), ownRev: row.integer(14), created: Timestamp(milliseconds: row.integer(15)),
            updated: Timestamp(milliseconds: row.integer(16)))
        return Webhook(
            id: id, coop: row.optionalText(1).flatMap { Identifier($0) }, url: row.text(2), events: events, description: row.text(4),
            isOrdered: row.integer(5) != 0, status: status, disabledReason: row.optionalText(7).flatMap { Webhook.DisabledReason(rawValue: $0) },
            secrets: secrets, run: row.integer(11), failingSince: time(12), delivered: time(13), meta: meta)
    }
}
