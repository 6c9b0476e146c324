import JSON
import SQLite

/// Something that happened, as other systems are told of it: ids only.
package struct Event: Sendable, Equatable {
    /// Who may be told: those who could read the record before or after the change.
    package struct Hearers: OptionSet, Sendable {
        package let rawValue: Int64
        package init(rawValue: Int64) { self.rawValue = rawValue }
        static let federation = Hearers(rawValue: 1)
        /// The co-ops whose record it is.
        static let owners = Hearers(rawValue: 2)
    }

    /// Its place in the order of what happened.
    package let seq: Int64
    /// The same on every attempt, at every webhook.
    package let id: String
    package let type: String
    package let at: Timestamp
    package let record: Identifier<Void>
    package let rev: Int64
    package let coops: [Identifier<Coop>]
    let hearers: Hearers

    /// The body as it is sent and signed.
    package var body: [UInt8] {
        var json = JSONWriter(reserving: 256)
        json.beginObject()
        json.member("type", type)
        json.member("timestamp", at.text)
        json.key("data")
        json.beginObject()
        json.member("id", record.text)
        json.key("rev")
        json.integer(rev)
        json.key("coop_ids")
        json.beginArray()
        for coop in coops { json.string(coop.text) }
        json.endArray()
        json.endObject()
        json.endObject()
        return json.bytes
    }
}

/// The log of events: written with each change, read by whoever delivers.
package enum Outbox {
    static let columns = "seq, id, type, at_ms, webhook_event.record_id, rev, coop_ids, hearers"

    // MARK: Writing

    /// Logs a change, in its transaction; nothing to do where nobody listens, or where it stays inside.
    static func note<R: Record>(_ change: Change<R>, rev: Int64, of record: R, from: Value, to: Value, in tx: Transaction) throws(DatabaseError) {
        guard !tx.webhooks.isEmpty, let type = EventType.name(R.type, change.action, from: from.text, to: to.text) else { return }
        try note(type, rev: rev, of: record, before: change.old, in: tx)
    }

    /// The same for what no single change brings about.
    static func note<R: Record>(_ type: String, rev: Int64, of record: R, before old: R?, in tx: Transaction) throws(DatabaseError) {
        guard !tx.webhooks.isEmpty else { return }
        let owners = record.owners
        let readers = record.readers + (old?.readers ?? [])
        var hearers: Event.Hearers = []
        if readers.contains(where: { Caller.federation.layers.contains($0.audience) }) { hearers.insert(.federation) }
        let areShown = owners.allSatisfy { coop in
            readers.contains { $0.audience == .coop(coop) || $0.audience == .office(coop) || $0.audience == .desk(coop) || $0.audience == .network }
        }
        if !owners.isEmpty, areShown { hearers.insert(.owners) }
        guard !hearers.isEmpty else { return }
        try insert(type, record: record.meta.id, rev: rev, coops: owners, hearers: hearers, in: tx)
        tx.webhooks.wakeAfterCommit(of: tx)
    }

    /// - Returns: its seq.
    @discardableResult
    static func insert(
        _ type: String, record: Identifier<Void>, rev: Int64, coops: [Identifier<Coop>], hearers: Event.Hearers, in tx: Transaction
    ) throws(DatabaseError) -> Int64 {
        let id: Identifier<Event> = tx.newID()
        try tx.connection.run(
            "INSERT INTO webhook_event (id, type, at_ms, record_id, rev, coop_ids, hearers) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                id.value, .text(type), .integer(tx.now.milliseconds), record.value, .integer(rev), .text(coops.map(\.text).joined(separator: ",")),
                .integer(hearers.rawValue),
            ])
        return try newest(in: tx.connection)
    }

    // MARK: Reading

    /// The seq of the newest event; 0 before the first.
    package static func newest(in connection: Connection) throws(DatabaseError) -> Int64 {
        try connection.first("SELECT max(seq) FROM webhook_event") { $0.integer(0) } ?? 0
    }

    /// The events behind a seq, in order.
    package static func events(after seq: Int64, limit: Int, in connection: Connection) throws(DatabaseError) -> [Event] {
        try connection.all("SELECT \(columns) FROM webhook_event WHERE seq > ? ORDER BY seq LIMIT ?", [.integer(seq), .integer(Int64(limit))]) { event($0) }
    }

    /// The time of the first event behind a seq; nil where there is none.
    static func time(after seq: Int64, in connection: Connection) throws(DatabaseError) -> (seq: Int64, at: Timestamp)? {
        try connection.first("SELECT seq, at_ms FROM webhook_event WHERE seq > ? ORDER BY seq LIMIT 1", [.integer(seq)]) {
            ($0.integer(0), Timestamp(milliseconds: $0.integer(1)))
        }
    }

    /// The seq of the last event before a time, by halves: the log is in the order of time, but for a clock that was set back.
    static func last(before time: Timestamp, in connection: Connection) throws(DatabaseError) -> Int64 {
        guard var low = try Self.time(after: 0, in: connection).map({ $0.seq - 1 }) else { return 0 }
        var high = try newest(in: connection)
        while low < high {
            let middle = low + (high - low) / 2
            guard let found = try Self.time(after: middle, in: connection), found.at < time else {
                high = middle
                continue
            }
            low = found.seq
        }
        return low
    }

    static func event(_ row: Statement, at column: Int = 0) -> Event {
        Event(
            seq: row.integer(column), id: row.text(column + 1), type: row.text(column + 2), at: Timestamp(milliseconds: row.integer(column + 3)),
            record: Identifier(row.text(column + 4)) ?? Identifier(high: 0, low: 0), rev: row.integer(column + 5),
            coops: row.text(column + 6).split(separator: ",").compactMap { Identifier($0) }, hearers: Event.Hearers(rawValue: row.integer(column + 7)))
    }
}

extension Caller {
    fileprivate static let federation = Caller(token: nil, role: .federationAdmin, coop: nil)
}

extension Value {
    fileprivate var text: String? { if case .text(let text) = self { text } else { nil } }
}
