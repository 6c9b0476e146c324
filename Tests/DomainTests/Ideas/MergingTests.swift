@testable import Domain
import JSON
import SQLite
import TestSupport
import Testing

@Suite("Merging ideas")
struct MergingTests {
    let test: TestFederation
    let coops: [Coop]
    let ideas: [Idea]

    init() throws {
        let test = try TestFederation()
        self.test = test
        coops = try ["a", "b", "c"].map { try test.addCoop($0) }
        let theme = try test.addTheme()
        ideas = try ["Jardin partagé", "Potager commun", "Le potager des voisins"].map { title in
            try ["submitted", "published"].reduce(test.create(Idea.self, #"{"title":"\#(title)","theme_id":"\#(theme.id)"}"#)) {
                try test.step($0, #"{"to":"\#($1)"}"#)
            }
        }
    }

    private func endorse(_ idea: Idea, _ coop: Coop) throws -> Endorsement {
        try test.create(Endorsement.self, #"{"idea_id":"\#(idea.id)"}"#, by: .manager(of: coop))
    }

    private func withdraw(_ endorsement: Endorsement, by caller: Caller) throws {
        _ = try test.federation.perform { (tx) throws(DomainError) in
            try Endorsement.store.transition(endorsement.id, Transition(TestJSON.parse(#"{"to":"withdrawn"}"#)), expecting: .any, by: caller, in: tx)
        }
    }

    private func merge(_ idea: Idea, into target: Idea) throws {
        _ = try test.federation.perform { (tx) throws(DomainError) in try Idea.store.merge(idea.id, into: target.id, expecting: .any, by: .admin, in: tx) }
    }

    private func unmerge(_ idea: Idea) throws {
        _ = try test.federation.perform { (tx) throws(DomainError) in try Idea.store.unmerge(idea.id, expecting: .any, by: .admin, in: tx) }
    }

    /// What each caller sees of the ideas and what hangs on them, without the numbers that every change raises.
    private func view() throws -> [String] {
        var seen: [String] = []
        for caller in [Caller.admin, .manager(of: coops[0]), .anonymous] {
            for idea in ideas { seen.append(try shape(test.document(of: idea, for: caller))) }
            let bonds = try test.federation.read { (connection) throws(DomainError) in
                (try Endorsement.store.all(in: connection), try Adoption.store.all(in: connection))
            }
            for endorsement in bonds.0 { seen.append(try shape(test.document(of: endorsement, for: caller))) }
            for adoption in bonds.1 { seen.append(try shape(test.document(of: adoption, for: caller))) }
        }
        return seen
    }

    private func shape(_ document: JSON?) -> String {
        guard case .object(let members) = document else { return "nothing" }
        return "\(members.filter { !["rev", "updated_at"].contains($0.name) })"
    }

    private func stored(_ index: Int) throws -> Idea { try test.stored(ideas[index]) }

    @Test("unites the endorsements, one a co-op, and counts them at the canonical idea")
    func unites() throws {
        let both = try (endorse(ideas[0], coops[0]), endorse(ideas[1], coops[0]))
        let one = try endorse(ideas[0], coops[1])
        try merge(ideas[0], into: ideas[1])
        #expect(try test.stored(both.0).status == .covered)
        #expect(try test.stored(both.1).status == .given)
        #expect(try test.stored(one).status == .given)
        #expect(try test.stored(one).ideaID == ideas[1].id)
        #expect(try test.stored(one).originIdeaID == ideas[0].id)
        #expect(try stored(1).endorsementCount == 2)
        #expect(try stored(0).endorsementCount == 0)
        #expect(try stored(1).mergedTitles == ["Jardin partagé"])
        #expect(try stored(1).mergedIdeaIDs == [ideas[0].id])
        #expect(throws: DomainError.self) { _ = try endorse(ideas[1], coops[1]) }
        #expect(try FeedAudit.findings(test).isEmpty)
    }

    @Test("taken back restores exactly what every caller saw, through a chain of merges too")
    func restores() throws {
        for (idea, coop) in [(0, 0), (0, 1), (1, 0), (2, 0), (2, 2)] { _ = try endorse(ideas[idea], coops[coop]) }
        _ = try test.create(Adoption.self, #"{"idea_id":"\#(ideas[0].id)"}"#, by: .manager(of: coops[0]))
        let before = try view()
        try merge(ideas[0], into: ideas[1])
        let between = try view()
        try merge(ideas[1], into: ideas[2])
        #expect(try stored(0).mergedIntoID == ideas[2].id)
        #expect(try stored(2).endorsementCount == 3)
        #expect(try FeedAudit.findings(test).isEmpty)
        try unmerge(ideas[1])
        #expect(try view() == between)
        try unmerge(ideas[0])
        #expect(try view() == before)
        #expect(try FeedAudit.findings(test).isEmpty)
    }

    @Test("taken back out of the middle of a chain takes along what came through it")
    func leavesTheChain() throws {
        _ = try endorse(ideas[0], coops[0])
        try merge(ideas[0], into: ideas[1])
        try merge(ideas[1], into: ideas[2])
        try unmerge(ideas[0])
        #expect(try stored(0).status == .published)
        #expect(try (stored(0).endorsementCount, stored(2).endorsementCount) == (1, 0))
        #expect(try stored(2).mergedIdeaIDs == [ideas[1].id])
    }

    @Test("taken back gives nothing back that was withdrawn meanwhile, and leaves what was new at the canonical idea")
    func keepsWithdrawals() throws {
        let (carried, own) = try (endorse(ideas[0], coops[0]), endorse(ideas[1], coops[0]))
        try merge(ideas[0], into: ideas[1])
        try withdraw(own, by: .manager(of: coops[0]))
        #expect(try test.stored(carried).status == .withdrawn)
        let new = try endorse(ideas[1], coops[2])
        try unmerge(ideas[0])
        #expect(try (stored(0).endorsementCount, stored(1).endorsementCount) == (0, 1))
        #expect(try test.stored(new).ideaID == ideas[1].id)
    }

    @Test("tells devices that saw the idea where it went, and those that lost it before as well")
    func tells() throws {
        try merge(ideas[0], into: ideas[1])
        let gone = "SELECT gone FROM feed WHERE id = ? AND entry IS NULL ORDER BY audience"
        #expect(try test.rows(gone, [ideas[0].id.value]).allSatisfy { $0 == .text("merged:\(ideas[1].id)") })
        #expect(try test.document(of: ideas[0], for: .manager(of: coops[0])) == nil)
        try merge(ideas[1], into: ideas[2])
        #expect(try test.rows(gone, [ideas[0].id.value]).allSatisfy { $0 == .text("merged:\(ideas[2].id)") })
        try unmerge(ideas[0])
        #expect(try test.rows(gone, [ideas[0].id.value]).isEmpty)
    }

    @Test("refuses a target that is the idea itself, merged, not published or of another scope, and says what to do")
    func refuses() throws {
        let draft = try test.addIdea(on: test.addTheme("autre"))
        let theme = try test.addTheme("encore")
        let own = try test.step(test.addIdea(on: theme, #","scope":"coop","author_coop_id":"\#(coops[0].id)""#), #"{"to":"published"}"#)
        try merge(ideas[2], into: ideas[1])
        for target in [ideas[0], ideas[2], draft, own] {
            #expect(faults { try merge(ideas[0], into: target) } == ["#/into idea.merge-target"])
        }
        #expect(refusal { try merge(draft, into: ideas[0]) } == "state.forbidden")
        #expect(refusal { try merge(ideas[2], into: ideas[0]) } == "idea.merged")
        #expect(refusal { try unmerge(ideas[0]) } == "state.forbidden")
        #expect(refusal { _ = try endorse(ideas[2], coops[0]) } == "idea.merged")
        #expect(refusal { _ = try test.patch(ideas[2], #"{"title":"x"}"#) } == "idea.merged")
    }
}

extension FeedAudit {
    /// Where the feed is not what the tables say.
    static func findings(_ test: TestFederation) throws -> [Finding] {
        try test.federation.read { (connection) throws(DomainError) in try verify(in: connection) }
    }
}
