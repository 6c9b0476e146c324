@testable import Domain
import TestSupport
import Testing

@Suite("Who could sponsor, and who has")
struct SuggestionsTests {
    let fixture: PairingFixture
    private var test: TestFederation { fixture.test }
    private let admin = Caller.admin

    init() throws { fixture = try PairingFixture() }

    private func add(_ slug: String, _ department: String, since: Int = 1950, activities: String = "[]") throws -> Coop {
        try test.create(
            Coop.self,
            #"{"slug":"\#(slug)","name":"\#(slug)","department_code":"\#(department)","membership":"member","coop_since_year":\#(since),"activities":\#(activities)}"#)
    }

    private func suggested(_ coop: Coop, by caller: Caller = .admin) throws -> [String] {
        try test.federation.suggestedSponsors(of: coop.id, for: caller).sponsors.map(\.coop.slug)
    }

    @Test("the nearest first, with activities in common and free places, and says why")
    func ranks() throws {
        for slug in ["rental", "syndic"] { try test.create(Activity.self, #"{"slug":"\#(slug)","title":"Titre \#(slug)"}"#) }
        let young = try add("jeune", "22", since: 2023, activities: #"["rental","syndic"]"#)
        _ = try add("loin", "84")
        _ = try add("voisine", "44")
        _ = try add("loin-mais-pareille", "84", activities: #"["syndic","rental"]"#)
        let same = try add("meme-departement", "22", activities: #"["rental"]"#)
        // The fixture's lies in the same region.
        #expect(try suggested(young) == ["meme-departement", "ancienne", "loin-mais-pareille", "voisine", "loin"])
        try fixture.pair(same, try add("filleule", "22", since: 2022))
        let best = try #require(try test.federation.suggestedSponsors(of: young.id, for: admin).sponsors.first)
        #expect(best.freePlaces == 2)
        #expect(best.score == 30 + 10 + 2 * 5 + 7)
        #expect(best.reasons.map(\.code) == ["department", "activities", "free_places", "age"])
        #expect(best.reasons[1].text.fr == "Activités en commun : Titre rental")
    }

    @Test("never one that the rules would refuse")
    func excludes() throws {
        let (full, declined) = (try fixture.coop("pleine", since: 1950), try fixture.coop("declinee", since: 1950))
        for index in 1...3 { try fixture.pair(full, try fixture.coop("f-\(index)", since: 2023)) }
        _ = try fixture.coop("moyenne", since: 2015)
        _ = try fixture.coop("inconnue", since: nil)
        _ = try test.addCoop("candidate", membership: "applicant", #","coop_since_year":1950"#)
        try fixture.pair(fixture.old, fixture.new, kind: "peer")
        try fixture.step(fixture.pair(declined, fixture.new), #"{"to":"declined","reason":"Non"}"#)
        #expect(try suggested(fixture.new) == ["declinee"])
        for slug in try suggested(fixture.new) {
            let id = try #require(try test.federation.read { (connection) throws(DomainError) in try Coop.store.find(slug: slug, in: connection) })
            #expect(refusal { try fixture.pair(test.federation.read { (connection) throws(DomainError) in try Coop.store.require(id, in: connection) }) } == nil)
        }
    }

    @Test("says what stands in the way of the co-op itself")
    func tellsObstacles() throws {
        try fixture.pair()
        #expect(try test.federation.suggestedSponsors(of: fixture.new.id, for: admin).obstacles.map(\.code) == ["pairing.has-sponsor"])
        let old = try test.addCoop("partie", membership: "former_member")
        #expect(try test.federation.suggestedSponsors(of: old.id, for: admin).obstacles.map(\.code) == ["coop.not-member", "pairing.sponsored-old"])
        #expect(try suggested(old).isEmpty)
    }

    @Test("to the federation, and to managers for their own co-op")
    func isGuarded() throws {
        #expect(try suggested(fixture.new, by: .manager(of: fixture.new)) == ["ancienne"])
        #expect(refusal { _ = try suggested(fixture.new, by: .manager(of: fixture.old)) } == "scope.not-yours")
        #expect(refusal { _ = try suggested(fixture.new, by: .device(of: fixture.new)) } == "scope.missing")
        #expect(refusal { _ = try suggested(fixture.new, by: .reader) } == "scope.missing")
        let absent = Identifier<Coop>(high: 1, low: 1)
        #expect(refusal { _ = try test.federation.suggestedSponsors(of: absent, for: .admin) } == "not found")
        #expect(refusal { _ = try test.federation.suggestedSponsors(of: absent, for: .manager(of: fixture.old)) } == "scope.not-yours")
    }

    // MARK: Lineage

    private func lineage(_ coop: Coop, _ caller: Caller) throws -> (up: [String], down: [String]) {
        let found = try test.federation.lineage(of: coop.id, for: caller)
        func text(_ link: Lineage.Link) -> String { "\(link.depth) \(link.coop.slug) \(link.pairing.status.rawValue)" }
        return (found.sponsors.map(text), found.sponsored.map(text))
    }

    @Test("the chain goes up and down through live and past sponsorships; each sees the links that are its own")
    func chains() throws {
        let override = #","age_override_reason":"Essai""#
        let (child, past, peer) = (try fixture.coop("petite", since: 2024), try fixture.coop("passee", since: 1940), try fixture.coop("paire", since: 1940))
        let former = try fixture.pair(past, fixture.new)
        try fixture.step(former, #"{"to":"introduced"}"#)
        try fixture.meet(former)
        for (state, step) in [("met", #"{"to":"met"}"#), ("signed", #"{"to":"signed","agreement_ref":"A"}"#)] { _ = (state, try fixture.step(former, step)) }
        let hers = try test.addReferent(of: past, #","status":"active""#)
        try fixture.step(
            former, #"{"to":"active","channel":"phone","cadence_days":30,"sponsor_referent_id":"\#(hers.id)","sponsored_referent_id":"\#(fixture.newcomer.id)"}"#)
        try fixture.step(former, #"{"to":"closed","reason":"Fini"}"#)
        try fixture.step(fixture.pair(peer, fixture.new), #"{"to":"declined","reason":"Non"}"#)
        try fixture.pair(fixture.new, peer, kind: "peer")
        try fixture.pair()
        try fixture.pair(fixture.new, child, override)

        for caller in [Caller.admin, .reader] {
            #expect(try lineage(fixture.new, caller) == (["1 passee closed", "1 ancienne identified"], ["1 petite identified"]))
            #expect(try lineage(child, caller).up == ["1 nouvelle identified", "2 passee closed", "2 ancienne identified"])
            #expect(try lineage(fixture.old, caller).down == ["1 nouvelle identified", "2 petite identified"])
        }
        #expect(try lineage(child, .device(of: child)) == (["1 nouvelle identified"], []), "not who sponsors its sponsor")
        #expect(try lineage(fixture.old, .manager(of: fixture.new)).down == ["1 nouvelle identified", "2 petite identified"])
        #expect(try lineage(fixture.new, .manager(of: peer)) == ([], []), "as if it had none")
        #expect(try lineage(peer, .manager(of: fixture.old)) == ([], []))
    }

    @Test("a chain that has become a circle over the years is told once")
    func circles() throws {
        let override = #","age_override_reason":"Essai""#
        let there = try fixture.pairing(.closed)
        let back = try fixture.pair(fixture.new, fixture.old, override)
        #expect(there.status == .closed && back.status == .identified)
        #expect(try lineage(fixture.new, .admin) == (["1 ancienne closed", "2 nouvelle identified"], ["1 ancienne identified", "2 nouvelle closed"]))
    }
}
