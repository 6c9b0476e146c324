import Crypto
import JSON
import Text

/// What somebody who signed up without a token may do with the secret link that the answer gave: see, change the number of
/// people, take an offer, cancel.
extension Registration {
    /// The secret at the end of the link: the id, and a MAC of it under the server's key, so that nothing secret has to be stored.
    package struct Link: Sendable {
        package let id: Identifier<Registration>
        package let secret: String

        private static let macLength = 16

        package init(_ id: Identifier<Registration>, key: [UInt8]) {
            self.id = id
            secret = Base64URL.encode(Array(id.text.utf8.filter { $0 != UInt8(ascii: "-") }) + Self.mac(id, key))
        }

        /// - Returns: nil for what is no link of this server.
        package init?(_ secret: Substring, key: [UInt8]) {
            guard secret.utf8.count <= 100, let bytes = Base64URL.decode(String(secret)), bytes.count == 32 + Self.macLength else { return nil }
            let digits = Array(bytes[..<32])
            let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(decoding: digits[$0], as: UTF8.self) }
            guard let id = Identifier<Registration>(parts.joined(separator: "-")), Crypto.constantTimeEqual(Array(bytes[32...]), Self.mac(id, key)) else {
                return nil
            }
            self.id = id
            self.secret = String(secret)
        }

        private static func mac(_ id: Identifier<Registration>, _ key: [UInt8]) -> [UInt8] {
            Array(Crypto.hmacSHA256(key: key, Array("registration:\(id)".utf8)).prefix(macLength))
        }
    }

    /// What the person sees of it.
    package var ownDocument: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("id", id.text)
        json.key("rev")
        json.integer(meta.rev)
        for field in Self.fields where Self.shownToThemselves.contains(field.name) {
            json.key(field.name)
            field.write(self, &json)
        }
        json.endObject()
        return json.bytes
    }

    private static let shownToThemselves: Set = [
        "session_id", "coop_id", "entry_no", "party_size", "contact_name", "email", "phone", "postal", "profile", "needs", "status", "rank",
        "not_promoted_reason", "offer_expires_at", "notice_version", "consent_at",
    ]
}

extension Store where R == Registration {
    /// - Throws: `.notFound` where the person was forgotten.
    package func require(_ link: Registration.Link, in tx: Transaction) throws(DomainError) -> Registration {
        let registration = try require(link.id, in: tx.connection)
        guard registration.anonymisedOn == nil else { throw .notFound(type: R.type.rawValue) }
        return registration
    }

    /// - Throws: `.stale`, `.conflict` (`registration.ended`, `session.full`), `.invalid`.
    package func resize(_ link: Registration.Link, to size: Int, expecting expected: Expectation, in tx: Transaction) throws(DomainError) -> Registration {
        try change(link, .change, expecting: expected, in: tx) { (registration, session) throws(DomainError) in
            guard registration.status == .waitlisted || registration.status == .offered || registration.status == .confirmed, session.startsAt > tx.now else {
                throw .conflict(
                    code: "registration.ended",
                    Bilingual(en: "This registration can't be changed any more.", fr: "Cette inscription ne peut plus être modifiée."),
                    members: [("status_now", "\"\(registration.status.rawValue)\"")])
            }
            let old = registration
            registration.partySize = size
            try registration.checkFields(in: session)
            guard let queue = try Queue.take(session.id, writing: registration.id, in: tx) else { throw .notFound(type: RecordType.session.rawValue) }
            try registration.resize(from: old, queue, at: tx.now)
            registration.decide(queue, known: Contact(of: registration), at: tx.now)
        }
    }

    /// - Throws: `.stale`, `.conflict` (`state.forbidden`, `offer.expired`), `.forbidden` for steps that are not the person's.
    package func transition(
        _ link: Registration.Link, _ step: Transition<Registration.Status>, expecting expected: Expectation, in tx: Transaction
    ) throws(DomainError) -> Registration {
        try change(link, .transition, expecting: expected, in: tx) { (registration, _) throws(DomainError) in
            guard step.to == .cancelled || step.to == .confirmed else { throw .scopeMissing }
            try registration.step(to: step.to, in: tx)
        }
    }

    private func change(
        _ link: Registration.Link, _ action: Action, expecting expected: Expectation, in tx: Transaction,
        _ body: (inout Registration, Session) throws(DomainError) -> Void
    ) throws(DomainError) -> Registration {
        let old = try require(link, in: tx)
        try expected.check(old.meta, seenAs: .public)
        let session = try Session.store.require(old.sessionID, in: tx.connection)
        let changed = try amend(old, action, by: .anonymous, in: tx) { (registration) throws(DomainError) in try body(&registration, session) }
        try Session.settleQueue(session.id, by: .anonymous, in: tx)
        return try require(changed.id, in: tx.connection)
    }
}

extension Federation {
    package func link(to id: Identifier<Registration>) -> Registration.Link { Registration.Link(id, key: linkKey) }
    package func link(_ secret: Substring) -> Registration.Link? { Registration.Link(secret, key: linkKey) }

    /// - Throws: `.notFound` where the person was forgotten.
    package func registration(_ link: Registration.Link) throws(DomainError) -> Registration {
        try read { (connection) throws(DomainError) in
            let registration = try Registration.store.require(link.id, in: connection)
            guard registration.anonymisedOn == nil else { throw .notFound(type: RecordType.registration.rawValue) }
            return registration
        }
    }
}
