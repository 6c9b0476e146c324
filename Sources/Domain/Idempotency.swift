import Crypto
import SQLite
import Text

/// Answers kept for a day under a client's Idempotency-Key, in the transaction of the effect that they report.
package enum Idempotency {
    package struct Key: Sendable {
        /// SHA-256 of who asks, the method, the path and the key.
        package let scope: [UInt8]
        /// Under a key of the server's own: a body is often short enough to be guessed from a plain hash, voter and all.
        package let bodyHash: [UInt8]

        /// - Parameter secret: the server's key.
        package init(token: Identifier<Token>?, method: String, path: String, key: String, body: [UInt8], secret: [UInt8]) {
            bodyHash = Crypto.hmacSHA256(key: secret, body)
            let parts = [token?.text ?? "public", method, path, key]
            // Without a token anybody might guess a key, so that the body is part of who asks.
            scope = Crypto.sha256(Array(parts.joined(separator: "\n").utf8) + (token == nil ? bodyHash : []))
        }
    }

    package struct Answer: Sendable {
        package let status: Int
        package let location: String?
        package let etag: String?
        package let body: [UInt8]

        package init(status: Int, location: String?, etag: String?, body: [UInt8]) {
            self.status = status
            self.location = location
            self.etag = etag
            self.body = body
        }
    }

    /// The answer to the same request before; nil when this is the first.
    ///
    /// - Throws: `.invalid` (`idempotency.reused`) where the key came with another body.
    package static func find(_ key: Key, in tx: Transaction) throws(DomainError) -> Answer? {
        let found = try storing { () throws(DatabaseError) in
            try tx.connection.first("SELECT body_hash, status, location, etag, body FROM idempotency WHERE scope = ?", [.blob(key.scope)]) {
                ($0.blob(0), Answer(status: Int(truncatingIfNeeded: $0.integer(1)), location: $0.optionalText(2), etag: $0.optionalText(3), body: $0.blob(4)))
            }
        }
        guard let (bodyHash, answer) = found else { return nil }
        guard answer.status != erasedStatus else {
            throw .gone(
                code: "record.erased",
                Bilingual(en: "This was done before, and the record was erased since.", fr: "C'était déjà fait, et l'enregistrement a été effacé depuis."))
        }
        guard bodyHash == key.bodyHash else {
            throw .invalid([
                Fault(
                    "#", "idempotency.reused", en: "this Idempotency-Key came with another body before; make a new key for a new request",
                    fr: "cette Idempotency-Key a déjà servi avec un autre contenu ; créez une nouvelle clé pour une nouvelle demande")
            ])
        }
        return answer
    }

    package static func keep(_ answer: Answer, under key: Key, type: RecordType?, id: String?, in tx: Transaction) throws(DomainError) {
        try storing { () throws(DatabaseError) in
            try tx.connection.run(
                "INSERT INTO idempotency (scope, body_hash, status, location, etag, body, type, id, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    .blob(key.scope), .blob(key.bodyHash), .integer(Int64(answer.status)), answer.location.map { .text($0) } ?? .null,
                    answer.etag.map { .text($0) } ?? .null, .text(String(decoding: answer.body, as: UTF8.self)), type.map { .text($0.rawValue) } ?? .null,
                    id.map { .text($0) } ?? .null, .integer(tx.now.milliseconds),
                ])
        }
    }

    /// The answers that show a record.
    static func forget(_ type: RecordType, _ id: String, in connection: Connection) throws(DatabaseError) {
        try connection.run("DELETE FROM idempotency WHERE type = ? AND id = ?", [.text(type.rawValue), .text(id)])
    }

    private static let erasedStatus = 410

    /// Blanks the answers that show a record. They stay, because a request that comes once more must not make it anew; push
    /// results go, since each names its record by an id that is taken.
    static func erase(_ type: RecordType, _ id: String, in connection: Connection) throws(DatabaseError) {
        let record: [Value] = [.text(type.rawValue), .text(id)]
        try connection.run("UPDATE idempotency SET status = \(erasedStatus), location = NULL, etag = NULL, body = '' WHERE type = ? AND id = ?", record)
        try connection.run("DELETE FROM push_result WHERE type = ? AND id = ?", record)
    }

    static func forget(before time: Timestamp, in connection: Connection) throws(DatabaseError) {
        try connection.run("DELETE FROM idempotency WHERE created_ms < ?", [.integer(time.milliseconds)])
    }
}
