@testable import Domain
import JSON
import SQLite
import TestSupport
import Testing

@Suite("A vote")
struct VoteTests {
    let fixture: RoundFixture
    let nomination: Nomination

    init() throws {
        fixture = try RoundFixture()
        nomination = try fixture.nominate("Goûter")
    }

    @Test("is given once a voter and round, however the name is written")
    func isOne() throws {
        try fixture.step("voting")
        try fixture.vote("Hélène Cœur", for: nomination)
        for spelling in ["Hélène Cœur", "helene coeur", "  HÉLÈNE  CŒUR ", "He\u{301}le\u{300}ne Cœur"] {
            #expect(refusal { try fixture.vote(spelling, for: nomination) } == "vote.given", "\(spelling)")
        }
        try fixture.vote("Hélène Cour", for: nomination, by: fixture.manager)
        #expect(try fixture.step("closed").results?.map(\.votes) == [2])
    }

    @Test("belongs to a round that is voting, and goes to one of its nominations")
    func belongs() throws {
        let april = try fixture.test.create(Round.self, #"{"month":"2026-04"}"#, by: fixture.manager)
        let other = try fixture.nominate("Jardin", in: april)
        #expect(refusal { try fixture.vote("Ana", for: nomination) } == "round.not-voting")
        try fixture.step("voting")
        #expect(faults { try fixture.vote("Ana", for: other) } == ["#/nomination_id reference.unknown"])
        try fixture.vote("Ana", for: nomination)
        try fixture.step("closed")
        #expect(refusal { try fixture.vote("Ben", for: nomination) } == "round.not-voting")
        try fixture.step("voting", april)
        try fixture.vote("Ana", for: other, in: april)
        let hashes = try fixture.test.rows("SELECT voter_hash FROM vote")
        #expect(Set(hashes.map { "\($0)" }).count == 2, "the same voter is nobody known in the next round")
    }

    @Test("is for the co-op's manager and devices; to others the round is not there")
    func isTheirs() throws {
        let other = try fixture.test.addCoop("b")
        try fixture.step("voting")
        #expect(refusal { try fixture.vote("Ana", for: nomination, by: .manager(of: other)) } == "not found")
        #expect(refusal { try fixture.vote("Ana", for: nomination, by: .device(of: other)) } == "not found")
        for caller in [Caller.admin, .reader, .anonymous] { #expect(refusal { try fixture.vote("Ana", for: nomination, by: caller) } == "scope.missing") }
        #expect(try fixture.test.rows("SELECT count(*) FROM vote") == [.integer(0)])
    }

    static let malformed: [(String, [String])] = [
        ("[]", ["# field.type"]), ("{}", ["#/nomination_id field.required", "#/voter field.required"]),
        (#"{"nomination_id":"x","voter":"  "}"#, ["#/nomination_id id.format", "#/voter text.blank"]),
        (#"{"nomination_id":"0197a000-0000-7000-8000-000000000001","voter":7}"#, ["#/voter field.type"]),
        (#"{"nomination_id":"0197a000-0000-7000-8000-000000000001","voter":"Jeanne\u0000"}"#, ["#/voter text.forbidden-char"]),
        (#"{"nomination_id":"0197a000-0000-7000-8000-000000000001","voter":"Jeanne","weight":2}"#, ["#/weight field.unknown"]),
    ]

    @Test("that is malformed names each fault, and never the voter", arguments: malformed)
    func isChecked(json: String, expected: [String]) {
        #expect(faults { _ = try fixture.test.federation.vote(TestJSON.parse(json), in: fixture.round.id) } == expected)
        do {
            _ = try fixture.test.federation.vote(TestJSON.parse(json), in: fixture.round.id)
        } catch { #expect(!"\(error)".contains("Jeanne")) }
    }

    @Test("tells nothing of its voter after 30 days, when the totals and the winner stay")
    func isForgotten() throws {
        try fixture.step("voting")
        for voter in ["Ana", "Ben"] { try fixture.vote(voter, for: nomination) }
        try fixture.step("closed")
        fixture.test.clock.advance(days: 40)
        try fixture.runDue()
        #expect(try fixture.test.rows("SELECT count(*) FROM vote") == [.integer(2)], "the days count from the announcement")
        let announced = try fixture.step("announced")
        let head = fixture.test.head
        for (seconds, left) in [(30 * 86_400 - 1, 2), (1, 0)] as [(Int64, Int64)] {
            fixture.test.clock.advance(seconds: seconds)
            try fixture.runDue()
            #expect(try fixture.test.rows("SELECT count(*) FROM vote") == [.integer(left)])
        }
        #expect(fixture.test.head == head)
        #expect(try fixture.test.stored(fixture.round).results == announced.results)
        #expect(try fixture.test.stored(fixture.round).winnerIDs == [nomination.id])
        #expect(try fixture.findings().isEmpty)
    }
}
