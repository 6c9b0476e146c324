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

    package init() {}

    package static let fields: [Field<Facilitator>] = [
        Field("coop_id", \.coopID, .reference(), .creation),
        Field("display_name", \.displayName, .line(1...200), required: true),
        Field("kind", \.kind, .choice, required: true),
        Field("contact", \.contact, .optional(.line(1...200))),
    ]

    /// How to reach them is for the manager alone.
    package var readers: [Reader] { [Reader(.coop(coopID), hiding: ["contact"]), Reader(.office(coopID))] }
    package var owners: [Identifier<Coop>] { [coopID] }
    package static func roles(for action: Action) -> Set<Role> { action == .merge || action == .transition ? [] : [.coopManager] }

    package mutating func prepare(_ change: Change<Facilitator>, in tx: Transaction) throws(DomainError) {
        guard change.action == .create else { return }
        try coopID.fill(from: change)
        try Coop.checkOpenToNewRecords(coopID, at: "#/coop_id", in: tx)
    }
}
