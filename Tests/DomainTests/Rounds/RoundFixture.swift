@testable import Domain
import JSON
import TestSupport

/// A member co-op with a round for March; a clock on the morning of 2 March 2026.
struct RoundFixture {
    let test: TestFederation
    let coop: Coop
    let round: Round
    var manager: Caller { .manager(of: coop) }
    var device: Caller { .device(of: coop) }

    init() throws {
        let test = try TestFederation()
        self.test = test
        coop = try test.addCoop()
        round = try test.create(Round.self, #"{"month":"2026-03"}"#, by: .manager(of: coop))
    }

    func nominate(_ title: String, in round: Round? = nil, by caller: Caller? = nil) throws(DomainError) -> Nomination {
        try test.create(Nomination.self, #"{"round_id":"\#((round ?? self.round).id)","title":"\#(title)"}"#, by: caller ?? device)
    }

    @discardableResult
    func step(_ to: String, _ round: Round? = nil, by caller: Caller? = nil) throws(DomainError) -> Round {
        let step = try Transition<Round.Status>(TestJSON.parse(#"{"to":"\#(to)"}"#))
        let (round, caller) = (round ?? self.round, caller ?? manager)
        return try test.federation.perform { (tx) throws(DomainError) in try Round.store.transition(round.id, step, expecting: .any, by: caller, in: tx) }
    }

    func vote(_ voter: String, for nomination: Nomination, in round: Round? = nil, by caller: Caller? = nil) throws(DomainError) {
        let vote = try test.federation.vote(
            .object([JSON.Member("nomination_id", .string(nomination.id.text)), JSON.Member("voter", .string(voter))]), in: (round ?? self.round).id)
        let caller = caller ?? device
        try test.federation.perform { (tx) throws(DomainError) in try vote.cast(by: caller, in: tx) }
    }

    func runDue() throws(DomainError) { try test.federation.perform { (tx) throws(DomainError) in _ = try Due.run(in: tx) } }

    func findings() throws -> [FeedAudit.Finding] { try test.federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) } }
}
