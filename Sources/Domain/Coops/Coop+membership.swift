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
}
