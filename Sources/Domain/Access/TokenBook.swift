import Crypto
import SQLite
import Synchronization

/// Every token in memory, so that a request is let in without SQLite; the table is changed first, then this.
package final class TokenBook: Sendable {
    package enum Verdict: Sendable {
        case caller(Caller)
        /// Unknown, wrong, expired or revoked: all the same to the client, except that the right secret of a revoked device
        /// tells it to wipe its store.
        case refused(wipe: Bool)
    }

    private let tokens = Mutex<[Identifier<Token>: Token]>([:])
    /// Compared with when the id is unknown, so that the work is the same.
    private static let nobody = [UInt8](repeating: 0, count: 32)

    package init() {}

    package func judge(_ secret: Token.Secret, at now: Timestamp) -> Verdict {
        let token = tokens.withLock { $0[secret.id] }
        guard Crypto.constantTimeEqual(secret.hash, token?.secretHash ?? Self.nobody), let token else { return .refused(wipe: false) }
        if token.revoked != nil { return .refused(wipe: true) }
        if let expires = token.expires, expires <= now { return .refused(wipe: false) }
        return .caller(token.caller)
    }

    /// Whether a token that was good is so still, for a request that has waited.
    package func isGood(_ id: Identifier<Token>, at now: Timestamp) -> Bool {
        tokens.withLock { tokens in
            guard let token = tokens[id], token.revoked == nil else { return false }
            return token.expires.map { $0 > now } ?? true
        }
    }

    /// Whether whoever holds the right secret of this token is to wipe its store.
    package func isRevoked(_ id: Identifier<Token>) -> Bool { tokens.withLock { $0[id]?.revoked != nil } }
    /// In the order of creation.
    func all() -> [Token] { tokens.withLock { Array($0.values) }.sorted { ($0.created, $0.id.text) < ($1.created, $1.id.text) } }

    func keep(_ token: Token) { tokens.withLock { $0[token.id] = token } }

    func load(from connection: Connection) throws(DatabaseError) {
        let stored = try TokenTable.all(in: connection)
        tokens.withLock { tokens in
            for token in stored { tokens[token.id] = token }
        }
    }
}

/// The SQL on tokens.
enum TokenTable {
    private static let columns = "id, secret_hash, role, coop_id, helper, referent_id, label, created_ms, expires_ms, revoked_ms"

    /// Stores a new token.
    static func make(_ draft: Token.Draft, in tx: Transaction) throws(DatabaseError) -> (Token, Token.Secret) {
        let secret = Token.Secret(for: tx.newID())
        let token = Token(
            id: secret.id, secretHash: secret.hash, role: draft.role, coop: draft.coop, isHelper: draft.isHelper, referent: draft.referent,
            label: draft.label, created: tx.now, expires: draft.expires, revoked: nil)
        try insert(token, in: tx.connection)
        tx.afterCommit { [tokens = tx.tokens] in tokens.keep(token) }
        return (token, secret)
    }

    static func insert(_ token: Token, in connection: Connection) throws(DatabaseError) {
        try connection.run(
            "INSERT INTO token (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            [
                token.id.value, .blob(token.secretHash), .text(token.role.rawValue), token.coop?.value ?? .null, .integer(token.isHelper ? 1 : 0),
                token.referent?.value ?? .null, .text(token.label), .integer(token.created.milliseconds),
                token.expires.map { .integer($0.milliseconds) } ?? .null,
            ])
    }

    static func revoke(_ id: Identifier<Token>, at now: Timestamp, in connection: Connection) throws(DatabaseError) {
        try connection.run("UPDATE token SET revoked_ms = ? WHERE id = ?", [.integer(now.milliseconds), id.value])
    }

    /// Brings the co-op's devices in line with the mandates that they stand for, and returns those that moved.
    static func followReferents(from coop: Identifier<Coop>, in connection: Connection) throws(DatabaseError) -> [Token] {
        let moved = try connection.all(
            "SELECT token.id, referent.coop_id FROM token JOIN referent ON referent.id = referent_id WHERE token.coop_id = ? AND referent.coop_id <> token.coop_id",
            [coop.value]
        ) { ($0.text(0), $0.text(1)) }
        var tokens: [Token] = []
        for (id, coop) in moved {
            try connection.run("UPDATE token SET coop_id = ? WHERE id = ?", [.text(coop), .text(id)])
            if let id = Identifier<Token>(id), let token = try find(id, in: connection) { tokens.append(token) }
        }
        return tokens
    }

    /// Makes a restored database's tokens those of the database that it takes the place of.
    ///
    /// - Returns: how many can't be, because their co-op is not there.
    static func bringBack(_ tokens: [Token], in tx: Transaction) throws(DomainError) -> Int {
        var lost = 0
        for token in tokens {
            let known = try storing { () throws(DatabaseError) in try find(token.id, in: tx.connection) }
            if known == nil {
                if let coop = token.coop, try Coop.store.find(coop, in: tx.connection) == nil {
                    lost += 1
                    continue
                }
                let mandate = try token.referent.flatMap { (id) throws(DomainError) in try Referent.store.find(id, in: tx.connection) }
                try storing { () throws(DatabaseError) in try insert(token.standing(for: mandate?.id), in: tx.connection) }
            }
            if let revoked = token.revoked, known?.revoked == nil {
                try storing { () throws(DatabaseError) in try revoke(token.id, at: revoked, in: tx.connection) }
            }
        }
        return lost
    }

    static func find(_ id: Identifier<Token>, in connection: Connection) throws(DatabaseError) -> Token? {
        try connection.first("SELECT \(columns) FROM token WHERE id = ?", [id.value], token) ?? nil
    }

    /// In the order of creation.
    static func all(in connection: Connection) throws(DatabaseError) -> [Token] {
        try connection.all("SELECT \(columns) FROM token ORDER BY created_ms, id", [], token).compactMap { $0 }
    }

    private static func token(_ statement: Statement) -> Token? {
        guard let id = Identifier<Token>(statement.text(0)), let role = Role(rawValue: statement.text(2)) else { return nil }
        return Token(
            id: id, secretHash: statement.blob(1), role: role, coop: statement.optionalText(3).flatMap { Identifier($0) },
            isHelper: statement.integer(4) != 0, referent: statement.optionalText(5).flatMap { Identifier($0) }, label: statement.text(6),
            created: Timestamp(milliseconds: statement.integer(7)), expires: statement.optionalInteger(8).map { Timestamp(milliseconds: $0) },
            revoked: statement.optionalInteger(9).map { Timestamp(milliseconds: $0) })
    }
}
