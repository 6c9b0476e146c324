@testable import Domain
import JSON
import SQLite
import TestSupport
import Testing

@Suite("The action of the month")
struct RoundTests {
    @Test("goes from nominations over votes to a winner, and tells no count before it is closed")
    func goesThrough() throws {
        let fixture = try RoundFixture()
        #expect(refusal { try fixture.step("voting") } == "round.no-nominations")
        let (snack, garden) = (try fixture.nominate("Goûter"), try fixture.nominate("Jardin", by: fixture.manager))
        try fixture.step("voting")
        let before = try fixture.test.document(of: fixture.round, for: fixture.device)
        let head = fixture.test.head
        for voter in ["Ana", "Ben", "Cléo"] { try fixture.vote(voter, for: garden) }
        #expect(fixture.test.head == head, "a vote takes no seq")
        #expect(try fixture.test.document(of: fixture.round, for: fixture.device) == before)
        #expect(before?["results"] == .null && before?["winner_ids"] == .null)
        let closed = try fixture.step("closed")
        #expect(closed.results == [Round.Result(nominationID: garden.id, votes: 3), Round.Result(nominationID: snack.id, votes: 0)])
        #expect(closed.winnerIDs == [garden.id])
        #expect(try fixture.test.document(of: fixture.round, for: fixture.device)?["winner_ids"] == .array([.string(garden.id.text)]))
        let announced = try fixture.step("announced")
        #expect(announced.announcedAt == fixture.test.clock.now)
        #expect(announced.results == closed.results)
        #expect(try fixture.findings().isEmpty)
    }

    static let outcomes: [(name: String, votes: [Int], winners: [Int])] = [
        ("a majority", [1, 3, 2], [1]), ("a tie", [2, 1, 2], [0, 2]), ("no votes", [0, 0], []), ("one vote", [0, 1], [1]),
    ]

    @Test("has one winner, joint ones on a tie, and none where nobody voted", arguments: outcomes)
    func wins(name: String, votes: [Int], winners: [Int]) throws {
        let fixture = try RoundFixture()
        let nominations = try votes.indices.map { try fixture.nominate("Action \($0)") }
        try fixture.step("voting")
        for (index, count) in votes.enumerated() {
            for number in 0..<count { try fixture.vote("Voix \(index) \(number)", for: nominations[index]) }
        }
        let closed = try fixture.step("closed")
        #expect(closed.winnerIDs.map(Set.init) == Set(winners.map { nominations[$0].id }))
        #expect(closed.results?.map(\.votes) == votes.sorted(by: >))
        #expect(try fixture.test.rows("SELECT count(*) FROM tally") == [.integer(0)], "counted once, and emptied")
    }

