/// A column that names a co-op, and what becomes of its rows when that co-op is merged into another or is a member no longer.
package struct CoopBond: Sendable {
    enum Fate: Sendable {
        /// What goes on has to be brought to an end first: the rows for which this condition holds.
        case blocks(while: String)
        /// Is brought to an end, in either case.
        case ends(@Sendable (Identifier<Coop>, Caller, Transaction) throws(DomainError) -> Void)
        /// What lives goes over to the successor.
        case moves(@Sendable (CoopMerger) throws(DomainError) -> Void)
        /// Tells of the past, and keeps the name of the co-op that it happened at.
        case stays
    }

    package let table: String
    package let column: String
    let fate: Fate

    init(_ table: String, _ column: String, _ fate: Fate) {
        (self.table, self.column, self.fate) = (table, column, fate)
    }
}

extension Coop {
    /// Every foreign key to `coop`, moved in this order.
    package static let bonds: [CoopBond] = [
        CoopBond("session", "coop_id", .blocks(while: "status IN ('draft', 'open', 'closed')")),
        CoopBond("pairing", "sponsor_coop_id", .blocks(while: "status NOT IN ('closed', 'declined')")),
        CoopBond("pairing", "sponsored_coop_id", .blocks(while: "status NOT IN ('closed', 'declined')")),
        CoopBond("appointment", "coop_id", .ends { (coop, caller, tx) throws(DomainError) in try AppointmentFile.abandonOpen(of: coop, by: caller, in: tx) }),
        CoopBond("coop", "successor_id", .moves { (merger) throws(DomainError) in try merger.moveFormerMergers() }),
        CoopBond("site", "coop_id", .moves { (merger) throws(DomainError) in try merger.moveSites() }),
        CoopBond("referent", "coop_id", .moves { (merger) throws(DomainError) in try merger.moveMandates() }),
        CoopBond("token", "coop_id", .moves { (merger) throws(DomainError) in try merger.moveDevices() }),
        CoopBond("facilitator", "coop_id", .moves { (merger) throws(DomainError) in try merger.moveFacilitators() }),
        CoopBond("idea", "author_coop_id", .moves { (merger) throws(DomainError) in try merger.moveIdeas() }),
        CoopBond("endorsement", "coop_id", .moves { (merger) throws(DomainError) in try merger.moveEndorsements() }),
        CoopBond("adoption", "coop_id", .moves { (merger) throws(DomainError) in try merger.moveAdoptions() }),
        CoopBond("coop_activity", "coop_id", .stays),
        CoopBond("vacancy", "coop_id", .stays),
        CoopBond("registration", "coop_id", .stays),
        CoopBond("answer", "coop_id", .stays),
        CoopBond("meeting", "sponsor_coop_id", .stays),
        CoopBond("meeting", "sponsored_coop_id", .stays),
        CoopBond("round", "coop_id", .stays),
        CoopBond("nomination", "coop_id", .stays),
        CoopBond("webhook", "coop_id", .stays),
        CoopBond("enrolment", "coop_id", .stays),
    ]
}
