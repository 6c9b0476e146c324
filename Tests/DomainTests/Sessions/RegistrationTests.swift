@testable import Domain
import JSON
import TestSupport
import Testing

@Suite("A registration")
struct RegistrationTests {
    @Test("gets a seat while there is one, then a rank and the reason; a seat that falls free goes to the next")
    func queues() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 3)
        let (a, b) = (try fixture.register(session, "Anne", size: 2), try fixture.register(session, "Ben"))
        let (c, d) = (try fixture.register(session, "Chloé"), try fixture.register(session, "Driss"))
        #expect([a.status, b.status, c.status, d.status] == [.confirmed, .confirmed, .waitlisted, .waitlisted])
        #expect([c.rank, d.rank] == [1, 2])
        #expect(c.notPromotedReason == .full)
        #expect(!a.wasWaitlisted && c.wasWaitlisted)
        try fixture.step(b, #"{"to":"cancelled"}"#)
        let after = try [c, d].map { try fixture.test.stored($0) }
        #expect(after.map(\.status) == [.confirmed, .waitlisted])
        #expect(after.map(\.rank) == [nil, 1])
        #expect(after[0].contactTask == .toCall)
        let stored = try fixture.test.stored(session)
        #expect([stored.freeSeats, stored.seatsConfirmed, stored.waitingParties, stored.waitingSeats] == [0, 3, 1, 1])
        #expect(try fixture.findings().isEmpty)
    }

    @Test("is offered the seat where the session says so; taken, declined or too late, the next hears")
    func isOffered() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(#","offer_hours":24"#, capacity: 1)
        let seat = try fixture.register(session, "Anne")
        let queue = try ["Ben", "Chloé", "Driss"].map { try fixture.register(session, $0, size: 1, $0 == "Ben" ? #","email":"ben@exemple.coop""# : "") }
        try fixture.step(seat, #"{"to":"cancelled"}"#)
        let offered = try fixture.test.stored(queue[0])
        #expect(offered.status == .offered)
        #expect(offered.offerExpiresAt?.text == "2026-03-03T09:00:00.000Z")
        #expect(offered.contactTask == .none)
        // The change has had the server look for what is due; that is over when another write is.
        try fixture.test.federation.perform { _ in }
        fixture.test.clock.advance(days: 1)
        // The server's own timer may have been quicker.
        #expect(["offer.expired", "state.forbidden"].contains(refusal { try fixture.step(offered, #"{"to":"confirmed"}"#) }))
        try fixture.runDue()
        #expect(try fixture.test.stored(queue[0]).status == .expired)
        let next = try fixture.test.stored(queue[1])
        #expect(next.status == .offered)
        #expect(next.offerExpiresAt?.text == "2026-03-04T09:00:00.000Z")
        #expect(next.contactTask == .toCall)
        try fixture.step(next, #"{"to":"cancelled"}"#)
        #expect(try fixture.step(fixture.test.stored(queue[2]), #"{"to":"confirmed"}"#).status == .confirmed)
        #expect(try fixture.findings().isEmpty)
    }

    @Test("strictly in turn long before the beginning; near it, whoever fits may pass")
    func passes() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 3)
        let (seat, _) = (try fixture.register(session, "Anne"), try fixture.register(session, "Ben", size: 2))
        let (large, small) = (try fixture.register(session, "Chloé", size: 2), try fixture.register(session, "Driss"))
        try fixture.step(seat, #"{"to":"cancelled"}"#)
        #expect(try fixture.test.stored(large).notPromotedReason == .partyTooLarge)
        #expect(try fixture.test.stored(small).notPromotedReason == .behindLargerParty)
        fixture.test.clock.advance(days: 7)
        fixture.test.clock.advance(seconds: 6 * 3600)
        try fixture.runDue()
        #expect(try fixture.test.stored(small).status == .confirmed)
        #expect(try fixture.test.stored(large).rank == 1)
    }

    @Test("on paper ranks by its receipt, a date as noon there, and never takes a held seat")
    func ranksByReceipt() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(#","registration_opens_at":"2026-02-20T08:00:00Z""#, capacity: 1)
        let seat = try fixture.register(session, "Anne")
        let online = try fixture.register(session, "Ben")
        let slip = try fixture.register(session, "Chloé", size: 1, #","channel":"paper","received_at":"2026-03-01""#)
        #expect(slip.receivedAt.text == "2026-03-01T11:00:00.000Z")
        #expect(slip.rank == 1)
        #expect(slip.keyedAt?.text == "2026-03-02T09:00:00.000Z")
        #expect(try fixture.test.stored(online).rank == 2)
        #expect(try fixture.test.stored(seat).status == .confirmed)
        let early = try fixture.register(session, "Driss", size: 1, #","channel":"phone","received_at":"2026-02-19""#)
        #expect(early.receivedAt == session.registrationOpensAt)
        #expect(faults { try fixture.register(session, "Elsa", size: 1, #","channel":"paper","received_at":"2026-03-03""#) } == ["#/received_at date.future"])
        #expect(faults { try fixture.register(session, "Elsa", size: 1, #","channel":"paper","received_at":"2026-02-10""#) } == ["#/received_at date.past"])
        #expect(faults { try fixture.register(session, "Elsa", size: 1, #","received_at":"2026-03-01""#) } == ["#/received_at registration.channel"])
        #expect(try fixture.register(session, "Elsa", size: 1, #","channel":"paper","received_at":"2026-03-02""#).receivedAt.text == "2026-03-02T09:00:00.000Z")
    }

    @Test("grows into free seats that nobody waits for; one that waits and grows goes to the end, one that shrinks keeps its place")
    func changesSize() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 4)
        let first = try fixture.register(session, "Anne", size: 2)
        #expect(try fixture.test.patch(first, #"{"party_size":3}"#, by: fixture.manager).status == .confirmed)
        let waiting = try [("Ben", 2), ("Chloé", 2)].map { try fixture.register(session, $0.0, size: $0.1) }
        #expect(refusal { _ = try fixture.test.patch(first, #"{"party_size":4}"#, by: fixture.manager) } == "session.full")
        _ = try fixture.test.patch(waiting[0], #"{"party_size":3}"#, by: fixture.manager)
        #expect(try waiting.map { try fixture.test.stored($0).rank } == [2, 1])
        _ = try fixture.test.patch(waiting[1], #"{"party_size":1}"#, by: fixture.manager)
        #expect(try fixture.test.stored(waiting[1]).status == .confirmed)
        #expect(try fixture.test.stored(waiting[0]).rank == 1)
        #expect(faults { _ = try fixture.test.patch(waiting[0], #"{"party_size":5}"#, by: fixture.manager) } == ["#/party_size registration.party-size"])
        #expect(refusal { _ = try fixture.test.patch(session, #"{"capacity":3}"#, by: fixture.manager) } == "session.seats-held")
        _ = try fixture.test.patch(first, #"{"party_size":1}"#, by: fixture.manager)
        #expect(refusal { _ = try fixture.test.patch(session, #"{"capacity":2}"#, by: fixture.manager) } == "session.seats-held")
        #expect(try fixture.findings().isEmpty)
    }

    @Test("needs a name and one means of contact, e-mail or not, and is refused twice for one contact, however it is written")
    func needsContact() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open()
        func post(_ fields: String, by caller: Caller? = nil) throws {
            try fixture.test.create(Registration.self, #"{"session_id":"\#(session.id)",\#(fields)}"#, by: caller ?? fixture.manager)
        }
        #expect(faults { try post(#""contact_name":"Anne""#) } == ["#/phone registration.contact"])
        #expect(faults { try post(#""contact_name":null,"phone":"0299000000""#) } == ["#/contact_name field.required"])
        try post(#""contact_name":"Anne","email":"Anne@Exemple.coop""#)
        #expect(refusal { try post(#""contact_name":"A.","email":"anne@exemple.COOP""#) } == "registration.duplicate")
        try post(#""contact_name":"Ben Ali","phone":"02 99 00 00 00","channel":"phone""#)
        #expect(refusal { try post(#""contact_name":"B","phone":"+33299000000""#) } == "registration.duplicate")
        try post(#""contact_name":"Chloé  Le Goff","postal":"1 rue de l'Église""#)
        #expect(refusal { try post(#""contact_name":"chloe le goff","postal":"1 RUE  DE L'EGLISE""#) } == "registration.duplicate")
        try post(#""contact_name":"Anne","email":"anne@exemple.coop""#, by: .anonymous)
        let flagged = try fixture.test.rows("SELECT entry_no FROM registration WHERE duplicate_suspected = 1")
        #expect(flagged == [.integer(4)])
        #expect(faults { try post(#""contact_name":"X","phone":"0299111111","channel":"paper","contact_task":"done""#, by: .anonymous) }
            == ["#/contact_task field.read-only", "#/channel registration.channel"])
    }

    @Test("ends with its session: called off, all are told; held, those who still waited have expired; presence is marked by the desk")
    func ends() throws {
        let fixture = try SessionFixture()
        let off = try fixture.open(capacity: 1)
        let (one, two) = (try fixture.register(off, "Anne"), try fixture.register(off, "Ben"))
        try fixture.step(off, #"{"to":"cancelled"}"#)
        #expect(try [one, two].map { try fixture.test.stored($0).status } == [.sessionCancelled, .sessionCancelled])
        #expect(try fixture.test.stored(two).contactTask == .toCall)

        let session = try fixture.open(capacity: 3)
        let (come, away, wait) = (try fixture.register(session, "Anne", size: 2), try fixture.register(session, "Ben"), try fixture.register(session, "Chloé"))
        let helper = Caller.helper(of: fixture.coop)
        #expect(refusal { try fixture.step(come, #"{"to":"attended"}"#, by: helper) } == "session.not-started")
        fixture.test.clock.advance(days: 11)
        try fixture.runDue()
        #expect(refusal { try fixture.step(come, #"{"to":"cancelled"}"#, by: helper) } == "scope.missing")
        #expect(refusal { try fixture.step(come, #"{"to":"attended"}"#, by: .device(of: fixture.coop)) } == "not found")
        #expect(faults { try fixture.step(come, #"{"to":"attended","attended_count":3}"#, by: helper) } == ["#/attended_count number.range"])
        #expect(try fixture.step(come, #"{"to":"attended","attended_count":1}"#, by: helper).attendedCount == 1)
        try fixture.step(session, #"{"to":"held"}"#)
        #expect(try fixture.step(away, #"{"to":"absent"}"#).attendedCount == 0)
        #expect(try fixture.test.stored(wait).status == .expired)
        let stored = try fixture.test.stored(session)
        #expect([stored.seatsConfirmed, stored.attendedCount, stored.waitingParties] == [3, 1, 0])
        fixture.test.clock.advance(days: 31)
        #expect(refusal { try fixture.step(away, #"{"to":"attended"}"#) } == "registration.presence-fixed")
        #expect(try fixture.findings().isEmpty)
    }

    @Test("is for the desk by name, need and presence, for the office in full, for nobody else")
    func isShown() throws {
        let fixture = try SessionFixture()
        let other = try fixture.test.addCoop("b")
        let one = try fixture.register(try fixture.open(), "Anne")
        let desk = try fixture.test.document(of: one, for: .helper(of: fixture.coop))
        #expect(desk?["contact_name"]?.stringValue == "Anne")
        #expect(desk?["phone"] == nil)
        #expect(try fixture.test.document(of: one, for: fixture.manager)?["phone"] != nil)
        for caller in [Caller.device(of: fixture.coop), .manager(of: other), .helper(of: other), .admin, .reader, .anonymous] {
            #expect(try fixture.test.document(of: one, for: caller) == nil)
        }
    }

    @Test("is forgotten in time: 30 days after the session without a seat, 90 with one; the counts stay, and a volunteer goes after six months")
    func isForgotten() throws {
        let fixture = try SessionFixture()
        let volunteer = try fixture.test.create(Facilitator.self, #"{"display_name":"Ana","kind":"volunteer_cooperator","contact":"06"}"#, by: fixture.manager)
        let session = try fixture.open(#","facilitator_id":"\#(volunteer.id)""#, capacity: 1)
        let (seat, wait) = (try fixture.register(session, "Zibeline", size: 1, #","needs":["large_print"]"#), try fixture.register(session, "Quettehou"))
        func run(_ days: Int64) throws -> [RecordType] {
            fixture.test.clock.advance(days: days)
            _ = try fixture.test.federation.applyRetention()
            return try fixture.test.federation.applyRetention(dryRun: true).parts.filter { !$0.ids.isEmpty }.map(\.type)
        }
        #expect(try run(10 + 29) == [])
        #expect(try fixture.test.stored(wait).contactName == "Quettehou")
        #expect(try run(1) == [])
        #expect(try fixture.test.stored(wait).contactName == nil)
        #expect(try fixture.test.stored(seat).contactName == "Zibeline")
        #expect(try run(60) == [])
        let forgotten = try fixture.test.stored(seat)
        #expect((forgotten.contactName, forgotten.phone, forgotten.needs, forgotten.partySize) == (nil, nil, [], 1))
        #expect(try fixture.test.rows("SELECT count(*) FROM document WHERE entry LIKE '%Zibeline%' OR entry LIKE '%Quettehou%'") == [.integer(0)])
        #expect(try fixture.test.stored(session).seatsConfirmed == 1)
        #expect(try fixture.test.stored(volunteer).displayName == "Ana")
        #expect(try run(100) == [])
        #expect(try fixture.test.stored(volunteer).displayName == "ancien animateur")
        #expect(try fixture.findings().isEmpty)
    }
}
