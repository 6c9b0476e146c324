import Domain
import JSON
import SQLite
import TestSupport
import Testing

@Suite("Vacancies")
struct VacancyTests {
    let test: TestFederation
    let coop: Coop

    init() throws {
        test = try TestFederation()
        coop = try test.addCoop()
    }

    /// What the co-op's document says: active mandates, and since when there is none.
    private func seen() throws -> String {
        let document = try test.document(of: coop, for: .reader)
        return "\(document?["active_referents"]?.integerValue ?? -1) \(document?["vacant_since"]?.stringValue ?? "-")"
    }

    private func times() throws -> [Value] { try test.rows("SELECT since || ' ' || until FROM vacancy ORDER BY since") }

    @Test("a co-op that never had a referent has none, and no vacancy; nor by a mandate that never became active")
    func never() throws {
        #expect(try seen() == "0 -")
        try test.step(test.addReferent(of: coop), #"{"to":"ended"}"#)
        #expect(try seen() == "0 -")
    }

    @Test("the end of the last active mandate raises it, on the day of the end; the next one ends it, and the time is kept")
    func raised() throws {
        let first = try test.addReferent(of: coop, #","status":"active""#)
        let second = try test.addReferent(of: coop, #","status":"active""#)
        #expect(try seen() == "2 -")
        try test.step(first, #"{"to":"ended"}"#)
        #expect(try seen() == "1 -")
        try test.step(second, #"{"to":"ended","ended_on":"2026-02-20"}"#)
        #expect(try seen() == "0 2026-02-20")
        test.clock.advance(days: 10)
        let third = try test.addReferent(of: coop)
        #expect(try seen() == "0 2026-02-20")
        try test.step(third, #"{"to":"active"}"#)
        #expect(try seen() == "1 -")
        #expect(try times() == [.text("2026-02-20 2026-03-12")])
    }

    @Test("a mandate keyed in late ends it on the day on which it began")
    func filledLate() throws {
        try test.step(test.addReferent(of: coop, #","status":"active""#), #"{"to":"ended","ended_on":"2026-02-20"}"#)
        _ = try test.create(Referent.self, #"{"coop_id":"\#(coop.id)","given_name":"A","family_name":"B","started_on":"2026-02-25","status":"active"}"#)
        #expect(try times() == [.text("2026-02-20 2026-02-25")])
    }

    @Test("a suspension raises it, and the way back ends it on that day; the end of a suspended mandate changes nothing")
    func suspended() throws {
        let referent = try test.addReferent(of: coop, #","status":"active""#)
        try test.step(referent, #"{"to":"suspended"}"#)
        #expect(try seen() == "0 2026-03-02")
        test.clock.advance(days: 5)
        try test.step(referent, #"{"to":"active"}"#)
        #expect(try times() == [.text("2026-03-02 2026-03-07")])
        try test.step(referent, #"{"to":"suspended"}"#)
        test.clock.advance(days: 5)
        try test.step(referent, #"{"to":"ended"}"#)
        #expect(try seen() == "0 2026-03-07")
    }

    @Test("one that is filled on its first day was none")
    func noTime() throws {
        let referent = try test.addReferent(of: coop, #","status":"active""#)
        try test.step(referent, #"{"to":"suspended"}"#)
        try test.step(referent, #"{"to":"active"}"#)
        #expect(try seen() == "1 -")
        #expect(try times().isEmpty)
    }

    @Test("only a member's is raised, and the end of the membership ends it", arguments: ["applicant", "former_member"])
    func members(membership: String) throws {
        let referent = try test.addReferent(of: coop, #","status":"active""#)
        try test.step(referent, #"{"to":"suspended"}"#)
        test.clock.advance(days: 1)
        try test.patch(coop, #"{"membership":"\#(membership)"}"#)
        #expect(try seen() == "0 -")
        #expect(try times() == [.text("2026-03-02 2026-03-03")])
        try test.step(referent, #"{"to":"active"}"#)
        try test.step(referent, #"{"to":"ended"}"#)
        #expect(try seen() == "0 -")
    }

    @Test("the co-op's history tells who brought it about, and an edit of the co-op is not stale for it")
    func history() throws {
        let referent = try test.addReferent(of: coop, #","status":"active""#)
        try test.step(referent, #"{"to":"ended"}"#, by: .manager(of: coop))
        let entries = try test.federation.history(of: coop.id, after: 0, limit: 10, for: .manager(of: coop))
        #expect(entries.map(\.actor) == ["operator", "coop_manager"])
        #expect(entries.last?.fields == ["active_referents", "vacant_since"])
        #expect(try entries.last?.rev == test.stored(coop).meta.rev)
        #expect(refusal { try test.patch(coop, #"{"city":"Rennes"}"#, expecting: .oneOf([ETag(rev: coop.meta.rev, layer: Audience.federation.letter)]), by: .admin) } == nil)
    }

    @Test("neither a client nor a file sets it, and the public does not see it")
    func derived() throws {
        #expect(faults { try test.patch(coop, #"{"active_referents":3}"#, by: .admin) } == ["#/active_referents field.read-only"])
        let draft = try Draft<Coop>(TestJSON.parse(#"{"slug":"b","name":"B","department_code":"35","active_referents":4,"vacant_since":"2026-01-01"}"#), for: .bringIn)
        let brought = try test.federation.perform { (tx) throws(DomainError) in try Coop.store.create(draft, by: .operatorItself, in: tx).record }
        #expect(brought.activeReferents == 0 && brought.vacantSince == nil)
        #expect(try test.document(of: coop, for: .anonymous)?["active_referents"] == nil)
    }
}
