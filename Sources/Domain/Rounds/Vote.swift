import Crypto
import JSON
import SQLite
import Text

/// A vote for a nomination. It is no record: nobody sees one, and none takes a seq, a place in the history or a line of a
/// document, so that nobody can tell from outside how many there are before they are counted.
package struct Vote: Sendable {
    package let round: Identifier<Round>
    private let nomination: Identifier<Nomination>
    /// What is kept of who votes: the same person has the same hash in this round, and another in the next.
    private let voterHash: [UInt8]

    package static let roles: Set<Role> = [.coopManager, .referent]

    /// - Throws: `.forbidden` (`scope.missing`).
    package static func authorize(_ caller: Caller) throws(DomainError) {
        guard caller.role.map(roles.contains) ?? false else { throw .scopeMissing }
    }

    /// - Parameter json: `{"nomination_id": …, "voter": …}`; `voter` is a text that the co-op chooses: a name, the number of a flat.
    /// - Throws: `.invalid` with every field at fault, none of which quotes the voter.
    init(_ json: JSON, in round: Identifier<Round>, key: [UInt8]) throws(DomainError) {
        var faults = Faults()
        guard case .object(let members) = json else {
            throw .invalid([Fault("#", "field.type", en: "must be an object", fr: "doit être un objet")])
        }
        for member in members where member.name != "nomination_id" && member.name != "voter" {
            faults.add("#/" + member.name.pointerEscaped, "field.unknown", en: "is not a field of a vote", fr: "n'est pas un champ d'un vote")
        }
        for name in ["nomination_id", "voter"] where json[name] == nil { faults.add("#/\(name)", "field.required", en: "is required", fr: "est obligatoire") }
        let nomination = json["nomination_id"].flatMap { Codec<Identifier<Nomination>>.reference().parse($0, "#/nomination_id", &faults) }
        // One person spells a name in many ways: case, accents and blanks make no second voter.
        let voter = json["voter"].flatMap { Codec<String>.line(1...200).parse($0, "#/voter", &faults) }?
            .folded.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        try faults.throwIfAny()
        guard let nomination, let voter else { preconditionFailure("a missing field is a fault") }
        self.round = round
        self.nomination = nomination
        voterHash = Crypto.hmacSHA256(key: key, Array((round.text + voter).utf8))
    }

    /// Puts it into the ballot box.
    ///
    /// - Throws: `.notFound` where the caller does not see the round, `.invalid` for a nomination of another one, `.conflict`
    ///   (`round.not-voting`, `vote.given`).
    package func cast(by caller: Caller, in tx: Transaction) throws(DomainError) {
        try Self.authorize(caller)
        let round = try Round.store.require(round, in: tx.connection)
        guard try Round.store.document(of: round, for: caller, in: tx) != nil else { throw .notFound(type: RecordType.round.rawValue) }
        try Coop.checkOpenToNewRecords(round.coopID, at: "#", in: tx)
        guard round.status == .voting else {
            throw .conflict(
                code: "round.not-voting",
                Bilingual(
                    en: "People vote while the round is voting; it is \(round.status.rawValue).",
                    fr: "On vote quand le tour est à l'état voting ; son état est \(round.status.rawValue)."),
                members: [("status_now", "\"\(round.status.rawValue)\"")])
        }
        guard try Nomination.store.find(nomination, in: tx.connection)?.roundID == round.id else {
            var faults = Faults()
            faults.addUnknownReference("#/nomination_id", .nomination)
            throw .invalid(faults.all)
        }
        let isFirst = try storing { () throws(DatabaseError) in
            try tx.connection.run("INSERT INTO vote (round_id, voter_hash) VALUES (?, ?) ON CONFLICT DO NOTHING", [round.id.value, .blob(voterHash)])
            guard tx.connection.changes == 1 else { return false }
            try tx.connection.run(
                "INSERT INTO tally (nomination_id, votes) VALUES (?, 1) ON CONFLICT (nomination_id) DO UPDATE SET votes = votes + 1", [nomination.value])
            return true
        }
        guard isFirst else {
            throw .conflict(code: "vote.given", Bilingual(en: "This voter has voted in this round already.", fr: "Cette personne a déjà voté dans ce tour."))
        }
    }
}

extension Federation {
    /// What a client sent as a vote, with nothing left of who votes but a hash.
    package func vote(_ json: JSON, in round: Identifier<Round>) throws(DomainError) -> Vote { try Vote(json, in: round, key: voterKey) }
}
