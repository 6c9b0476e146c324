@testable import Domain
import TestSupport
import Testing

@Suite("A meeting of a pairing")
struct MeetingTests {
    let fixture: PairingFixture
    private var test: TestFederation { fixture.test }

    init() throws { fixture = try PairingFixture() }

    struct Due: Sendable, CustomTestStringConvertible {
        let name: String
        /// Days held and days agreed on, of meetings after the signing on 2 March 2026.
        var meetings: [(held: String, next: String?)] = []
        /// A day agreed on at the meeting that came before the signing.
        var agreedBefore: String?
        var signsAfterDays: Int64 = 0
        let due: String
        var testDescription: String { name }
    }

    static let dues = [
        Due(name: "from the signing", due: "2026-04-01"),
        Due(name: "from the last meeting", meetings: [("2026-03-10", nil)], due: "2026-04-09"),
        Due(name: "as agreed at the last one", meetings: [("2026-03-10", "2026-03-17")], due: "2026-03-17"),
        Due(name: "not as agreed at an earlier one", meetings: [("2026-03-10", "2026-06-01"), ("2026-03-20", nil)], due: "2026-04-19"),
        Due(name: "whichever was logged last", meetings: [("2026-03-20", nil), ("2026-03-10", "2026-06-01")], due: "2026-04-19"),
        Due(name: "agreed on before the signing, for a day after it", agreedBefore: "2026-03-15", due: "2026-03-15"),
        Due(name: "agreed on before the signing, for a day before it", agreedBefore: "2026-03-05", signsAfterDays: 10, due: "2026-04-11"),
    ]

    @Test("moves the day on which the next one is due", arguments: dues)
    func isDue(_ due: Due) throws {
        var pairing = try fixture.step(fixture.pair(), #"{"to":"introduced"}"#)
        try fixture.meet(pairing, due.agreedBefore.map { #","next_on":"\#($0)""# } ?? "")
        test.clock.advance(days: due.signsAfterDays)
        for state in [Pairing.Status.met, .signed, .active] { pairing = try fixture.step(pairing, try #require(fixture.steps[state])) }
        test.clock.advance(days: 30)
        for meeting in due.meetings { try fixture.meet(pairing, on: meeting.held, mode: "phone", meeting.next.map { #","next_on":"\#($0)""# } ?? "") }
        let stored = try test.stored(pairing)
        #expect(stored.nextMeetingDueOn?.text == due.due)
        #expect(stored.meetingCount == due.meetings.count + 1)
        #expect(stored.lastMeetingOn?.text == (due.meetings.map(\.held).max() ?? "2026-03-02"))
        #expect(try fixture.findings().isEmpty)
    }

    @Test("lets nobody's edit of the pairing go stale, and is counted off when deleted")
    func keepsEdits() throws {
        let pairing = try fixture.pairing(.active)
        let read = Expectation.oneOf([ETag(rev: pairing.meta.rev, layer: Audience.federation.letter)])
        let meeting = try fixture.meet(pairing, mode: "phone")
        #expect(try test.stored(pairing).meta.rev > pairing.meta.rev)
        #expect(try test.patch(pairing, #"{"cadence_days":60}"#, expecting: read, by: .admin).nextMeetingDueOn?.text == "2026-05-01")
        #expect(refusal { try test.patch(pairing, #"{"cadence_days":90}"#, expecting: read, by: .admin) } == "stale")
        try test.delete(meeting, by: .manager(of: fixture.old))
        #expect(try test.stored(pairing).meetingCount == 1)
        #expect(try fixture.findings().isEmpty)
    }

    @Test("is logged by devices, which change nothing afterwards; the device's own mandate is taken for who was there")
    func isLogged() throws {
        let pairing = try fixture.pairing(.introduced)
        let device = Caller.device(of: fixture.new, referent: fixture.newcomer)
        let meeting = try fixture.meet(pairing, #","minutes":"Bon début""#, by: device)
        #expect(meeting.referentIDs == [fixture.newcomer.id])
        #expect(refusal { try test.patch(meeting, #"{"minutes":"x"}"#, by: device) } == "scope.missing")
        #expect(refusal { try test.delete(meeting, by: device) } == "scope.missing")
        #expect(try test.patch(meeting, #"{"referent_ids":["\#(fixture.elder.id)"]}"#, by: .manager(of: fixture.old)).referentIDs == [fixture.elder.id])
        #expect(refusal { try test.delete(fixture.elder) } == "referent.has-served")
    }

    @Test("names people of the two co-ops, and days that fit")
    func checks() throws {
        let pairing = try fixture.pairing(.introduced)
        let third = try fixture.coop("tierce", since: 1950)
        let stranger = try test.addReferent(of: third)
        #expect(faults { try fixture.meet(pairing, on: "2026-03-04", #","next_on":"2026-03-04","referent_ids":["\#(fixture.elder.id)","\#(stranger.id)"]"#) } == [
            "#/held_on date.future", "#/next_on date.order", "#/referent_ids/1 reference.unknown",
        ])
        #expect(faults { try fixture.meet(pairing, by: .manager(of: third)) } == ["#/pairing_id reference.unknown"])
        let designated = try test.addReferent(of: fixture.old)
        try fixture.meet(pairing, #","referent_ids":["\#(designated.id)"]"#)
        #expect(refusal { try test.delete(designated) } == "record.in-use")
    }

    @Test("in person stays where the pairing rests on it; none is added to a pairing that is over")
    func isNeeded() throws {
        let pairing = try fixture.pairing(.introduced)
        let first = try fixture.meet(pairing)
        try fixture.step(pairing, #"{"to":"met"}"#)
        #expect(refusal { try test.delete(first, by: .admin) } == "meeting.needed")
        #expect(refusal { try test.patch(first, #"{"mode":"video"}"#, by: .admin) } == "meeting.needed")
        let second = try fixture.meet(pairing)
        try test.delete(first, by: .admin)
        try fixture.step(pairing, #"{"to":"declined","reason":"Non"}"#)
        #expect(refusal { try fixture.meet(pairing) } == "pairing.over")
        #expect(refusal { try test.delete(second, by: .admin) } == "pairing.over")
        #expect(try test.patch(second, #"{"minutes":"Au revoir"}"#, by: .manager(of: fixture.new)).minutes == "Au revoir")
    }

    @Test("before the introduction does not make the two have met")
    func comesAfterIntroduction() throws {
        let pairing = try fixture.pair(nil, nil, #","identified_on":"2026-01-05""#)
        try fixture.meet(pairing, on: "2026-01-10")
        try fixture.step(pairing, #"{"to":"introduced","introduced_on":"2026-02-01"}"#)
        #expect(faults { try fixture.step(pairing, #"{"to":"met","met_on":"2026-02-02"}"#) } == ["#/to pairing.not-met"])
        try test.patch(pairing, #"{"introduced_on":"2026-01-08"}"#, by: .admin)
        #expect(try fixture.step(pairing, #"{"to":"met"}"#).metOn?.text == "2026-01-10")
    }

    @Test("is for the two and the federation, not for dashboards")
    func isPrivate() throws {
        let meeting = try fixture.meet(fixture.pairing(.active), #","minutes":"Entre nous""#)
        for caller in [Caller.admin, .manager(of: fixture.old), .manager(of: fixture.new), .device(of: fixture.new)] {
            #expect(try test.document(of: meeting, for: caller)?["minutes"]?.stringValue == "Entre nous")
        }
        let third = try fixture.coop("tierce", since: 1950)
        for caller in [Caller.reader, .manager(of: third), .device(of: third), .anonymous] { #expect(try test.document(of: meeting, for: caller) == nil) }
    }
}
