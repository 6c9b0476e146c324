@testable import Domain
import JSON
import SQLite
import TestSupport
import Testing
import Text

/// Many who sign up for one session at once: the writer takes them together, and tells of the session once.
@Suite("A crowd")
struct CrowdTests {
    private static let refusal = DomainError.conflict(code: "no", Bilingual(en: "No.", fr: "Non."))

    /// What a part of a batch does.
    private typealias Part = @Sendable (Transaction) throws(DomainError) -> Int64

    /// Runs the parts as one batch of the writer, and gives back what each returned, or nil where it was refused.
    private func together(_ fixture: SessionFixture, _ parts: [Part]) -> [Int64?] {
        let gate = Monitor(false)
        fixture.test.federation.write({ (tx) throws(DomainError) in gate.when({ $0 }) { _ in } }) { _ in }
        let done = Monitor<[Int64?]>([])
        for part in parts {
            fixture.test.federation.write(part) { result in done.change { $0.append(try? result.get()) } }
        }
        gate.change { $0 = true }
        return done.when({ $0.count == parts.count }) { $0 }
    }

    private func signUp(_ session: Session, _ name: String, isRefused: Bool = false) -> Part {
        { (tx) throws(DomainError) in
            let draft = try Draft<Registration>(TestJSON.parse(#"{"session_id":"\#(session.id)","contact_name":"\#(name)","postal":"rue \#(name)"}"#), for: .create)
            let registration = try Registration.store.create(draft, by: .anonymous, in: tx).record
            if isRefused { throw Self.refusal }
            return registration.meta.rev
        }
    }

    /// What anyone sees of a session's seats.
    private func freeSeats(_ fixture: SessionFixture, _ session: Session) throws -> Int? {
        try fixture.test.document(of: session, for: .anonymous)?["free_seats"]?.integerValue.map { Int($0) }
    }

    private func fullEvents(_ fixture: SessionFixture) throws -> Int {
        try fixture.test.rows("SELECT rev FROM webhook_event WHERE type = 'session.full'").count
    }

    private func listen(_ fixture: SessionFixture) throws {
        var draft = Webhook.Draft()
        draft.url = "https://exemple.coop/"
        draft.events = ["*"]
        let made = draft
        _ = try fixture.test.federation.perform { (tx) throws(DomainError) in try Webhook.create(made, by: .admin, in: tx) }
    }

    @Test("publishes the session once, after them all, with what they all changed")
    func once() throws {
        let fixture = try SessionFixture()
        try listen(fixture)
        let session = try fixture.open(capacity: 3)
        let head = fixture.test.head
        let revs = together(fixture, ["Anne", "Ben", "Chloé", "Driss"].map { signUp(session, $0) })
        #expect(revs == (1...4).map { head + $0 })
        #expect(fixture.test.head == head + 5)
        #expect(try fixture.test.stored(session).meta.rev == head + 5)
        #expect(try freeSeats(fixture, session) == 0)
        #expect(try fixture.test.document(of: session, for: fixture.manager)?["waiting_parties"]?.integerValue == 1)
        #expect(try fixture.test.rows("SELECT rev FROM webhook_event WHERE type = 'session.full'") == [.integer(head + 5)])
        #expect(try fixture.findings().isEmpty)
    }

    @Test("loses nothing by one who is refused after all", arguments: [0, 1, 2])
    func isRefused(_ place: Int) throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 3)
        let names = ["Anne", "Ben", "Chloé"]
        let revs = together(fixture, names.indices.map { signUp(session, names[$0], isRefused: $0 == place) })
        #expect(revs.map { $0 != nil } == names.indices.map { $0 != place })
        #expect(try fixture.test.stored(session).seatsConfirmed == 2)
        #expect(try freeSeats(fixture, session) == 1)
        let next = try fixture.register(session, "Driss")
        #expect(next.entryNo == 3 && next.status == .confirmed)
        #expect(try freeSeats(fixture, session) == 0)
        #expect(try fixture.findings().isEmpty)
    }

