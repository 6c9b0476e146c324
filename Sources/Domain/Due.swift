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

    /// Runs what is due, oldest first, at most a batch; whatever is left is due at once again.
    package static func run(in tx: Transaction) throws(DomainError) {
        let rows = try storing { () throws(DatabaseError) in
            try tx.connection.all(
                "SELECT type, id, what FROM due WHERE at_ms <= ? ORDER BY at_ms LIMIT 100", [.integer(tx.now.milliseconds)]
            ) { ($0.text(0), $0.text(1), $0.text(2)) }
        }
        for (type, id, what) in rows {
            if let type = RecordType(rawValue: type) { try fall(type.record, id, what, in: tx) }
            try storing { () throws(DatabaseError) in
                try tx.connection.run("DELETE FROM due WHERE type = ? AND id = ? AND what = ? AND at_ms <= ?", [.text(type), .text(id), .text(what), .integer(tx.now.milliseconds)])
            }
        }
    }
}
