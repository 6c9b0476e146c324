import SQLite
import Text

extension Coop {
    /// Refuses to begin something new at a former member, or at a co-op that was merged into another (invariants 18 and 19).
    ///
    /// - Parameter pointer: the field that names the co-op.
    static func checkOpenToNewRecords(_ id: Identifier<Coop>, at pointer: String, in tx: Transaction) throws(DomainError) {
        let found = try storing { () throws(DatabaseError) in
            try tx.connection.first("SELECT membership, successor_id FROM coop WHERE id = ?", [id.value]) { ($0.text(0), $0.optionalText(1)) }
        }
        guard let (membership, successor) = found else {
            var faults = Faults()
            faults.addUnknownReference(pointer, .coop)
            throw .invalid(faults.all)
        }
        if let successor {
            throw .conflict(
                code: "coop.merged",
                Bilingual(en: "This co-op was merged into \(successor); use that one.", fr: "Cette coopérative a fusionné avec \(successor) ; utilisez celle-ci."),
                members: [("canonical_id", "\"\(successor)\"")])
        }
        if membership == Membership.formerMember.rawValue {
            throw .conflict(
                code: "coop.former-member",
                Bilingual(
                    en: "This co-op is a former member: nothing new can begin there.",
                    fr: "Cette coopérative est une ancienne adhérente : rien de nouveau ne peut y commencer."))
        }
    }

    /// Refuses, besides, a co-op that is not a member.
    ///
    /// - Returns: the co-op.
    @discardableResult
    static func checkMember(_ id: Identifier<Coop>, at pointer: String, in tx: Transaction) throws(DomainError) -> Coop {
        try checkOpenToNewRecords(id, at: pointer, in: tx)
        let coop = try store.require(id, in: tx.connection)
        guard coop.membership == .member else {
            throw .conflict(
                code: "coop.not-member",
                Bilingual(
                    en: "Only a member co-op can do this; \(coop.name) is none (membership: \(coop.membership.rawValue)).",
                    fr: "Réservé aux coopératives adhérentes ; \(coop.name) ne l'est pas (membership : \(coop.membership.rawValue))."),
                members: [("coop_id", "\"\(id)\"")])
        }
        return coop
    }

    /// Refuses to end the membership of a co-op that has live pairings (invariant 19).
    func checkHasNoLivePairings(in tx: Transaction) throws(DomainError) {
        let live = try Pairing.live(of: id, in: tx.connection)
        guard !live.isEmpty else { return }
        throw .conflict(
            code: "coop.live-pairings",
            Bilingual(
                en: "The co-op still has live pairings; close or decline them first.",
                fr: "La coopérative a encore des binômes en cours ; clôturez-les ou déclinez-les d'abord."),
            members: [("pairing_ids", live.jsonIDs)])
    }
}
