/// What the figures are made from: of each record only what some formula looks at, with days as numbers. Kept in memory, part by
/// part, for as long as the records stay as they are.
struct Facts: Sendable {
    enum Part: CaseIterable, Sendable {
        case coops, sites, mandates, vacancies, appointments, lists, ideas, decisions, endorsements, adoptions, pairings, sessions, registrations, devices

        /// The types of record that it is read from.
        var types: [RecordType] {
            switch self {
            case .coops: [.coop]
            case .sites: [.site]
            case .mandates: [.referent]
            // Rows of their own, which change with the co-op's.
            case .vacancies: [.coop]
            case .appointments: [.appointment]
            case .lists: [.theme, .question, .module]
            case .ideas, .decisions: [.idea]
            // The days of a co-op are those of its department.
            case .endorsements: [.endorsement, .coop]
            case .adoptions: [.adoption]
            case .pairings: [.pairing]
            case .sessions: [.session, .site]
            case .registrations: [.session, .site, .registration]
            // No records: looked at each time.
            case .devices: []
            }
        }
    }

    var coops: [Identifier<Coop>: CoopFact] = [:]
    var sites: [SiteFact] = []
    var mandates: [MandateFact] = []
    /// Times for which a co-op that had a referent has none, the last day not included; without an end where it lasts.
    var vacancies: [(coop: Identifier<Coop>, since: Int, until: Int?)] = []
    var appointments: [AppointmentFact] = []
    var themes: [ListFact<Theme>] = []
    var questions: [Identifier<Question>: String] = [:]
    var modules: [ListFact<Module>] = []
    var ideas: [IdeaFact] = [] {
        didSet { themeOfIdea = Dictionary(ideas.map { ($0.id, $0.theme) }) { first, _ in first } }
    }
    private(set) var themeOfIdea: [Identifier<Idea>: Identifier<Theme>] = [:]
    var decisions: [DecisionFact] = []
    var endorsements: [EndorsementFact] = []
    var adoptions: [AdoptionFact] = []
    var pairings: [PairingFact] = []
    var sessions: [SessionFact] = []
    var registrations: [RegistrationsFact] = []
    var devices: [DeviceFact] = []

    /// Member co-ops, with what their departments and activities are today.
    func members(in scope: Scope) -> [Identifier<Coop>: CoopFact] { coops.filter { $0.value.isMember && scope.holds($0.key) } }
}

struct CoopFact: Sendable {
    let region: String
    let department: String
    let activities: Set<String>
    /// Of the federation, and not merged into another.
    let isMember: Bool
    /// From which its age is counted.
    let since: Int?
    let zone: Zone
}

struct SiteFact: Sendable {
    let coop: Identifier<Coop>
    let workstations: Int
}

struct MandateFact: Sendable {
    let coop: Identifier<Coop>
    let status: Referent.Status
    let started: Int
    let ended: Int?
    let trained: Int?

    /// Today it is what it says; of another day the dates tell. When a mandate was suspended no date tells: then it counts on no day.
    func isActive(on scope: Scope) -> Bool {
        if scope.day == scope.today { return status == .active }
        return (status == .active || status == .ended) && started <= scope.day && ended.map { $0 > scope.day } ?? true
    }
}

struct AppointmentFact: Sendable {
    let coop: Identifier<Coop>
    let status: AppointmentFile.Status
    let opened: Int
    let closed: Int?
    let leadDays: Int?
    let stepsDone: Int
}

struct ListFact<Of>: Sendable {
    let id: Identifier<Of>
    let slug: String
    let title: String
    /// Of a module: published, and what it is about.
    var isOffered = true
    var activity: String?
}

struct IdeaFact: Sendable {
    let id: Identifier<Idea>
    let slug: String
    let title: String
    let theme: Identifier<Theme>
    let question: Identifier<Question>?
    let coop: Identifier<Coop>?
    let status: Idea.Status
    /// To the network.
    let isShared: Bool
    let created: Int
}

