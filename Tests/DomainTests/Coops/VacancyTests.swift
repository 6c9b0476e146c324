@testable import Domain
import Embedded
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

    /// What the co-op's document says: whether a mandate is active, and since when there is none.
    private func seen() throws -> String {
        let document = try test.document(of: coop, for: .reader)
        return "\(document?["has_referent"]?.boolValue ?? false ? "filled" : "none") \(document?["vacant_since"]?.stringValue ?? "-")"
    }

    private func times() throws -> [Value] { try test.rows("SELECT since || ' ' || until FROM vacancy ORDER BY since") }

    @Test("a co-op that never had a referent has none, and no vacancy; nor by a mandate that never became active")
    func never() throws {
        #expect(try seen() == "none -")
        try test.step(test.addReferent(of: coop), #"{"to":"ended"}"#)
        #expect(try seen() == "none -")
    }

    @Test("the end of the last active mandate raises it, on the day of the end; the next one ends it, and the time is kept")
    func raised() throws {
        let first = try test.addReferent(of: coop, #","status":"active""#)
        let second = try test.addReferent(of: coop, #","status":"active""#)
        #expect(try seen() == "filled -")
        try test.step(first, #"{"to":"ended"}"#)
        #expect(try seen() == "filled -")
        try test.step(second, #"{"to":"ended","ended_on":"2026-02-20"}"#)
        #expect(try seen() == "none 2026-02-20")
        test.clock.advance(days: 10)
        let third = try test.addReferent(of: coop)
        #expect(try seen() == "none 2026-02-20")
        try test.step(third, #"{"to":"active"}"#)
        #expect(try seen() == "filled -")
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
        #expect(try seen() == "none 2026-03-02")
        test.clock.advance(days: 5)
        try test.step(referent, #"{"to":"active"}"#)
        #expect(try times() == [.text("2026-03-02 2026-03-07")])
        try test.step(referent, #"{"to":"suspended"}"#)
        test.clock.advance(days: 5)
        try test.step(referent, #"{"to":"ended"}"#)
        #expect(try seen() == "none 2026-03-07")
    }

    @Test("one that is filled on its first day was none")
    func noTime() throws {
        let referent = try test.addReferent(of: coop, #","status":"active""#)
        try test.step(referent, #"{"to":"suspended"}"#)
        try test.step(referent, #"{"to":"active"}"#)
        #expect(try seen() == "filled -")
        #expect(try times().isEmpty)
    }

    @Test("only a member's is raised, and the end of the membership ends it", arguments: ["applicant", "former_member"])
    func members(membership: String) throws {
        let referent = try test.addReferent(of: coop, #","status":"active""#)
        try test.step(referent, #"{"to":"suspended"}"#)
        test.clock.advance(days: 1)
        try test.patch(coop, #"{"membership":"\#(membership)"}"#)
        #expect(try seen() == "none -")
        #expect(try times() == [.text("2026-03-02 2026-03-03")])
        try test.step(referent, #"{"to":"active"}"#)
        try test.step(referent, #"{"to":"ended"}"#)
        #expect(try seen() == "none -")
    }

    @Test("the co-op's history tells who brought it about, and an edit of the co-op is not stale for it")
    func history() throws {
        let referent = try test.addReferent(of: coop, #","status":"active""#)
        try test.step(referent, #"{"to":"ended"}"#, by: .manager(of: coop))
        let entries = try test.federation.history(of: coop.id, after: 0, limit: 10, for: .manager(of: coop))
        #expect(entries.map(\.actor) == ["operator", "coop_manager"])
        #expect(entries.last?.fields == ["has_referent", "vacant_since"])
        #expect(try entries.last?.rev == test.stored(coop).meta.rev)
        #expect(refusal { try test.patch(coop, #"{"city":"Rennes"}"#, expecting: .oneOf([ETag(rev: coop.meta.rev, layer: Audience.federation.letter)]), by: .admin) } == nil)
    }

    @Test("a database from before knows it of the mandates that it has")
    func migrates() throws {
        let folder = TestFolder()
        let migrations = Embedded.migrations.prefix { $0.name < "0005" }.map { Migration(name: $0.name, sql: $0.text) }
        let before = try Database(path: folder.file("viecoop.db"), migrations: Array(migrations), observer: RecordingObserver()) { _ in }
        let coops = ["filled", "vacant", "never", "applicant"]
        let mandates = [
            ("filled", "active", ""), ("filled", "ended", "2026-01-31"), ("vacant", "ended", "2026-01-15"), ("vacant", "ended", "2026-02-15"),
            ("never", "designated", ""), ("applicant", "ended", "2026-02-15"),
        ]
        @Sendable func id(_ number: Int) -> String { "0197a000-0000-7000-8000-00000000000\(number)" }
        try before.writer.perform { connection in
            try connection.run("UPDATE history_head SET seq = 20")
            for (index, slug) in coops.enumerated() {
                try connection.run(
                    """
                    INSERT INTO coop (id, rev, own_rev, created_ms, updated_ms, slug, name, department_code, region_code, activities, membership, fictitious, search)
                    VALUES (?, ?, 1, 0, 0, ?, 'C', '35', 'FR-BRE', '[]', ?, 0, 'c')
                    """, [.text(id(index)), .integer(Int64(index + 1)), .text(slug), .text(slug == "applicant" ? "applicant" : "member")])
            }
            for (index, (slug, status, ended)) in mandates.enumerated() {
                try connection.run(
                    """
                    INSERT INTO referent (id, rev, own_rev, created_ms, updated_ms, coop_id, given_name, family_name, is_primary, status, started_on, ended_on, share_contact_network)
                    SELECT ?, ?, 1, 0, 0, id, 'A', 'B', 0, ?, '2026-01-05', ?, 0 FROM coop WHERE slug = ?
                    """, [.text(id(index)), .integer(Int64(index + 10)), .text(status), ended.isEmpty ? .null : .text(ended), .text(slug)])
            }
        }
        before.close()
        let test = try TestFederation(in: folder)
        #expect(try test.rows("SELECT slug || ' ' || has_referent || ' ' || coalesce(vacant_since, '-') FROM coop ORDER BY id")
            == ["filled 1 -", "vacant 0 2026-02-15", "never 0 -", "applicant 0 -"].map { .text($0) })
        #expect(try FeedAudit.findings(test).isEmpty)
    }

    @Test("neither a client nor a file sets it, and the public does not see it")
    func derived() throws {
        #expect(faults { try test.patch(coop, #"{"has_referent":true}"#, by: .admin) } == ["#/has_referent field.read-only"])
        let draft = try Draft<Coop>(TestJSON.parse(#"{"slug":"b","name":"B","department_code":"35","has_referent":true,"vacant_since":"2026-01-01"}"#), for: .bringIn)
        let brought = try test.federation.perform { (tx) throws(DomainError) in try Coop.store.create(draft, by: .operatorItself, in: tx).record }
        #expect(!brought.hasReferent && brought.vacantSince == nil)
        #expect(try test.document(of: coop, for: .anonymous)?["has_referent"] == nil)
    }
}
