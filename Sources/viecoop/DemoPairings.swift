import Domain
import JSON

/// Made-up sponsorships between the samples' invented co-ops, one in each state. People and papers are invented too.
enum DemoPairings {
    private struct Story {
        let sponsor: String
        let sponsored: String
        let state: Pairing.Status
        var referents: (sponsor: String, sponsored: String) = ("", "")
        var end = ""
    }

    private static let stories = [
        Story(sponsor: "le-beffroi-cooperatif", sponsored: "hortillons-logement", state: .identified),
        Story(sponsor: "brique-rose-coop", sponsored: "garrigue-habitat", state: .introduced),
        Story(sponsor: "les-ducs-en-coop", sponsored: "horloge-habitat-cooperatif", state: .met),
        Story(sponsor: "porcelaine-coop", sponsored: "mail-sud-accession", state: .signed),
        Story(sponsor: "brique-rose-coop", sponsored: "a-casa-cumuna", state: .active, referents: ("Mireille Castan", "Ghjuvanna Leca")),
        Story(
            sponsor: "falaises-coop", sponsored: "volcan-habitat-cooperatif", state: .paused, referents: ("Gaston Lefebvre", "Marie-Andrée Hoarau"),
            end: "Congé parental de la référente"),
        Story(
            sponsor: "dombes-coop", sponsored: "anse-bleue-accession", state: .closed, referents: ("Lucien Perret", "Joséphine Cadet"),
            end: "Objectifs de la convention atteints"),
        Story(sponsor: "granit-rose-habitat", sponsored: "anse-bleue-accession", state: .declined, end: "Trop loin pour se rencontrer"),
    ]

    /// Each story once in the life of a folder, however often the demo starts there.
    static func load(into federation: Federation) throws {
        for (index, story) in stories.enumerated() {
            let teller = try Teller(federation, number: index + 1, from: story.sponsor, to: story.sponsored)
            do {
                try federation.perform { (tx) throws(DomainError) in try tell(story, teller, in: tx) }
            } catch DomainError.conflict, DomainError.invalid {
                // Whoever works with the demo has paired these co-ops otherwise, or changed them.
            }
        }
    }

    private static func tell(_ story: Story, _ teller: Teller, in tx: Transaction) throws(DomainError) {
        guard try teller.isNew(in: tx) else { return }
        try teller.propose(in: tx)
        guard let steps = way[story.state] else { return }
        for step in steps {
            switch step {
            case .introduced: try teller.go(to: step, [("introduced_on", teller.day(-220))], in: tx)
            case .met:
                try teller.meet(-190, "in_person", [("place", .string("Paris")), ("minutes", .string("Rencontre exemple : présentation des deux équipes."))], in: tx)
                try teller.go(to: step, in: tx)
            case .signed: try teller.go(to: step, [("signed_on", teller.day(-170)), ("agreement_ref", .string("Convention exemple \(teller.number)"))], in: tx)
            case .active:
                let sponsor = try teller.addReferent(story.referents.sponsor, of: teller.sponsor, in: tx)
                let sponsored = try teller.addReferent(story.referents.sponsored, of: teller.sponsored, in: tx)
                try teller.go(
                    to: step,
                    [
                        ("channel", .string("video")), ("cadence_days", .number("30")), ("sponsor_referent_id", sponsor), ("sponsored_referent_id", sponsored),
                        ("topics", .array([.string("Assemblée générale"), .string("Accueil des nouveaux coopérateurs")])),
                    ], in: tx)
                try teller.meet(-20, "video", [("referent_ids", .array([sponsor, sponsored])), ("minutes", .string("Point exemple : préparation de l'assemblée."))], in: tx)
            case .paused, .declined, .closed: try teller.go(to: step, [("reason", .string(story.end))], in: tx)
            case .identified: break
            }
        }
    }

