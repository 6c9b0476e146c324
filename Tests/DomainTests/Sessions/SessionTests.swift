@testable import Domain
import JSON
import TestSupport
import Testing

@Suite("A group session")
struct SessionTests {
    @Test("for more people than workstations needs somebody who leads it; the refusal names both cures")
    func needsEquipment() throws {
        let fixture = try SessionFixture(workstations: 2)
        let session = try fixture.session()
        #expect(faults { try fixture.step(session, #"{"to":"open"}"#) } == ["#/facilitator_id session.equipment", "#/capacity session.equipment"])
        #expect(faults { _ = try fixture.open() } == ["#/facilitator_id session.equipment", "#/capacity session.equipment"])
        _ = try fixture.test.patch(session, #"{"facilitator_id":"\#(fixture.facilitator.id)"}"#, by: fixture.manager)
        #expect(try fixture.step(session, #"{"to":"open"}"#).status == .open)
        #expect(faults { _ = try fixture.test.patch(session, #"{"facilitator_id":null}"#, by: fixture.manager) }.count == 2)
        #expect(refusal { try fixture.test.delete(fixture.facilitator, by: fixture.manager) } == "record.in-use")
        #expect(try fixture.findings().isEmpty)
    }

    @Test("that is projected needs a projector and a facilitator, and no workstation")
    func projects() throws {
        let fixture = try SessionFixture(workstations: 0, projector: true)
        #expect(faults { _ = try fixture.open(#","mode":"projected""#) } == ["#/facilitator_id session.equipment"])
        #expect(try fixture.open(#","mode":"projected","facilitator_id":"\#(fixture.facilitator.id)""#).status == .open)
        let bare = try SessionFixture(workstations: 5)
        #expect(faults { _ = try bare.open(#","mode":"projected","facilitator_id":"\#(bare.facilitator.id)""#) } == ["#/mode session.equipment"])
    }

    @Test("shares a site's workstations, its projector and a facilitator with no other at the same time")
    func overlaps() throws {
        let fixture = try SessionFixture(workstations: 6, projector: true)
        let first = try fixture.open(capacity: 4)
        #expect(refusal { _ = try fixture.session(starts: "2026-03-12T15:00:00Z", capacity: 3) } == "session.overlap")
        _ = try fixture.session(starts: "2026-03-12T15:00:00Z", capacity: 2)
        _ = try fixture.session(starts: "2026-03-12T15:30:00Z", capacity: 4)
        #expect(refusal { _ = try fixture.test.patch(first, #"{"capacity":5}"#, by: fixture.manager) } == "session.overlap")
        let lead = #","facilitator_id":"\#(fixture.facilitator.id)""#
        _ = try fixture.session(lead + #","mode":"projected""#)
        #expect(refusal { _ = try fixture.session(lead + #","mode":"projected""#) } == "session.overlap")
        #expect(refusal { _ = try fixture.session(lead, starts: "2026-03-12T13:00:00Z", capacity: 1) } == "session.overlap")
    }

    @Test("is not left without what it needs by a change of its site")
    func bindsTheSite() throws {
        let fixture = try SessionFixture(workstations: 5)
        let session = try fixture.open()
        for patch in [#"{"workstations":4}"#, #"{"seats":4}"#] {
            #expect(refusal { _ = try fixture.test.patch(fixture.site, patch, by: fixture.manager) } == "site.sessions")
        }
        _ = try fixture.test.patch(fixture.site, #"{"workstations":9}"#, by: fixture.manager)
        try fixture.step(session, #"{"to":"cancelled"}"#)
        _ = try fixture.test.patch(fixture.site, #"{"workstations":0}"#, by: fixture.manager)
    }

    @Test("is about what the co-op does, unless it is forced, and about a published module")
    func isRelevant() throws {
        let fixture = try SessionFixture()
        _ = try fixture.test.patch(fixture.module, #"{"related_activity":"syndic"}"#)
        let session = try fixture.session()
        #expect(faults { try fixture.step(session, #"{"to":"open"}"#) } == ["#/module_id session.module-irrelevant"])
        #expect(try fixture.step(session, #"{"to":"open","force":true}"#).forced)
        _ = try fixture.test.patch(fixture.module, #"{"status":"retired"}"#)
        #expect(faults { _ = try fixture.session(starts: "2026-04-01T14:00:00Z") } == ["#/module_id session.module-unpublished"])
    }

    @Test("is shown by state: a draft to its co-op and the federation, an open one to anyone, a held one to the network", arguments: [
        ("draft", [true, true, false, false, false]), ("open", [true, true, true, true, true]), ("closed", [true, true, true, false, false]),
        ("held", [true, true, true, true, false]), ("cancelled", [true, true, true, false, false]),
    ])
    func isShown(_ state: String, _ seen: [Bool]) throws {
        let fixture = try SessionFixture()
        let other = try fixture.test.addCoop("b")
        let session = try fixture.session()
        if state != "draft" { try fixture.step(session, #"{"to":"open"}"#) }
        if state == "held" { fixture.test.clock.advance(days: 11) }
        if !["draft", "open"].contains(state) { try fixture.step(session, #"{"to":"\#(state)"}"#) }
        let documents = try [.manager(of: fixture.coop), .admin, .reader, .manager(of: other), .anonymous].map { try fixture.test.document(of: session, for: $0) }
        #expect(documents.map { $0 != nil } == seen)
        #expect(documents[3]?["seats_confirmed"] == nil)
        #expect(documents[4]?["facilitator_id"] == nil)
        #expect(try fixture.findings().isEmpty)
    }

    @Test("closes by the clock, opens again with a closing to come, and is held from its beginning on; the co-op has covered the module")
    func runs() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(#","registration_closes_at":"2026-03-10T12:00:00Z""#)
        #expect(refusal { try fixture.step(session, #"{"to":"held"}"#) } == "session.not-started")
        fixture.test.clock.advance(days: 9)
        try fixture.runDue()
        #expect(try fixture.test.stored(session).status == .closed)
        #expect(faults { try fixture.step(session, #"{"to":"open"}"#) } == ["#/registration_closes_at date.past"])
        try fixture.step(session, #"{"to":"open","registration_closes_at":"2026-03-12T12:00:00Z"}"#)
        fixture.test.clock.advance(days: 2)
        try fixture.runDue()
        #expect(try fixture.step(session, #"{"to":"held"}"#).status == .held)
        #expect(try fixture.test.stored(fixture.coop).coveredModuleIDs == [fixture.module.id])
        #expect(refusal { _ = try fixture.test.patch(session, #"{"capacity":1}"#, by: fixture.manager) } == "session.over")
        #expect(try fixture.findings().isEmpty)
    }

    @Test("tells calendars of a new time, place or call-off, and of nothing else")
    func numbersItsCalendar() throws {
        let fixture = try SessionFixture()
        var session = try fixture.session()
        session = try fixture.test.patch(session, #"{"duration_min":60}"#, by: fixture.manager)
        #expect(session.icalSequence == 0)
        try fixture.step(session, #"{"to":"open"}"#)
        session = try fixture.test.patch(session, #"{"starts_at":"2026-03-13T14:00:00Z"}"#, by: fixture.manager)
        #expect(session.icalSequence == 1)
        #expect(session.registrationClosesAt == session.startsAt)
        session = try fixture.test.patch(session, #"{"capacity":4}"#, by: fixture.manager)
        #expect(session.icalSequence == 1)
        #expect(try fixture.step(session, #"{"to":"cancelled"}"#).icalSequence == 2)
    }

    @Test("takes its zone and local time from the site, overseas and across a change of clock", arguments: [
        ("974", "2026-03-28T22:30:00Z", "2026-03-29T02:30", "Indian/Reunion"), ("35", "2026-03-29T01:30:00Z", "2026-03-29T03:30", "Europe/Paris"),
        ("971", "2026-10-25T01:30:00Z", "2026-10-24T21:30", "America/Guadeloupe"), ("976", "2026-10-25T01:30:00Z", "2026-10-25T04:30", "Indian/Mayotte"),
    ])
    func isLocal(department: String, starts: String, local: String, zone: String) throws {
        let session = try SessionFixture(department: department).session(starts: starts)
        #expect(session.startsLocal == local)
        #expect(session.timeZone.rawValue == zone)
    }

    @Test("of another co-op is not written, and its sites and facilitators serve nobody else")
    func isOnesOwn() throws {
        let fixture = try SessionFixture()
        let other = try fixture.test.addCoop("b")
        let session = try fixture.open()
        #expect(refusal { _ = try fixture.test.patch(session, #"{"capacity":1}"#, by: .manager(of: other)) } == "scope.not-yours")
        #expect(refusal { _ = try fixture.test.patch(session, #"{"capacity":1}"#, by: .admin) } == "scope.missing")
        let body = #"{"site_id":"\#(fixture.site.id)","module_id":"\#(fixture.module.id)","starts_at":"2026-04-12T14:00:00Z","capacity":1"#
        #expect(faults { _ = try fixture.test.create(Session.self, body + "}", by: .manager(of: other)) } == ["#/site_id reference.unknown"])
        #expect(refusal { _ = try fixture.test.create(Session.self, body + #","coop_id":"\#(fixture.coop.id)"}"#, by: .manager(of: other)) } == "scope.not-yours")
    }
}
