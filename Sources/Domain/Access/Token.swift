import Crypto
import SQLite
import Text

/// A bearer token, as the server keeps it: without the secret. One token is one device, one dashboard or one person.
package struct Token: Sendable {
    package let id: Identifier<Token>
    package let secretHash: [UInt8]
    package let role: Role
    package let coop: Identifier<Coop>?
    package let isHelper: Bool
    package let referent: Identifier<Referent>?
    package let label: String
    package let created: Timestamp
    package let expires: Timestamp?
    package var revoked: Timestamp?

    /// The same for another mandate, or for none.
    func standing(for referent: Identifier<Referent>?) -> Token {
        Token(
            id: id, secretHash: secretHash, role: role, coop: coop, isHelper: isHelper, referent: referent, label: label, created: created, expires: expires,
            revoked: revoked)
    }

    package var caller: Caller { Caller(token: id, role: role, coop: coop, isHelper: isHelper, referent: referent) }

    /// What a new token is made from.
    package struct Draft: Sendable {
        package let role: Role
        package let coop: Identifier<Coop>?
        package let isHelper: Bool
        package let referent: Identifier<Referent>?
        package let label: String
        package let expires: Timestamp?

        package init(role: Role, coop: Identifier<Coop>? = nil, isHelper: Bool = false, referent: Identifier<Referent>? = nil, label: String = "", expires: Timestamp? = nil) {
            self.role = role
            self.coop = coop
            self.isHelper = isHelper
            self.referent = referent
            self.label = label
            self.expires = expires
        }

        /// - Throws: `.invalid` with every fault.
        func validate(at now: Timestamp, in connection: Connection) throws(DomainError) {
            var faults = Faults()
            if role.belongsToCoop, coop == nil {
                faults.add("#/coop_id", "field.required", en: "is required for this role", fr: "est obligatoire pour ce rôle")
            }
            if !role.belongsToCoop, coop != nil {
                faults.add("#/coop_id", "token.coop", en: "does not go with a role of the federation", fr: "ne va pas avec un rôle de la fédération")
            }
            if isHelper, role != .referent { faults.add("#/helper", "token.helper", en: "goes with the role referent only", fr: "va seulement avec le rôle referent") }
            if let expires, expires <= now { faults.add("#/expires_at", "date.past", en: "must lie in the future", fr: "doit être dans le futur") }
            if let coop {
                let found = try Coop.store.find(coop, in: connection)
                if found == nil { faults.addUnknownReference("#/coop_id", .coop) }
                if let successor = found?.successorID {
                    faults.add("#/coop_id", "coop.merged", en: "was merged into \(successor); name that one", fr: "a fusionné avec \(successor) ; désignez celle-ci")
                }
            }
            if let referent {
                let found = try Referent.store.find(referent, in: connection)
                if role != .referent || found == nil || found?.coopID != coop { faults.addUnknownReference("#/referent_id", .referent) }
            }
            try faults.throwIfAny()
        }
    }
}

extension Token {
    /// The secret as it is shown once: `vc_<id>_<48 hex digits>`.
    package struct Secret: Sendable {
        package let id: Identifier<Token>
        private let secret: [UInt8]

        init(for id: Identifier<Token>) {
            self.id = id
            secret = Array(Crypto.randomBytes(24).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().utf8)
        }

        /// - Returns: nil for what was never a token.
        package init?(_ text: some StringProtocol) {
            // vc_ and 36, then _ and 48: no search for the parts, since every request comes by here.
            let bytes = Array(text.utf8)
            guard bytes.count == 88, bytes.starts(with: "vc_".utf8), bytes[39] == UInt8(ascii: "_"),
                let id = Identifier<Token>(utf8: bytes[3..<39])
            else { return nil }
            self.id = id
            secret = Array(bytes[40...])
        }

        package var text: String { "vc_\(id)_\(String(decoding: secret, as: UTF8.self))" }
        package var hash: [UInt8] { Crypto.sha256(secret) }
    }
}
