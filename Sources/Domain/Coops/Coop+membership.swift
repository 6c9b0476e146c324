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
        if let successor { throw merged(into: successor) }
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

    private static func merged(into successor: String) -> DomainError {
        .conflict(
            code: "coop.merged",
            Bilingual(en: "This co-op was merged into \(successor); use that one.", fr: "Cette coopérative a fusionné avec \(successor) ; utilisez celle-ci."),
            members: [("canonical_id", "\"\(successor)\"")])
    }

    /// Refuses every write of the people of a co-op that was merged into another: they read what stays, and go on with a token of
    /// the successor.
    static func checkStillWrites(_ caller: Caller, in tx: Transaction) throws(DomainError) {
        guard let coop = caller.coop else { return }
        let successor = try storing { () throws(DatabaseError) in
            try tx.connection.first("SELECT successor_id FROM coop WHERE id = ?", [coop.value]) { $0.optionalText(0) } ?? nil
        }
        if let successor { throw merged(into: successor) }
    }

    /// Refuses to end a membership, or to merge the co-op, while something goes on there that has to be brought to an end first.
    func checkNothingLive(in tx: Transaction) throws(DomainError) {
        var live: [(table: String, ids: Set<String>)] = []
        for bond in Coop.bonds {
            guard case .blocks(let condition) = bond.fate else { continue }
            let ids = try storing { () throws(DatabaseError) in
                try tx.connection.all("SELECT id FROM \(bond.table) WHERE \(bond.column) = ? AND (\(condition))", [id.value]) { $0.text(0) }
            }
            if ids.isEmpty { continue }
            if let index = live.firstIndex(where: { $0.table == bond.table }) {
                live[index].ids.formUnion(ids)
            } else {
                live.append((bond.table, Set(ids)))
            }
        }
        guard !live.isEmpty else { return }
        let names = live.map { "\($0.table)_ids" }.joined(separator: ", ")
        throw .conflict(
            code: "coop.live-records",
            Bilingual(
                en: "Something still goes on at this co-op: end what \(names) names first.",
                fr: "Quelque chose est encore en cours dans cette coopérative : terminez d'abord ce que désigne \(names)."),
            members: live.map { ("\($0.table)_ids", "[" + $0.ids.sorted().map { "\"\($0)\"" }.joined(separator: ",") + "]") })
    }
}