    @Test("is not told from memory what another program has done to the session meanwhile")
    func anotherProgram() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 1)
        let anne = try fixture.register(session, "Anne")
        #expect(try fixture.register(session, "Ben").rank == 1)
        let shell = try Connection(path: fixture.test.federation.database.path, mode: .readWrite)
        try shell.run("UPDATE registration SET status = 'cancelled' WHERE id = ?", [anne.id.value])
        let chloe = try fixture.register(session, "Chloé")
        #expect(chloe.entryNo == 3 && chloe.rank == 1)
        #expect(try fixture.test.rows("SELECT status FROM registration ORDER BY entry_no") == [.text("cancelled"), .text("confirmed"), .text("waitlisted")])
    }

    @Test("gets no seat of somebody whose row cannot be read", arguments: ["status = 'pending'", "queued_at = 'soon'", "id = 'x'"])
    func unreadable(_ damage: String) throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 1)
        try fixture.register(session, "Anne")
        let shell = try Connection(path: fixture.test.federation.database.path, mode: .readWrite)
        try shell.script("PRAGMA ignore_check_constraints = 1; UPDATE registration SET \(damage)")
        #expect {
            try fixture.register(session, "Ben")
        } throws: { error in
            guard case .storage(let error)? = error as? DomainError else { return false }
            return error.kind == .corrupt && error.message.contains("registration ")
        }
        #expect(try fixture.test.rows("SELECT count(*) FROM registration") == [.integer(1)])
    }

    @Test("of those who gave their seat up, nothing has to be readable")
    func unreadableLeft() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 1)
        try fixture.step(fixture.register(session, "Anne"), #"{"to":"cancelled"}"#)
        try Connection(path: fixture.test.federation.database.path, mode: .readWrite).run("UPDATE registration SET queued_at = 'soon'")
        #expect(try fixture.register(session, "Ben").status == .confirmed)
    }

    @Test("a session that cannot be read holds up nobody else's: what was due there is put off")
    func putOff() throws {
        let fixture = try SessionFixture()
        let (broken, sound) = (try fixture.open(), try fixture.open(starts: "2026-03-13T14:00:00Z"))
        try fixture.register(broken, "Anne")
        try Connection(path: fixture.test.federation.database.path, mode: .readWrite).run("UPDATE registration SET queued_at = 'soon'")
        fixture.test.clock.advance(seconds: 12 * 86_400)
        let delays = try fixture.test.federation.perform { (tx) throws(DomainError) in try Due.run(in: tx) }
        #expect(delays.map(\.id) == delays.map { _ in broken.id.text } && !delays.isEmpty)
        #expect(delays.first?.cause.cause.contains("queued_at holds no Timestamp") == true)
        #expect(try fixture.test.stored(sound).status == .closed)
        #expect(try fixture.test.stored(broken).status == .open)
        let due = try fixture.test.rows("SELECT DISTINCT at_ms FROM due WHERE id = ? AND what = ?", [broken.id.value, .text("registration_closes")])
        #expect(due == [.integer(fixture.test.clock.now.milliseconds + 3_600_000)])
    }

    @Test("whom a number tells apart is found in the order of the numbers, also after one of them was changed")
    func order() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 5)
        let manager = fixture.manager
        let (first, _) = (try fixture.register(session, "Anne", by: .anonymous), try fixture.register(session, "Anne", by: .anonymous))
        _ = try fixture.patch(first, #"{"needs":["large_print"]}"#)
        let refusal = #expect(throws: DomainError.self) { try fixture.register(session, "Anne", by: manager) }
        guard case .conflict(_, let detail, _)? = refusal else { throw CancellationError() }
        #expect(detail.en.contains("no. 1"))
    }

    @Test("does not hide from the manager what a change in its midst has led to")
    func inItsMidst() throws {
        let fixture = try SessionFixture()
        try listen(fixture)
        let session = try fixture.open(capacity: 2)
        let manager = fixture.manager
        let smaller: Part = { (tx) throws(DomainError) in
            let patch = try Draft<Session>(TestJSON.parse(#"{"capacity":1}"#), for: .patch)
            let changed = try Session.store.update(session.id, with: patch, expecting: .any, by: manager, in: tx)
            let shown = try Session.store.document(of: changed, for: manager, in: tx).map { TestJSON.parse(bytes: $0.bytes) }
            #expect(shown?["free_seats"]?.integerValue == 0 && shown?["seats_confirmed"]?.integerValue == 1)
            return changed.meta.rev
        }
        let head = fixture.test.head
        let revs = together(fixture, [signUp(session, "Anne"), smaller, signUp(session, "Ben")])
        #expect(revs.allSatisfy { $0 != nil })
        let stored = try fixture.test.stored(session)
        #expect([stored.seatsConfirmed, stored.freeSeats, stored.waitingParties] == [1, 0, 1])
        #expect(stored.meta.rev == fixture.test.head && fixture.test.head > head + 3)
        #expect(try fixture.test.document(of: session, for: manager)?["waiting_parties"]?.integerValue == 1)
        #expect(try fullEvents(fixture) == 1)
        #expect(try fixture.findings().isEmpty)
    }

    @Test("is told of in order: what a step in its midst makes of the session hides from nobody that it was full")
    func fullInItsMidst() throws {
        let fixture = try SessionFixture()
        try listen(fixture)
        let session = try fixture.open(capacity: 1)
        let manager = fixture.manager
        let close: Part = { (tx) throws(DomainError) in
            let step = try Transition<Session.Status>(TestJSON.parse(#"{"to":"closed"}"#), taking: Session.transitionFields)
            return try Session.store.transition(session.id, step, expecting: .any, by: manager, in: tx).meta.rev
        }
        let revs = together(fixture, [signUp(session, "Anne"), close])
        #expect(revs.allSatisfy { $0 != nil })
        #expect(try fixture.test.stored(session).status == .closed)
        #expect(try fullEvents(fixture) == 1)
    }

    @Test("is no damage to the feed, which is looked through in its midst")
    func audited() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 3)
        let rebuild: Part = { (tx) throws(DomainError) in Int64(try FeedAudit.rebuild(in: tx)) }
        #expect(together(fixture, [signUp(session, "Anne"), rebuild]).last == 0)
    }

    @Test("is told of all the same where a change in its midst, which told of it first, is refused")
    func refusedInItsMidst() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 3)
        let manager = fixture.manager
        let refused: Part = { (tx) throws(DomainError) in
            _ = try Session.store.update(session.id, with: Draft<Session>(TestJSON.parse(#"{"capacity":2}"#), for: .patch), expecting: .any, by: manager, in: tx)
            throw Self.refusal
        }
        let revs = together(fixture, [signUp(session, "Anne"), refused])
        #expect(revs.map { $0 != nil } == [true, false])
        #expect(try fixture.test.stored(session).freeSeats == 2)
        #expect(try freeSeats(fixture, session) == 2)
        #expect(try fixture.findings().isEmpty)
    }

    @Test("that leaves the session as it was says nothing of it")
    func unchanged() throws {
        let fixture = try SessionFixture()
        let session = try fixture.open(capacity: 2)
        let anne = try fixture.register(session, "Anne", size: 2)
        let rev = try fixture.test.stored(session).meta.rev
        let manager = fixture.manager
        let leave: Part = { (tx) throws(DomainError) in
            let step = try Transition<Registration.Status>(TestJSON.parse(#"{"to":"cancelled"}"#), taking: Registration.transitionFields)
            return try Registration.store.transition(anne.id, step, expecting: .any, by: manager, in: tx).meta.rev
        }
        let revs = together(fixture, [leave, signUp(session, "Ben"), signUp(session, "Chloé")])
        #expect(revs.allSatisfy { $0 != nil })
        #expect(try fixture.test.stored(session).meta.rev == rev)
        #expect(try freeSeats(fixture, session) == 0)
        #expect(try fixture.findings().isEmpty)
    }
}
