import SQLite
import Text

/// That a record's person was erased: at once from every table and document, then from the file's free space and its log, and
/// from each device when it pulls.
package struct Erasure: Sendable {
    /// The record's.
    package let id: Identifier<Void>
    package let type: RecordType
    package let seq: Int64
    package let at: Timestamp
    /// Nil while old bytes may still lie in the file or its log.
    package var purged: Timestamp?

    var line: ErasureLedger.Line { ErasureLedger.Line(type: type, id: id) }

    /// Blanks the record, its documents and the answers that are kept for repeated requests. Erasing twice changes nothing.
    package static func perform<R: Erasable>(_ id: Identifier<R>, by caller: Caller, in tx: Transaction) throws(DomainError) -> Erasure {
        let record = try R.store.require(id, in: tx.connection)
        if record.isErased, let known = try storing({ () throws(DatabaseError) in try ErasureTable.find(id.text, in: tx.connection) }) { return known }
        if !record.isErased { try R.store.amend(record, .change, by: caller, in: tx) { (record) throws(DomainError) in record.erase(at: tx.now) } }
        let erasure = Erasure(id: Identifier(id), type: R.type, seq: tx.lastSeq, at: tx.now, purged: nil)
        try record.erased(by: caller, in: tx)
        try storing { () throws(DatabaseError) in
            try Idempotency.erase(R.type, id.text, in: tx.connection)
            try ErasureTable.insert(erasure, in: tx.connection)
        }
        tx.feed.noteErasure(erasure.line)
        return erasure
    }
}

extension DomainError {
    /// What would bring an erased person's record again.
    static let recordErased = DomainError.conflict(
        code: "record.erased",
        Bilingual(en: "The person was erased; the record is not made again.", fr: "La personne a été effacée ; l'enregistrement n'est pas recréé."))
}

/// The SQL on erasures.
enum ErasureTable {
    private static let columns = "id, type, seq, erased_ms, purged_ms"

    static func insert(_ erasure: Erasure, in connection: Connection) throws(DatabaseError) {
        try connection.run(
            "INSERT INTO erasure (\(columns)) VALUES (?, ?, ?, ?, NULL)",
            [erasure.id.value, .text(erasure.type.rawValue), .integer(erasure.seq), .integer(erasure.at.milliseconds)])
    }

    static func find(_ id: String, in connection: Connection) throws(DatabaseError) -> Erasure? {
        try connection.first("SELECT \(columns) FROM erasure WHERE id = ?", [.text(id)], erasure) ?? nil
    }

    static func all(in connection: Connection) throws(DatabaseError) -> [Erasure] {
        try connection.all("SELECT \(columns) FROM erasure ORDER BY seq", [], erasure).compactMap { $0 }
    }

    /// The newest seq of those whose bytes may still be there.
    static func newestUnpurged(in connection: Connection) throws(DatabaseError) -> Int64? {
        try connection.first("SELECT max(seq) FROM erasure WHERE purged_ms IS NULL") { $0.optionalInteger(0) } ?? nil
    }

    static func purged(upTo seq: Int64, at now: Timestamp, in connection: Connection) throws(DatabaseError) {
        try connection.run("UPDATE erasure SET purged_ms = ? WHERE purged_ms IS NULL AND seq <= ?", [.integer(now.milliseconds), .integer(seq)])
    }

    private static func erasure(_ row: Statement) -> Erasure? {
        guard let id = Identifier<Void>(row.text(0)), let type = RecordType(rawValue: row.text(1)) else { return nil }
        return Erasure(
            id: id, type: type, seq: row.integer(2), at: Timestamp(milliseconds: row.integer(3)),
            purged: row.optionalInteger(4).map { Timestamp(milliseconds: $0) })
    }
}
