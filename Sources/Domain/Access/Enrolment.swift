import Crypto
import SQLite
import Text

/// The way of a new device to its token: a manager makes a one-time code and reads it out, the device sends it.
package enum Enrolment {
    /// `K7Q2-9F4M-X3TD`: the first group finds the row, the other two are the secret, 40 bits.
    package struct Code: Sendable {
        package let name: String
        fileprivate let secret: String

        /// Crockford's base 32: no letter that is taken for a digit.
        private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

        init() {
            let letters = Crypto.randomBytes(12).map { Self.alphabet[Int($0 & 31)] }
            (name, secret) = (String(letters[..<4]), String(letters[4...]))
        }

        /// Reads what a person typed: in any case, with or without hyphens and blanks, with O for 0 and I or L for 1.
        ///
        /// - Returns: nil for what was never a code.
        package init?(_ text: String) {
            guard text.utf8.count <= 64 else { return nil }
            let letters = text.uppercased().filter { $0 != "-" && $0 != " " }.map { $0 == "O" ? "0" : $0 == "I" || $0 == "L" ? "1" : $0 }
            guard letters.count == 12, letters.allSatisfy(Self.alphabet.contains) else { return nil }
            (name, secret) = (String(letters[..<4]), String(letters[4...]))
        }

        package var text: String { "\(name)-\(secret.prefix(4))-\(secret.suffix(4))" }
        fileprivate var hash: [UInt8] { Crypto.sha256(Array(secret.utf8)) }
    }

    /// What the device will be, as the manager says.
    package struct Draft: Sendable {
        package let coop: Identifier<Coop>?
        package let isHelper: Bool
        package let referent: Identifier<Referent>?
        package let label: String

        package init(coop: Identifier<Coop>?, isHelper: Bool, referent: Identifier<Referent>?, label: String) {
            (self.coop, self.isHelper, self.referent, self.label) = (coop, isHelper, referent, label)
        }

        func token(_ coop: Identifier<Coop>?, label: String? = nil) -> Token.Draft {
            Token.Draft(role: .referent, coop: coop, isHelper: isHelper, referent: referent, label: label ?? self.label)
        }
    }

    package enum Outcome: Sendable {
        case enrolled(Token, Token.Secret)
        /// There is no such code; whether its first group names a row, nobody is to learn.
        case unknown(isNamed: Bool)
        /// Used, too old, or tried too often.
        case spent
    }

    package static let lifetimeSeconds: Int64 = 15 * 60
    package static let tries = 5
}

/// The SQL on enrolment codes.
enum EnrolmentTable {
    struct Row {
        let secretHash: [UInt8]
        let draft: Enrolment.Draft
        let expires: Timestamp
        let tries: Int
        let isUsed: Bool
    }

    static func insert(_ code: Enrolment.Code, _ draft: Enrolment.Draft, _ coop: Identifier<Coop>, until expires: Timestamp, in connection: Connection) throws(DatabaseError) {
        try connection.run(
            "INSERT INTO enrolment (name, secret_hash, coop_id, helper, referent_id, label, expires_ms, tries, used_ms) VALUES (?, ?, ?, ?, ?, ?, ?, 0, NULL)",
            [
                .text(code.name), .blob(code.hash), coop.value, .integer(draft.isHelper ? 1 : 0), draft.referent?.value ?? .null, .text(draft.label),
                .integer(expires.milliseconds),
            ])
    }

    static func find(_ name: String, in connection: Connection) throws(DatabaseError) -> Row? {
        try connection.first(
            "SELECT secret_hash, coop_id, helper, referent_id, label, expires_ms, tries, used_ms FROM enrolment WHERE name = ?", [.text(name)]
        ) { row in
            Row(
                secretHash: row.blob(0),
                draft: Enrolment.Draft(
                    coop: Identifier(row.text(1)), isHelper: row.integer(2) != 0, referent: row.optionalText(3).flatMap { Identifier($0) }, label: row.text(4)),
                expires: Timestamp(milliseconds: row.integer(5)), tries: Int(truncatingIfNeeded: row.integer(6)), isUsed: !row.isNull(7))
        }
    }

    static func countTry(_ name: String, in connection: Connection) throws(DatabaseError) {
        try connection.run("UPDATE enrolment SET tries = tries + 1 WHERE name = ?", [.text(name)])
    }

    static func use(_ name: String, at now: Timestamp, in connection: Connection) throws(DatabaseError) {
        try connection.run("UPDATE enrolment SET used_ms = ? WHERE name = ?", [.integer(now.milliseconds), .text(name)])
    }

    static func forget(before time: Timestamp, in connection: Connection) throws(DatabaseError) {
        try connection.run("DELETE FROM enrolment WHERE expires_ms < ?", [.integer(time.milliseconds)])
    }
}

extension Federation {
    /// Makes a code, which is shown now and never again.
    ///
    /// - Throws: `.forbidden` for who manages no devices, or those of another co-op; `.invalid`.
    package func createEnrolment(_ draft: Enrolment.Draft, by caller: Caller) throws(DomainError) -> (code: Enrolment.Code, coop: Identifier<Coop>, expires: Timestamp) {
        try Self.checkManagesDevices(caller)
        let coop = draft.coop ?? caller.coop
        if caller.role == .coopManager, coop != caller.coop { throw .scopeNotYours }
        return try perform { (tx) throws(DomainError) in
            try draft.token(coop).validate(at: tx.now, in: tx.connection)
            guard let coop else { preconditionFailure("a device without co-op is not valid") }
            try Coop.checkOpenToNewRecords(coop, at: "#/coop_id", in: tx)
            let expires = tx.now.adding(seconds: Enrolment.lifetimeSeconds)
            return try storing { () throws(DatabaseError) in
                var code = Enrolment.Code()
                while try EnrolmentTable.find(code.name, in: tx.connection) != nil { code = Enrolment.Code() }
                try EnrolmentTable.insert(code, draft, coop, until: expires, in: tx.connection)
                return (code, coop, expires)
            }
        }
    }

    /// Takes a code for a token. A wrong secret counts against its row, on disk, so that a restart gives no new tries.
    ///
    /// - Parameter label: the device's name for itself, where the manager gave none.
    package func enrol(_ code: Enrolment.Code, label: String) throws(DomainError) -> Enrolment.Outcome {
        let nobody = [UInt8](repeating: 0, count: 32)
        let outcome = try perform { (tx) throws(DomainError) -> Enrolment.Outcome in
            let row = try storing { () throws(DatabaseError) in try EnrolmentTable.find(code.name, in: tx.connection) }
            let isRight = Crypto.constantTimeEqual(code.hash, row?.secretHash ?? nobody)
            guard let row else { return .unknown(isNamed: false) }
            guard row.tries < Enrolment.tries else { return .spent }
            guard isRight else {
                try storing { () throws(DatabaseError) in try EnrolmentTable.countTry(code.name, in: tx.connection) }
                return .unknown(isNamed: true)
            }
            guard !row.isUsed, row.expires > tx.now else { return .spent }
            let draft = row.draft.token(row.draft.coop, label: row.draft.label.isEmpty ? label : nil)
            try draft.validate(at: tx.now, in: tx.connection)
            return try storing { () throws(DatabaseError) in
                try EnrolmentTable.use(code.name, at: tx.now, in: tx.connection)
                let (token, secret) = try TokenTable.make(draft, in: tx)
                return .enrolled(token, secret)
            }
        }
        return outcome
    }
}