struct DecisionFact: Sendable {
    let theme: Identifier<Theme>
    let coop: Identifier<Coop>?
    let day: Int
    /// Between the last submission before it and the decision.
    let waited: Double
}

struct EndorsementFact: Sendable {
    let idea: Identifier<Idea>
    let coop: Identifier<Coop>
    let given: Int
    let withdrawn: Int?
}

struct AdoptionFact: Sendable {
    let idea: Identifier<Idea>
    let coop: Identifier<Coop>
    let status: Adoption.Status
    let started: Int?
    let ended: Int?
    let score: Int?
}

struct PairingFact: Sendable {
    let isSponsorship: Bool
    /// The sponsored one; of peers, the second. A pairing counts where that co-op is.
    let coop: Identifier<Coop>
    let status: Pairing.Status
    let identified: Int
    let introduced: Int?
    let met: Int?
    let signed: Int?
    let closed: Int?
    let cadence: Int?
    let lastMeeting: Int?
}

struct SessionFact: Sendable {
    let id: Identifier<Session>
    let coop: Identifier<Coop>
    let module: Identifier<Module>
    /// By the clocks of its site.
    let day: Int
    let status: Session.Status
    let capacity: Int
    let confirmed: Int
    let hasFacilitator: Bool
    /// A draft that could not be opened for want of workstations, a projector or a facilitator.
    let lacksEquipment: Bool
}

/// The registrations of one session, summed up.
struct RegistrationsFact: Sendable {
    let coop: Identifier<Coop>
    let module: Identifier<Module>
    let day: Int
    let isHeld: Bool
    /// Of all, and of those that came in on paper or by telephone.
    private(set) var count = 0
    private(set) var assistedCount = 0
    private(set) var seatsAsked = 0
    /// People of the parties whose presence was marked, and those of them who came.
    private(set) var all = Presence()
    private(set) var assisted = Presence()
    private(set) var onceWaiting = 0
    private(set) var promoted = 0
    /// Seats that were still waited for when the session was held.
    private(set) var unmet = 0
    private(set) var cancelled = 0
    private(set) var expired = 0
    private(set) var calledOff = 0

    struct Presence: Sendable {
        var expected = 0
        var attended = 0
    }

    init(of session: SessionFact) { (coop, module, day, isHeld) = (session.coop, session.module, session.day, session.status == .held) }

    /// - Parameter isToldByHistory: of one that expired, that it was waiting when it did; of one that waited and was cancelled, that it had a
    ///   seat before.
    mutating func add(_ channel: Registration.Channel, _ status: Registration.Status, party: Int, attended: Int, onceWaited: Bool, isToldByHistory: Bool) {
        let isAssisted = channel == .paper || channel == .phone
        var presence = Presence()
        var hadSeat = false
        switch status {
        case .waitlisted, .offered: break
        case .confirmed: hadSeat = true
        case .attended: (presence, hadSeat) = (Presence(expected: party, attended: attended), true)
        case .absent: (presence, hadSeat) = (Presence(expected: party), true)
        case .cancelled: (cancelled, hadSeat) = (cancelled + 1, isToldByHistory)
        case .sessionCancelled: (calledOff, hadSeat) = (calledOff + 1, isToldByHistory)
        case .expired:
            expired += 1
            if isToldByHistory { unmet += party }
        }
        count += 1
        seatsAsked += party
        all.add(presence)
        if isAssisted {
            assistedCount += 1
            assisted.add(presence)
        }
        if onceWaited {
            onceWaiting += 1
            if hadSeat { promoted += 1 }
        }
    }
}

extension RegistrationsFact.Presence {
    fileprivate mutating func add(_ other: Self) {
        expected += other.expected
        attended += other.attended
    }
}

struct DeviceFact: Hashable, Sendable {
    let coop: Identifier<Coop>
    let isFresh: Bool
}