    @Test("takes only the steps of its machine", arguments: [("collecting", ["closed", "announced"]), ("voting", ["collecting", "voting"]), ("closed", ["voting", "collecting"]), ("announced", ["closed", "voting"])])
    func refuses(state: String, forbidden: [String]) throws {
        let fixture = try RoundFixture()
        _ = try fixture.nominate("Goûter")
        for step in ["voting", "closed", "announced"].prefix(["collecting", "voting", "closed", "announced"].firstIndex(of: state) ?? 0) { try fixture.step(step) }
        for step in forbidden { #expect(refusal { try fixture.step(step) } == "state.forbidden", "\(step)") }
        #expect(try fixture.test.stored(fixture.round).status.rawValue == state)
    }

    @Test("is one a co-op and month, at a co-op where new things begin")
    func isOne() throws {
        let fixture = try RoundFixture()
        #expect(refusal { _ = try fixture.test.create(Round.self, #"{"month":"2026-03"}"#, by: fixture.manager) } == "round.month.taken")
        _ = try fixture.test.create(Round.self, #"{"month":"2026-04"}"#, by: fixture.manager)
        let other = try fixture.test.addCoop("b")
        _ = try fixture.test.create(Round.self, #"{"month":"2026-03"}"#, by: .manager(of: other))
        for month in ["2026-3", "2026-13", "2026-00", "mars 2026", "2026-03-01", ""] {
            #expect(faults { _ = try fixture.test.create(Round.self, #"{"month":"\#(month)"}"#, by: fixture.manager) } == ["#/month month.format"], "\(month)")
        }
        let former = try fixture.test.addCoop("c", membership: "former_member")
        #expect(refusal { _ = try fixture.test.create(Round.self, #"{"month":"2026-03"}"#, by: .manager(of: former)) } == "coop.former-member")
        #expect(refusal { _ = try fixture.test.create(Round.self, #"{"month":"2026-05","coop_id":"\#(other.id)"}"#, by: fixture.manager) } == "scope.not-yours")
    }

    @Test("keeps its ballot as it is once people vote")
    func isFixed() throws {
        let fixture = try RoundFixture()
        let (snack, garden) = (try fixture.nominate("Goûter"), try fixture.nominate("Jardin"))
        #expect(refusal { try fixture.test.delete(fixture.round, by: fixture.manager) } == "record.in-use")
        try fixture.test.delete(garden, by: fixture.manager)
        _ = try fixture.test.patch(snack, #"{"author":"L'équipe B"}"#, by: fixture.manager)
        #expect(refusal { try fixture.test.delete(snack, by: fixture.device) } == "scope.missing")
        try fixture.step("voting")
        #expect(refusal { _ = try fixture.nominate("Trop tard") } == "round.not-collecting")
        #expect(refusal { _ = try fixture.test.patch(snack, #"{"title":"Autre"}"#, by: fixture.manager) } == "round.not-collecting")
        #expect(refusal { try fixture.test.delete(snack, by: fixture.manager) } == "round.not-collecting")
        #expect(refusal { try fixture.test.delete(fixture.round, by: fixture.manager) } == "round.not-collecting")
        let empty = try fixture.test.create(Round.self, #"{"month":"2026-04"}"#, by: fixture.manager)
        try fixture.test.delete(empty, by: fixture.manager)
        #expect(try fixture.findings().isEmpty)
    }

    @Test("takes a hundred nominations, which is what people can read")
    func isFull() throws {
        let fixture = try RoundFixture()
        for number in 1...Round.nominationLimit { _ = try fixture.nominate("Action \(number)") }
        #expect(refusal { _ = try fixture.nominate("Action 101") } == "round.full")
        try fixture.step("voting")
        #expect(try fixture.step("closed").results?.count == Round.nominationLimit)
        #expect(try fixture.test.stored(fixture.round).results?.count == Round.nominationLimit)
    }

    @Test("is the co-op's own: nobody else sees it or what is nominated, not even the federation")
    func isPrivate() throws {
        let fixture = try RoundFixture()
        let other = try fixture.test.addCoop("b")
        let nomination = try fixture.nominate("Goûter")
        for (caller, sees) in [
            (fixture.manager, true), (fixture.device, true), (.helper(of: fixture.coop), true), (.manager(of: other), false), (.device(of: other), false),
            (.admin, false), (.reader, false), (.anonymous, false),
        ] as [(Caller, Bool)] {
            #expect(try (fixture.test.document(of: fixture.round, for: caller) != nil) == sees, "\(caller.actor)")
            #expect(try (fixture.test.document(of: nomination, for: caller) != nil) == sees, "\(caller.actor)")
        }
        #expect(faults { _ = try fixture.nominate("Ailleurs", by: .device(of: other)) } == ["#/round_id reference.unknown"])
        #expect(faults { _ = try fixture.nominate("Ailleurs", by: .manager(of: other)) } == ["#/round_id reference.unknown"])
        #expect(refusal { try fixture.step("voting", by: .manager(of: other)) } == "not found")
        #expect(refusal { try fixture.step("voting", by: fixture.device) } == "scope.missing")
    }
}
