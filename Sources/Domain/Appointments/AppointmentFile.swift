/// A co-op's search for a referent: seven steps from the post's opening to the recognition, and how it ended.
///
/// A co-op has one open file at a time: a vacancy is filled by one search, and the time that it took is told from one opening.
package struct AppointmentFile: Record {
    package enum Status: String, Sendable, CaseIterable { case open, appointed, abandoned }

    /// In the order in which they are taken.
    ///
    /// Each has fields of its own, so that a patch sets one, the history names it, and documents leave its note out.
    package enum Step: String, Sendable, CaseIterable {
        case roleDefined = "role_defined"
        case callWritten = "call_written"
        case callPublished = "call_published"
        case selected, announced, trained, recognised

        var dateField: String { rawValue + "_on" }
        var noteField: String { rawValue + "_note" }
    }

    /// How far a step is.
    package struct Progress: Sendable, Equatable {
        package var doneOn: Day?
        /// May speak of candidates, so it is the manager's alone.
        package var note: String?
    }

    package static let type = RecordType.appointment
    package static let store = Store<AppointmentFile>()

    package var meta = Meta()
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    package var status = Status.open
    package var openedOn = Day(daysSince1970: 0)
    package var closedOn: Day?
    /// The mandate that came of it.
    package var referentID: Identifier<Referent>?
    /// Days from the opening to the beginning of that mandate.
    package var leadDays: Int?
    /// One a step, in their order.
    package var steps = [Progress](repeating: Progress(), count: Step.allCases.count)

    package init() {}

    package static let fields: [Field<AppointmentFile>] =
        [
            Field("coop_id", \.coopID, .reference(), .creation),
            Field("status", \.status, .choice, .server),
            Field("opened_on", \.openedOn, .day),
            Field("closed_on", \.closedOn, .optional(.day), .server),
            Field("referent_id", \.referentID, .optional(.reference()), .server),
            Field("lead_days", \.leadDays, .optional(.integer(0...Int.max)), .server),
        ]
        + Step.allCases.enumerated().map { index, step in Field(step.dateField, \.steps[index].doneOn, .optional(.day)) }
        + Step.allCases.enumerated().map { index, step in Field(step.noteField, \.steps[index].note, .optional(.paragraph(1...2000))) }

    /// The last date that it names.
    var lastDay: Day { steps.compactMap(\.doneOn).reduce(openedOn) { max($0, $1) } }

    static let notes = Redaction(Set(Step.allCases.map(\.noteField)), of: Self.self)

    /// The federation reads what its dashboards read: it has no more to see here.
    package var readers: [Reader] { [Reader(.office(coopID)), Reader(.observer, hiding: Self.notes)] }
    package var owners: [Identifier<Coop>] { [coopID] }
    package static func roles(for action: Action) -> Set<Role> { action == .merge ? [] : [.federationAdmin, .coopManager] }
}
