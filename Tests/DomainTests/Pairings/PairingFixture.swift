@testable import Domain
import TestSupport

/// An established co-op and a new one, members both, on 2 March 2026, each with an active referent.
struct PairingFixture {
    let test: TestFederation
    let old: Coop
    let new: Coop
    let elder: Referent
    let newcomer: Referent

    init(_ configure: (inout Federation.Settings) -> Void = { _ in }) throws {
        let test = try TestFederation(configure: configure)
        self.test = test
        old = try test.addCoop("ancienne", #","coop_since_year":1930"#)
        new = try test.addCoop("nouvelle", #","coop_since_year":2022"#)
        elder = try test.addReferent(of: old, #","status":"active""#)
        newcomer = try test.addReferent(of: new, #","status":"active""#)
    }

    func coop(_ slug: String, since year: Int?) throws -> Coop { try test.addCoop(slug, year.map { #","coop_since_year":\#($0)"# } ?? "") }

    @discardableResult
    func pair(
        _ sponsor: Coop? = nil, _ sponsored: Coop? = nil, kind: String = "sponsorship", _ more: String = "", by caller: Caller = .admin
    ) throws(DomainError) -> Pairing {
        try test.create(
            Pairing.self, #"{"kind":"\#(kind)","sponsor_coop_id":"\#((sponsor ?? old).id)","sponsored_coop_id":"\#((sponsored ?? new).id)"\#(more)}"#, by: caller)
    }

    @discardableResult
    func step(_ pairing: Pairing, _ json: String, expecting: Expectation = .any, by caller: Caller = .admin) throws(DomainError) -> Pairing {
        let step = try Transition<Pairing.Status>(TestJSON.parse(json), taking: Pairing.transitionFields)
        return try test.federation.perform { (tx) throws(DomainError) in try Pairing.store.transition(pairing.id, step, expecting: expecting, by: caller, in: tx) }
    }

    @discardableResult
    func meet(_ pairing: Pairing, on day: String = "2026-03-02", mode: String = "in_person", _ more: String = "", by caller: Caller = .admin) throws(DomainError) -> Meeting {
        try test.create(Meeting.self, #"{"pairing_id":"\#(pairing.id)","held_on":"\#(day)","mode":"\#(mode)"\#(more)}"#, by: caller)
    }

    /// What each step needs, as clients send it.
    var steps: [Pairing.Status: String] {
        [
            .introduced: #"{"to":"introduced"}"#, .met: #"{"to":"met"}"#, .signed: #"{"to":"signed","agreement_ref":"Convention 2026-01"}"#,
            .active: #"{"to":"active","channel":"video","cadence_days":30,"sponsor_referent_id":"\#(elder.id)","sponsored_referent_id":"\#(newcomer.id)"}"#,
            .paused: #"{"to":"paused","reason":"Congé"}"#, .closed: #"{"to":"closed","reason":"Terminé"}"#, .declined: #"{"to":"declined","reason":"Trop loin"}"#,
        ]
    }

    /// A pairing of the two in the state.
    func pairing(_ state: Pairing.Status) throws -> Pairing {
        var pairing = try pair()
        let way: [Pairing.Status] =
            switch state {
            case .declined: [.declined]
            case .paused: [.introduced, .met, .signed, .active, .paused]
            case .closed: [.introduced, .met, .signed, .active, .closed]
            default: Array([Pairing.Status.introduced, .met, .signed, .active].prefix(state.progress ?? 0))
            }
        for next in way {
            if next == .met { try meet(pairing) }
            pairing = try step(pairing, steps[next] ?? "{}")
        }
        return pairing
    }

    func findings() throws -> [FeedAudit.Finding] { try test.federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) } }
}