    private static let way: [Pairing.Status: [Pairing.Status]] = [
        .introduced: [.introduced], .met: [.introduced, .met], .signed: [.introduced, .met, .signed], .active: [.introduced, .met, .signed, .active],
        .paused: [.introduced, .met, .signed, .active, .paused], .closed: [.introduced, .met, .signed, .active, .closed], .declined: [.introduced, .declined],
    ]
}

/// Writes one pairing as the operator, step by step, with days counted from today.
private struct Teller: Sendable {
    let number: Int
    let sponsor: Coop
    let sponsored: Coop
    private let today: Day
    private let needsOverride: Bool
    private let id: Identifier<Pairing>

    init(_ federation: Federation, number: Int, from sponsor: String, to sponsored: String) throws {
        self.number = number
        self.sponsor = try Self.invented(sponsor, federation)
        self.sponsored = try Self.invented(sponsored, federation)
        today = federation.now().day
        needsOverride = !Pairing.ageFaults(of: self.sponsor, sponsoring: self.sponsored, in: today.year, federation.pairingLimits).all.isEmpty
        id = Identifier(high: 0x0199_A000_0000_7000, low: 0x8000_0000_0000_0700 + UInt64(number))
    }

    private static func invented(_ slug: String, _ federation: Federation) throws -> Coop {
        let found = try federation.read { (connection) throws(DomainError) in
            guard let id = try Coop.store.find(slug: slug, in: connection) else { return Coop?.none }
            return try Coop.store.require(id, in: connection)
        }
        guard let found, found.fictitious else { throw Failure("\(slug) is missing or no invented co-op; use another folder with --data") }
        return found
    }

    func day(_ offset: Int64) -> JSON { .string(Day(daysSince1970: today.daysSince1970 + offset).text) }

    func isNew(in tx: Transaction) throws(DomainError) -> Bool { try Pairing.store.find(id, in: tx.connection) == nil }

    func propose(in tx: Transaction) throws(DomainError) {
        var members: [(String, JSON)] = [
            ("id", .string(id.text)), ("kind", .string("sponsorship")), ("sponsor_coop_id", .string(sponsor.id.text)),
            ("sponsored_coop_id", .string(sponsored.id.text)), ("identified_on", day(-240)),
        ]
        if needsOverride { members.append(("age_override_reason", .string("Exemple : relance de la vie coopérative"))) }
        try create(Pairing.self, members, in: tx)
    }

    func go(to state: Pairing.Status, _ members: [(String, JSON)] = [], in tx: Transaction) throws(DomainError) {
        let step = try Transition<Pairing.Status>(object([("to", .string(state.rawValue))] + members), taking: Pairing.transitionFields)
        _ = try Pairing.store.transition(id, step, expecting: .any, by: .operatorItself, in: tx)
    }

    func meet(_ offset: Int64, _ mode: String, _ members: [(String, JSON)], in tx: Transaction) throws(DomainError) {
        try create(Meeting.self, [("pairing_id", .string(id.text)), ("held_on", day(offset)), ("mode", .string(mode))] + members, in: tx)
    }

    /// - Returns: the id of the new mandate.
    func addReferent(_ name: String, of coop: Coop, in tx: Transaction) throws(DomainError) -> JSON {
        let names = name.split(separator: " ", maxSplits: 1).map { JSON.string(String($0)) }
        let members: [(String, JSON)] = [("given_name", names[0]), ("family_name", names[1]), ("started_on", day(-300)), ("status", .string("active"))]
        return .string(try create(Referent.self, [("coop_id", .string(coop.id.text))] + members, in: tx).id.text)
    }

    @discardableResult
    private func create<R: Record>(_ type: R.Type, _ members: [(String, JSON)], in tx: Transaction) throws(DomainError) -> R {
        try R.store.create(Draft<R>(object(members), for: .create), by: .operatorItself, in: tx).record
    }

    private func object(_ members: [(String, JSON)]) -> JSON { .object(members.map { JSON.Member($0.0, $0.1) }) }
}
