import SQLite

/// What the clock changes: a row says when, and the writer runs it as an ordinary transaction, at start and by one timer.
package enum Due {
    static func set(_ at: Timestamp, _ type: RecordType, _ id: String, _ what: String, in tx: Transaction) throws(DatabaseError) {
        tx.feed.noteNewDue()
        try tx.connection.run(
            "INSERT INTO due (at_ms, type, id, what) VALUES (?, ?, ?, ?) ON CONFLICT (type, id, what) DO UPDATE SET at_ms = excluded.at_ms",
            [.integer(at.milliseconds), .text(type.rawValue), .text(id), .text(what)])
    }

    static func clear(_ type: RecordType, _ id: String, _ what: String, in connection: Connection) throws(DatabaseError) {
        try connection.run("DELETE FROM due WHERE type = ? AND id = ? AND what = ?", [.text(type.rawValue), .text(id), .text(what)])
    }

    /// When the next row is due; nil when there is none.
    static func next(in connection: Connection) throws(DatabaseError) -> Timestamp? {
        try connection.first("SELECT at_ms FROM due ORDER BY at_ms LIMIT 1") { Timestamp(milliseconds: $0.integer(0)) }
    }

    private static func fall<R: Record>(_ type: R.Type, _ id: String, _ what: String, in tx: Transaction) throws(DomainError) {
        if let id = Identifier<R>(id) { try R.fallDue(id, what, in: tx) }
    }

    /// What could not be done when it was due, and is tried again an hour later.
    package struct Delay: Sendable {
        package let type: String
        package let id: String
        package let what: String
        package let cause: DomainError
    }

    private static let delayMilliseconds: Int64 = 3_600_000

    /// Runs what is due, oldest first, at most a batch; whatever is left is due at once again.
    ///
    /// - Returns: what was put off, which must not hold up the rest.
    @discardableResult
    package static func run(in tx: Transaction) throws(DomainError) -> [Delay] {
        let rows = try storing { () throws(DatabaseError) in
            try tx.connection.all(
                "SELECT type, id, what FROM due WHERE at_ms <= ? ORDER BY at_ms LIMIT 100", [.integer(tx.now.milliseconds)]
            ) { ($0.text(0), $0.text(1), $0.text(2)) }
        }
        var delays: [Delay] = []
        for (type, id, what) in rows {
            let done = try tx.attempt(evenIfDamaged: true) { () throws(DomainError) in
                if let type = RecordType(rawValue: type) { try fall(type.record, id, what, in: tx) }
                try storing { () throws(DatabaseError) in
                    try tx.connection.run("DELETE FROM due WHERE \(own)", [.text(type), .text(id), .text(what), .integer(tx.now.milliseconds)])
                }
            }
            guard case .failure(let cause) = done else { continue }
            delays.append(Delay(type: type, id: id, what: what, cause: cause))
            try storing { () throws(DatabaseError) in
                try tx.connection.run(
                    "UPDATE due SET at_ms = ? WHERE \(own)",
                    [.integer(tx.now.milliseconds + delayMilliseconds), .text(type), .text(id), .text(what), .integer(tx.now.milliseconds)])
            }
        }
        return delays
    }

    private static let own = "type = ? AND id = ? AND what = ? AND at_ms <= ?"
}
