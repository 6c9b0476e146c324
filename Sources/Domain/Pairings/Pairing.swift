/// Two co-ops that accompany each other: an established one that sponsors a new one, or two peers.
package struct Pairing: Record {
    package enum Kind: String, Sendable, CaseIterable { case sponsorship, peer }
    package enum Status: String, Sendable, CaseIterable { case identified, introduced, met, signed, active, paused, declined, closed }
    package enum Channel: String, Sendable, CaseIterable { case phone, video, email, chat }

    package static let type = RecordType.pairing
    package static let store = Store<Pairing>()

    package var meta = Meta()
    package var kind = Kind.sponsorship
    /// Of peers, either of the two.
    package var sponsorCoopID = Identifier<Coop>(high: 0, low: 0)
    package var sponsoredCoopID = Identifier<Coop>(high: 0, low: 0)
    package var status = Status.identified
    package var identifiedOn = Day(daysSince1970: 0)
    package var introducedOn: Day?
    package var metOn: Day?
    package var meetingPlace: String?
    package var signedOn: Day?
    package var agreementRef: String?
    /// How the two keep in touch between meetings.
    package var channel: Channel?
    package var cadenceDays: Int?
    package var sponsorReferentID: Identifier<Referent>?
    package var sponsoredReferentID: Identifier<Referent>?
    package var topics: [String] = []
    /// Why the federation allows a sponsorship between co-ops of other ages; nil where the ages fit.
    package var ageOverrideReason: String?
    package var pauseReason: String?
    /// The day of its end, closed or declined.
    package var closedOn: Day?
    package var closeReason: String?
    package var meetingCount = 0
    package var lastMeetingOn: Day?
    /// While it is active: the day that the last meeting has set, else a cadence after that meeting or the signing.
    package var nextMeetingDueOn: Day?

    package init() {}

    package static let fields: [Field<Pairing>] = [
        Field("kind", \.kind, .choice, .creation, required: true),
        Field("sponsor_coop_id", \.sponsorCoopID, .reference(), .creation, required: true),
        Field("sponsored_coop_id", \.sponsoredCoopID, .reference(), .creation, required: true),
        Field("status", \.status, .choice, .server),
        Field("identified_on", \.identifiedOn, .day),
        Field("introduced_on", \.introducedOn, .optional(.day)),
        Field("met_on", \.metOn, .optional(.day)),
        Field("meeting_place", \.meetingPlace, .optional(.line(1...200))),
        Field("signed_on", \.signedOn, .optional(.day)),
        Field("agreement_ref", \.agreementRef, .optional(.line(1...200))),
        Field("channel", \.channel, .optional(.choice)),
        Field("cadence_days", \.cadenceDays, .optional(.integer(7...365))),
        Field("sponsor_referent_id", \.sponsorReferentID, .optional(.reference())),
        Field("sponsored_referent_id", \.sponsoredReferentID, .optional(.reference())),
        Field("topics", \.topics, .list(of: .line(1...200), upTo: 20, unique: true)),
        Field("age_override_reason", \.ageOverrideReason, .optional(.paragraph(1...1000)), .creation),
        Field("pause_reason", \.pauseReason, .optional(.paragraph(1...1000)), .server),
        Field("closed_on", \.closedOn, .optional(.day), .server),
        Field("close_reason", \.closeReason, .optional(.paragraph(1...1000)), .server),
        Field("meeting_count", \.meetingCount, .integer(0...Int.max), .server),
        Field("last_meeting_on", \.lastMeetingOn, .optional(.day), .server),
        Field("next_meeting_due_on", \.nextMeetingDueOn, .optional(.day), .server),
    ]

    /// Free text between the two and the federation, which may name people.
    private static let confidential = Redaction(["age_override_reason", "pause_reason", "close_reason"], of: Self.self)
    private static let federationFields: Set = ["introduced_on", "age_override_reason"]

    package var readers: [Reader] {
        [Reader(.federation), Reader(.observer, hiding: Self.confidential), Reader(.coop(sponsorCoopID)), Reader(.coop(sponsoredCoopID))]
    }

    package var owners: [Identifier<Coop>] { [sponsorCoopID, sponsoredCoopID] }

    /// What came to nothing is declined, not deleted.
    package static func roles(for action: Action) -> Set<Role> {
        switch action {
        case .create, .change, .transition: [.federationAdmin, .coopManager]
        case .delete, .merge: []
        }
    }

    package static func fields(for role: Role) -> Set<String>? {
        role == .coopManager ? Set(fields.filter { $0.access == .client }.map(\.name)).subtracting(federationFields) : nil
    }
}

extension Pairing.Status {
    package var isOver: Bool { self == .declined || self == .closed }

    /// How far it has come, for what each step brings along; nil for an end, which may come from anywhere.
    var progress: Int? {
        switch self {
        case .identified: 0
        case .introduced: 1
        case .met: 2
        case .signed: 3
        case .active, .paused: 4
        case .declined, .closed: nil
        }
    }
}
