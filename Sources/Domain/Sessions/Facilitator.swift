/// Who leads a group session: an employee, or another co-operator who volunteers.
package struct Facilitator: Record {
    package enum Kind: String, Sendable, CaseIterable {
        case employee
        case volunteerCooperator = "volunteer_cooperator"
    }

    package static let type = RecordType.facilitator
    package static let store = Store<Facilitator>()

    package var meta = Meta()
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    package var displayName = ""
    package var kind = Kind.employee
    package var contact: String?
    /// The day of the last session that they lead or have led.
    var lastSessionOn: Day?
    package var anonymisedOn: Day?

    package init() {}

    package static let fields: [Field<Facilitator>] = [
        Field("coop_id", \.coopID, .reference(), .creation),
        Field("display_name", \.displayName, .line(1...200), required: true),
        Field("kind", \.kind, .choice, required: true),
        Field("contact", \.contact, .optional(.line(1...200))),
        Field("last_session_on", \.lastSessionOn, .optional(.day), .hidden),
        Field("anonymised_on", \.anonymisedOn, .optional(.day), .server),
    ]

    /// How to reach them is for the manager alone.
    private static let contact = Redaction(["contact"], of: Self.self)
    package var readers: [Reader] { [Reader(.coop(coopID), hiding: Self.contact), Reader(.office(coopID))] }
    package var owners: [Identifier<Coop>] { [coopID] }
    package static func roles(for action: Action) -> Set<Role> { action == .merge || action == .transition ? [] : [.coopManager] }

    package mutating func prepare(_ change: Change<Facilitator>, in tx: Transaction) throws(DomainError) {
        guard change.action == .create else { return }
        try coopID.fill(from: change)
        try Coop.checkOpenToNewRecords(coopID, at: "#/coop_id", in: tx)
    }

    package func stored(_ change: Change<Facilitator>, in tx: Transaction) throws(DomainError) { try scheduleForgetting(change, in: tx) }

    package static func fallDue(_ id: Identifier<Facilitator>, _ what: String, in tx: Transaction) throws(DomainError) { _ = try forgetIfDue(id, in: tx) }

    /// Notes that they lead a session on this day.
    static func noteSession(_ id: Identifier<Facilitator>, on day: Day, in tx: Transaction) throws(DomainError) {
        let old = try store.require(id, in: tx.connection)
        guard old.lastSessionOn.map({ $0 < day }) ?? true else { return }
        try store.amend(old, .change, by: .clock, in: tx) { $0.lastSessionOn = day }
    }
}

extension Facilitator: Forgetful {
    /// Volunteers only: who is employed is known at work anyway.
    func forgetsOn(_ terms: Retention.Terms) -> Day? {
        guard kind == .volunteerCooperator, anonymisedOn == nil else { return nil }
        return (lastSessionOn ?? meta.created.day).adding(months: terms[.facilitatorMonths])
    }

    static let mayForget = "kind = 'volunteer_cooperator' AND anonymised_on IS NULL"

    mutating func forget(on day: Day) {
        (displayName, contact, anonymisedOn) = ("ancien animateur", nil, day)
    }
}
