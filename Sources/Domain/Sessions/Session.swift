/// A group session: one to five people at a co-op follow one module of the MOOC together. "Full" is no state: `free_seats` says it.
package struct Session: Record {
    package enum Mode: String, Sendable, CaseIterable { case stations, projected }
    package enum Status: String, Sendable, CaseIterable { case draft, open, closed, held, cancelled }

    package static let type = RecordType.session
    package static let store = Store<Session>()

    package var meta = Meta()
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    package var siteID = Identifier<Site>(high: 0, low: 0)
    package var moduleID = Identifier<Module>(high: 0, low: 0)
    package var startsAt = Timestamp(milliseconds: 0)
    package var durationMin = 90
    package var endsAt = Timestamp(milliseconds: 0)
    /// The site's.
    package var timeZone = Zone.paris
    /// What clocks show there at the beginning: `YYYY-MM-DDTHH:MM`.
    package var startsLocal = ""
    package var capacity = 1
    package var mode = Mode.stations
    package var facilitatorID: Identifier<Facilitator>?
    package var status = Status.draft
    /// Opened though the module is not about what the co-op does.
    package var forced = false
    package var registrationOpensAt: Timestamp?
    package var registrationClosesAt = Timestamp(milliseconds: 0)
    /// How long an offered seat is kept; 0: whoever is next is confirmed at once.
    package var offerHours = 0
    /// How long before the beginning a party that fits may pass a larger one that does not.
    package var fitHours = 72
    /// Rises with each change that calendars show (RFC 5545 section 3.8.7.4).
    package var icalSequence = 0
    package var freeSeats = 0
    package var seatsConfirmed = 0
    package var seatsOffered = 0
    package var waitingParties = 0
    package var waitingSeats = 0
    package var attendedCount = 0

    package init() {}

    package static let fields: [Field<Session>] = [
        Field("coop_id", \.coopID, .reference(), .creation),
        Field("site_id", \.siteID, .reference(), required: true),
        Field("module_id", \.moduleID, .reference(), required: true),
        Field("starts_at", \.startsAt, .time, required: true),
        Field("duration_min", \.durationMin, .integer(15...240)),
        Field("ends_at", \.endsAt, .time, .server),
        Field("time_zone", \.timeZone, .choice, .server),
        Field("starts_local", \.startsLocal, .line(1...16), .server),
        Field("capacity", \.capacity, .integer(1...5), required: true),
        Field("mode", \.mode, .choice),
        Field("facilitator_id", \.facilitatorID, .optional(.reference())),
        Field("status", \.status, .choice, .creation),
        Field("forced", \.forced, .flag, .creation),
        Field("registration_opens_at", \.registrationOpensAt, .optional(.time)),
        Field("registration_closes_at", \.registrationClosesAt, .time),
        Field("offer_hours", \.offerHours, .integer(0...168)),
        Field("fit_hours", \.fitHours, .integer(0...168)),
        Field("ical_sequence", \.icalSequence, .integer(0...Int.max), .server),
        Field("free_seats", \.freeSeats, .integer(0...5), .server),
        Field("seats_confirmed", \.seatsConfirmed, .integer(0...Int.max), .server),
        Field("seats_offered", \.seatsOffered, .integer(0...5), .server),
        Field("waiting_parties", \.waitingParties, .integer(0...Int.max), .server),
        Field("waiting_seats", \.waitingSeats, .integer(0...Int.max), .server),
        Field("attended_count", \.attendedCount, .integer(0...Int.max), .server),
    ]

    private static let facilitator = Redaction(["facilitator_id"], of: Self.self)
    /// The totals, and what only those who prepare it need to know.
    private static let inner = Redaction(totals.union(["facilitator_id", "forced", "offer_hours", "fit_hours"]), of: Self.self)
    private static let totals: Set = ["seats_confirmed", "seats_offered", "waiting_parties", "waiting_seats", "attended_count"]

    package var readers: [Reader] {
        var readers = [Reader(.coop(coopID)), status == .draft ? Reader(.federation) : Reader(.observer, hiding: Self.facilitator)]
        if status == .open { readers.append(Reader(.public, hiding: Self.inner)) }
        if status == .open || status == .held { readers.append(Reader(.network, hiding: Self.inner)) }
        return readers
    }

    package var queuedIn: Identifier<Session>? { id }
    package var owners: [Identifier<Coop>] { [coopID] }
    package static func roles(for action: Action) -> Set<Role> { action == .merge ? [] : [.coopManager] }
    package static var settlesAfterwards: Bool { true }
}
