@testable import Domain
import TestSupport
import Testing

@Suite("A pairing")
struct PairingTests {
    let fixture: PairingFixture
    private var test: TestFederation { fixture.test }

    init() throws { fixture = try PairingFixture() }

    @Test("goes from proposal to an active sponsorship, pauses, goes on and is closed for good")
    func lives() throws {
        let pairing = try fixture.pair(by: .manager(of: fixture.new))
        #expect(pairing.identifiedOn.text == "2026-03-02")
        #expect(refusal { try fixture.step(pairing, #"{"to":"introduced"}"#, by: .manager(of: fixture.old)) } == "scope.missing")
        try fixture.step(pairing, #"{"to":"introduced"}"#)
        #expect(faults { try fixture.step(pairing, #"{"to":"met"}"#, by: .manager(of: fixture.old)) } == ["#/to pairing.not-met"])
        try fixture.meet(pairing, mode: "video")
        #expect(faults { try fixture.step(pairing, #"{"to":"met"}"#) } == ["#/to pairing.not-met"])
        try fixture.meet(pairing, #","place":"Rennes""#, by: .manager(of: fixture.new))
        let met = try fixture.step(pairing, #"{"to":"met"}"#, by: .manager(of: fixture.old))
        #expect(met.metOn?.text == "2026-03-02")
        #expect(met.meetingPlace == "Rennes")
        #expect(faults { try fixture.step(pairing, #"{"to":"signed","signed_on":"2026-03-01"}"#) } == ["#/agreement_ref field.required", "#/signed_on date.order"])
        try fixture.step(pairing, #"{"to":"signed","agreement_ref":"Convention 7"}"#, by: .manager(of: fixture.new))
        #expect(faults { try fixture.step(pairing, #"{"to":"active"}"#) } == [
            "#/channel field.required", "#/cadence_days field.required", "#/sponsor_referent_id field.required", "#/sponsored_referent_id field.required",
        ])
        let active = try fixture.step(pairing, try #require(fixture.steps[.active]), by: .manager(of: fixture.old))
        #expect(active.nextMeetingDueOn?.text == "2026-04-01")
        #expect(faults { try fixture.step(pairing, #"{"to":"paused"}"#) } == ["#/reason field.required"])
        let paused = try fixture.step(pairing, #"{"to":"paused","reason":"Congé"}"#, by: .manager(of: fixture.new))
        #expect(paused.pauseReason == "Congé")
        #expect(paused.nextMeetingDueOn == nil)
        #expect(try fixture.step(pairing, #"{"to":"active"}"#).pauseReason == nil)
        let closed = try fixture.step(pairing, #"{"to":"closed","reason":"Objectifs atteints"}"#, by: .manager(of: fixture.new))
        #expect(closed.closeReason == "Objectifs atteints")
        #expect(closed.closedOn?.text == "2026-03-02")
        #expect(refusal { try test.patch(pairing, #"{"topics":["SPIC"]}"#, by: .admin) } == "pairing.over")
        #expect(try fixture.findings().isEmpty)
    }

    @Test("takes the permitted steps only; a refusal names the present state and what is permitted", arguments: Pairing.Status.allCases)
    func refusesSteps(from state: Pairing.Status) throws {
        let pairing = try fixture.pairing(state)
        let permitted = Pairing.machine.next(after: state)
        for target in Pairing.Status.allCases where !permitted.contains(target) {
            do throws(DomainError) {
                try fixture.step(pairing, #"{"to":"\#(target.rawValue)"}"#)
                Issue.record("\(state) to \(target) was taken")
            } catch {
                guard case .conflict("state.forbidden", _, let members) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(members.map(\.json) == ["\"\(state.rawValue)\"", "[" + permitted.map { "\"\($0.rawValue)\"" }.joined(separator: ",") + "]"])
            }
        }
        #expect(try test.stored(pairing).meta.rev == pairing.meta.rev)
    }

    @Test("may be declined by either side until it is active, with a reason", arguments: [Pairing.Status.identified, .introduced, .met, .signed])
    func declines(in state: Pairing.Status) throws {
        let pairing = try fixture.pairing(state)
        #expect(faults { try fixture.step(pairing, #"{"to":"declined"}"#, by: .manager(of: fixture.new)) } == ["#/reason field.required"])
        let declined = try fixture.step(pairing, #"{"to":"declined","reason":"Trop loin"}"#, by: .manager(of: fixture.new))
        #expect(declined.closeReason == "Trop loin")
        _ = try fixture.pair()
    }

    // MARK: What a pairing may be

    struct Start: Sendable, CustomTestStringConvertible {
        let name: String
        let since: (sponsor: Int?, sponsored: Int?)
        var kind = "sponsorship"
        var more = ""
        let faults: [String]
        var testDescription: String { name }
    }

    static let starts = [
        Start(name: "just old and just new enough", since: (2011, 2018), faults: []),
        Start(name: "a sponsor too young", since: (2012, 2022), faults: ["#/sponsor_coop_id pairing.sponsor-young"]),
        Start(name: "a sponsored one too old", since: (1930, 2017), faults: ["#/sponsored_coop_id pairing.sponsored-old"]),
        Start(name: "both wrong", since: (2022, 1930), faults: ["#/sponsor_coop_id pairing.sponsor-young", "#/sponsored_coop_id pairing.sponsored-old"]),
        Start(name: "years unknown", since: (nil, nil), faults: ["#/sponsor_coop_id coop.age-unknown", "#/sponsored_coop_id coop.age-unknown"]),
        Start(name: "the federation's override", since: (nil, 1930), more: #","age_override_reason":"Relance""#, faults: []),
        Start(name: "peers of any age", since: (nil, 1930), kind: "peer", faults: []),
        Start(name: "an override for peers", since: (nil, nil), kind: "peer", more: #","age_override_reason":"x""#, faults: ["#/age_override_reason pairing.peer-age"]),
        Start(name: "a date that a later step brings", since: (1930, 2022), more: #","met_on":"2026-03-02""#, faults: ["#/met_on pairing.too-early"]),
        Start(name: "identified tomorrow's morrow", since: (1930, 2022), more: #","identified_on":"2026-03-04""#, faults: ["#/identified_on date.future"]),
    ]

    @Test("joins an established co-op and a new one", arguments: starts)
    func begins(_ start: Start) throws {
        let (one, two) = (try fixture.coop("une", since: start.since.sponsor), try fixture.coop("deux", since: start.since.sponsored))
        #expect(faults { try fixture.pair(one, two, kind: start.kind, start.more) } == start.faults)
    }

    @Test("has its ages in the settings, and counts from the year in which a firm became a co-op")
    func setsAges() throws {
        let strict = try PairingFixture {
            $0.pairingLimits.newYears = 3
            $0.pairingLimits.establishedYears = 100
        }
        #expect(faults { try strict.pair() } == ["#/sponsor_coop_id pairing.sponsor-young", "#/sponsored_coop_id pairing.sponsored-old"])
        let turned = try test.addCoop("horloge", #","founded_year":1968,"coop_since_year":2022"#)
        #expect(refusal { try fixture.pair(fixture.old, turned) } == nil)
        let founded = try test.addCoop("fondee", #","founded_year":2022"#)
        #expect(refusal { try fixture.pair(fixture.old, founded) } == nil)
    }

    @Test("never joins a co-op to itself, nor one that is no member")
    func refusesPartners() throws {
        #expect(faults { try fixture.pair(fixture.old, fixture.old, kind: "peer") } == ["#/sponsored_coop_id pairing.self"])
        for (membership, code) in [("applicant", "coop.not-member"), ("unknown", "coop.not-member"), ("former_member", "coop.former-member")] {
            let other = try test.addCoop("c-\(membership.prefix(3))", membership: membership, #","coop_since_year":2023"#)
            #expect(refusal { try fixture.pair(fixture.old, other) } == code)
        }
    }

    @Test("the federation alone gives an override; a manager proposes for the own co-op, and hears nothing about others")
    func proposes() throws {
        let third = try fixture.coop("tierce", since: 1950)
        #expect(refusal { try fixture.pair(by: .manager(of: third)) } == "scope.not-yours")
        try fixture.pair()
        #expect(refusal { try fixture.pair(by: .manager(of: third)) } == "scope.not-yours", "not that the two have a live pairing")
        #expect(refusal { try fixture.pair(third, fixture.old, #","age_override_reason":"x""#, by: .manager(of: third)) } == "scope.missing")
        #expect(refusal { try fixture.pair(third, fixture.old, kind: "peer", by: .device(of: third)) } == "scope.missing")
        #expect(refusal { try fixture.pair(third, fixture.old, kind: "peer", by: .reader) } == "scope.missing")
    }

    // MARK: Beside others

    @Test("is the only live one of its two co-ops, whichever sponsors; after its end they may begin another")
    func isOnlyOne() throws {
        let first = try fixture.pair()
        #expect(conflict { try fixture.pair(by: .manager(of: fixture.old)) } == ["pairing.live", "[\"\(first.id)\"]"])
        #expect(refusal { try fixture.pair(fixture.new, fixture.old, kind: "peer") } == "pairing.live")
        try fixture.step(first, #"{"to":"declined","reason":"Non"}"#)
        #expect(refusal { try fixture.pair(fixture.new, fixture.old, kind: "peer") } == nil)
    }

    @Test("has one sponsor; who it is, only those hear who may see it")
    func hasOneSponsor() throws {
        let first = try fixture.pair()
        let other = try fixture.coop("autre", since: 1950)
        #expect(conflict { try fixture.pair(other, fixture.new, by: .manager(of: other)) } == ["pairing.has-sponsor"])
        #expect(conflict { try fixture.pair(other, fixture.new) } == ["pairing.has-sponsor", "[\"\(first.id)\"]"])
        #expect(refusal { try fixture.pair(other, fixture.new, kind: "peer") } == nil)
    }

    @Test("is one of three that a sponsor has at most; a setting says how many")
    func isOneOfThree() throws {
        let coops = try (1...4).map { try fixture.coop("neuve-\($0)", since: 2023) }
        let three = try coops.prefix(3).map { try fixture.pair(fixture.old, $0) }
        #expect(conflict { try fixture.pair(fixture.old, coops[3], by: .manager(of: coops[3])) } == ["pairing.sponsor-full"])
        #expect(conflict { try fixture.pair(fixture.old, coops[3]) } == ["pairing.sponsor-full", three.jsonIDs])
        try fixture.step(three[1], #"{"to":"declined","reason":"Non"}"#)
        #expect(refusal { try fixture.pair(fixture.old, coops[3]) } == nil)

        let strict = try PairingFixture { $0.pairingLimits.sponsoredPerSponsor = 1 }
        try strict.pair()
        #expect(refusal { try strict.pair(strict.old, strict.coop("autre", since: 2023)) } == "pairing.sponsor-full")
    }

    @Test("closes no circle of live sponsorships")
    func closesNoCircle() throws {
        let override = #","age_override_reason":"Essai""#
        let third = try fixture.coop("tierce", since: 2000)
        let chain = [try fixture.pair(fixture.new, third, override), try fixture.pair()]
        #expect(conflict { try fixture.pair(third, fixture.old, override) } == ["pairing.cycle", chain.jsonIDs])
        #expect(refusal { try fixture.pair(third, fixture.old, kind: "peer") } == nil)
        try fixture.step(chain[1], #"{"to":"declined","reason":"Non"}"#)
        let fourth = try fixture.coop("quarte", since: 1940)
        #expect(refusal { try fixture.pair(third, fourth, override) } == nil)
    }

    /// The code of a conflict, and the JSON of its members.
    private func conflict(_ body: () throws -> Void) -> [String] {
        do {
            try body()
            return []
        } catch DomainError.conflict(let code, _, let members) {
            return [code] + members.map(\.json)
        } catch { return ["\(error)"] }
    }

    @Test("wins alone against others that are proposed at the same time")
    func winsAlone() throws {
        let proposers = try (1...8).map { try fixture.coop("m-\($0)", since: 1950) }
        try Concurrently.forEach(proposers + proposers) { [fixture] coop in
            _ = refusal { try fixture.pair(coop, fixture.new, by: .manager(of: coop)) }
        }
        #expect(try test.rows("SELECT count(*) FROM pairing WHERE sponsored_coop_id = ?", [fixture.new.id.value]) == [.integer(1)])

        let newcomers = try (1...8).map { try fixture.coop("f-\($0)", since: 2023) }
        try Concurrently.forEach(newcomers + newcomers) { [fixture] coop in
            _ = refusal { try fixture.pair(fixture.old, coop) }
        }
        #expect(try test.rows("SELECT count(*) FROM pairing WHERE sponsor_coop_id = ?", [fixture.old.id.value]) == [.integer(3)])

        let override = #","age_override_reason":"Essai""#
        try Concurrently.forEach([(0, 1), (1, 2), (2, 0), (0, 2), (2, 1), (1, 0)]) { [fixture] sponsor, sponsored in
            _ = refusal { try fixture.pair(proposers[sponsor], proposers[sponsored], override) }
        }
        let ring = proposers.prefix(3).map { "'\($0.id)'" }.joined(separator: ",")
        #expect(try test.rows("SELECT count(*) FROM pairing WHERE sponsor_coop_id IN (\(ring)) AND sponsored_coop_id IN (\(ring))") == [.integer(2)])
        #expect(try fixture.findings().isEmpty)
    }

    @Test("keeps a co-op from leaving the federation until it is over")
    func keepsMembers() throws {
        let pairing = try fixture.pair()
        #expect(conflict { try test.patch(fixture.new, #"{"membership":"former_member"}"#) } == ["coop.live-records", [pairing].jsonIDs])
        try fixture.step(pairing, #"{"to":"declined","reason":"Départ"}"#)
        #expect(refusal { try test.patch(fixture.new, #"{"membership":"former_member"}"#) } == nil)
    }

    // MARK: Changing it

    @Test("each side's referent is of that side, and active once the pairing is")
    func checksReferents() throws {
        let pairing = try fixture.pairing(.signed)
        let (elder, newcomer) = (fixture.elder.id, fixture.newcomer.id)
        #expect(faults { try test.patch(pairing, #"{"sponsor_referent_id":"\#(newcomer)","sponsored_referent_id":"\#(elder)"}"#, by: .admin) } == [
            "#/sponsor_referent_id reference.unknown", "#/sponsored_referent_id reference.unknown",
        ])
        let designated = try test.addReferent(of: fixture.new)
        try test.patch(pairing, #"{"sponsored_referent_id":"\#(designated.id)"}"#, by: .manager(of: fixture.new))
        let step = #"{"to":"active","channel":"phone","cadence_days":60,"sponsor_referent_id":"\#(elder)"}"#
        #expect(faults { try fixture.step(pairing, step) } == ["#/sponsored_referent_id pairing.referent-inactive"])
        try test.step(designated, #"{"to":"active"}"#)
        try fixture.step(pairing, step)
        try test.step(designated, #"{"to":"ended"}"#)
        #expect(try test.patch(pairing, #"{"cadence_days":90}"#, by: .admin).cadenceDays == 90, "an ended mandate is in nobody's way")
        #expect(faults { try test.patch(pairing, #"{"channel":null}"#, by: .admin) } == ["#/channel field.required"])
        #expect(refusal { try test.delete(try test.addReferent(of: fixture.new)) } == nil)
        try fixture.step(pairing, #"{"to":"paused","reason":"Vacance"}"#)
        #expect(faults { try fixture.step(pairing, #"{"to":"active"}"#) } == ["#/sponsored_referent_id pairing.referent-inactive"])
        #expect(try fixture.step(pairing, #"{"to":"active","sponsored_referent_id":"\#(newcomer)"}"#).sponsoredReferentID == newcomer)
    }

    @Test("is mended by both sides, but for what the federation says; dates keep rising")
    func mends() throws {
        let pairing = try fixture.pairing(.signed)
        #expect(try test.patch(pairing, #"{"topics":["Gouvernance"],"agreement_ref":"B"}"#, by: .manager(of: fixture.new)).agreementRef == "B")
        #expect(refusal { try test.patch(pairing, #"{"introduced_on":"2026-03-01"}"#, by: .manager(of: fixture.new)) } == "scope.missing")
        #expect(refusal { try test.patch(pairing, #"{"topics":[]}"#, by: .device(of: fixture.new)) } == "scope.missing")
        #expect(faults { try test.patch(pairing, #"{"met_on":"2026-03-01"}"#, by: .admin) } == ["#/met_on date.order"])
        #expect(faults { try test.patch(pairing, #"{"signed_on":null}"#, by: .admin) } == ["#/signed_on field.required"])
        #expect(faults { try test.patch(pairing, #"{"kind":"peer"}"#, by: .admin) } == ["#/kind field.read-only"])
        try test.patch(pairing, #"{"identified_on":"2026-02-01","introduced_on":"2026-02-10","met_on":"2026-02-20"}"#, by: .admin)
    }

    // MARK: Who sees it

    @Test("is seen by the two, the federation and its dashboards, which do not see reasons; others see nothing")
    func isSeen() throws {
        let pairing = try fixture.step(fixture.pairing(.signed), #"{"to":"declined","reason":"Secret"}"#)
        let third = try fixture.coop("tierce", since: 1950)
        for caller in [Caller.admin, .manager(of: fixture.old), .device(of: fixture.new)] {
            #expect(try test.document(of: pairing, for: caller)?["close_reason"]?.stringValue == "Secret")
        }
        let shown = try #require(try test.document(of: pairing, for: .reader))
        #expect(shown["status"]?.stringValue == "declined")
        #expect(shown["close_reason"] == nil && shown["pause_reason"] == nil && shown["age_override_reason"] == nil)
        for caller in [Caller.manager(of: third), .device(of: third), .anonymous] { #expect(try test.document(of: pairing, for: caller) == nil) }
    }
}
