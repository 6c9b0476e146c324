@testable import Domain
import Embedded
import JSON
import SQLite
import TestSupport
import Testing

/// Opens a database of each older schema, with rows in it, as today's program does.
@Suite("Migrations")
struct MigrationTests {
    private static let migrations = Embedded.migrations.map { Migration(name: $0.name, sql: $0.text) }
    private static let (activity, theme) = ("0197a000-0000-7000-8000-000000000001", "0197a000-0000-7000-8000-000000000002")
    private static let (coop, site) = ("0197a000-0000-7000-8000-000000000003", "0197a000-0000-7000-8000-000000000004")
    private static let (referent, idea) = ("0197a000-0000-7000-8000-000000000005", "0197a000-0000-7000-8000-000000000006")

    /// Rows of the first schema, with the documents that the first program gave of them.
    ///
    /// - Parameter hasPlaces: whether a document's audience and seq are one number already.
    private static func rows(hasPlaces: Bool) -> String {
        let times = #""created_at":"1970-01-01T00:00:00.000Z","updated_at":"1970-01-01T00:00:00.000Z""#
        func entry(_ type: String, _ id: String, _ rev: Int, _ layer: String, _ fields: String) -> String {
            #"{"type":"\#(type)","id":"\#(id)","op":"put","rev":\#(rev),"layer":"\#(layer)","doc":{"id":"\#(id)","rev":\#(rev),\#(fields),\#(times)}}"#
        }
        let documents: [(audience: Int, seq: Int, type: String, id: String, layer: String, fields: String)] = [
            (1, 1, "activity", activity, "n", #""slug":"rental","title":"Locatif""#), (3, 1, "activity", activity, "p", #""slug":"rental","title":"Locatif""#),
            (1, 2, "theme", theme, "n", #""slug":"social","title":"Social""#), (3, 2, "theme", theme, "p", #""slug":"social","title":"Social""#),
            (1, 3, "coop", coop, "n", #""slug":"a-casa","name":"A Casa""#), (2, 3, "coop", coop, "f", #""slug":"a-casa","name":"A Casa""#),
            (3, 3, "coop", coop, "p", #""slug":"a-casa","name":"A Casa""#),
            (1, 4, "site", site, "n", #""name":"Siège""#), (3, 4, "site", site, "p", #""name":"Siège""#),
            (1, 5, "referent", referent, "n", #""given_name":"Ana""#), (2, 5, "referent", referent, "f", #""given_name":"Ana""#),
            (4, 5, "referent", referent, "b", #""given_name":"Ana""#), (5, 5, "referent", referent, "c", #""given_name":"Ana""#),
            (1, 6, "idea", idea, "n", #""title":"Jardin""#), (2, 6, "idea", idea, "f", #""title":"Jardin""#), (3, 6, "idea", idea, "p", #""title":"Jardin""#),
        ]
        let feed = documents.map { "(\(hasPlaces ? "\($0.audience) << 44 | \($0.seq)" : "\($0.audience), \($0.seq)"), '\(entry($0.type, $0.id, $0.seq, $0.layer, $0.fields))', NULL, \($0.seq), '\($0.type)', '\($0.id)')" }
        return """
            INSERT INTO audience (number, name) VALUES (1, 'network'), (2, 'federation'), (3, 'public'), (4, 'observer'), (5, 'coop:\(coop)');
            INSERT INTO activity (id, rev, own_rev, created_ms, updated_ms, slug, title) VALUES ('\(activity)', 1, 1, 0, 0, 'rental', 'Locatif');
            INSERT INTO theme (id, rev, own_rev, created_ms, updated_ms, slug, title, question, audience, "order")
                VALUES ('\(theme)', 2, 2, 0, 0, 'social', 'Social', NULL, NULL, 1);
            INSERT INTO coop (id, rev, own_rev, created_ms, updated_ms, slug, name, department_code, region_code, activities, membership, fictitious, search)
                VALUES ('\(coop)', 3, 3, 0, 0, 'a-casa', 'A Casa', '2B', 'FR-20R', '["rental"]', 'member', 0, 'a casa');
            INSERT INTO coop_activity (activity, coop_id) VALUES ('rental', '\(coop)');
            INSERT INTO site (id, rev, own_rev, created_ms, updated_ms, coop_id, name, workstations, projector, seats, step_free_access, time_zone, is_public)
                VALUES ('\(site)', 4, 4, 0, 0, '\(coop)', 'Siège', 2, 0, 5, 1, 'Europe/Paris', 1);
            INSERT INTO referent (id, rev, own_rev, created_ms, updated_ms, coop_id, given_name, family_name, is_primary, status, started_on, share_contact_network)
                VALUES ('\(referent)', 5, 5, 0, 0, '\(coop)', 'Ana', 'Muller', 1, 'active', '2026-01-05', 0);
            INSERT INTO idea (id, rev, own_rev, created_ms, updated_ms, slug, title, aliases, summary, steps, variants, examples, theme_id, resource_ids,
                prize_ids, scope, origin, status, federal_status, federal_visible_from, federal_status_visible, search)
                VALUES ('\(idea)', 6, 6, 0, 0, 'jardin', 'Jardin', '[]', '', '["Semer"]', '[]', '[]', '\(theme)', '[]', '[]', 'network', 'workshop',
                'published', 'planned', '2026-03-10', 0, 'jardin');
            INSERT INTO due (at_ms, type, id, what) VALUES (1773097200000, 'idea', '\(idea)', 'federal_status_visible'); -- midnight in Paris
            INSERT INTO feed (\(hasPlaces ? "place" : "audience, seq"), entry, gone, entered, type, id) VALUES \(feed.joined(separator: ", "));
            UPDATE history_head SET seq = 6;
            """
    }

    /// A folder with a database of these migrations only, and the rows.
    private static func folder(with migrations: some Collection<Migration>) throws -> TestFolder {
        let folder = TestFolder()
        let database = try Database(path: folder.file("viecoop.db"), migrations: Array(migrations), observer: RecordingObserver())
        defer { database.close() }
        let hasPlaces = migrations.contains { $0.name == "0012-documents" }
        try database.writer.perform { try $0.script(rows(hasPlaces: hasPlaces)) }
        // Since then, the file of seqs lies beside each database.
        if migrations.contains(where: { $0.name == "0009-devices" }) { try HighWater(directory: folder.path).open(head: 0, epochs: []) }
        return folder
    }

    @Test("bring every older database up to date: its documents are rendered again, and its clock goes on", arguments: 1..<migrations.count)
    func upgrades(count: Int) throws {
        let folder = try Self.folder(with: Self.migrations.prefix(count))
        // A server that had these migrations has left its mark in the folder, too.
        if count >= 9 { try HighWater(directory: folder.path).open(head: 0, epochs: []) }
        let clock = TestClock()
        var settings = Federation.Settings()
        settings.now = { clock.now }
        let federation = try Federation(directory: folder.path, settings: settings)
        defer { federation.close() }
        #expect(federation.database.migrated == Self.migrations.dropFirst(count).map(\.name))
        #expect(try federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) } == [])

        func document<R: Record>(_: R.Type, _ id: String, for caller: Caller = .admin) throws -> JSON {
            try TestJSON.parse(bytes: federation.document(of: #require(Identifier<R>(id)), for: caller).bytes)
        }
        #expect(try document(Activity.self, Self.activity)["rev"] == .number("1"), "what is as it was is not sent again")
        let coop = try document(Coop.self, Self.coop)
        #expect(coop["rev"]?.integerValue ?? 0 > 6, "devices hear of what differs")
        for field in Coop.shownFields { #expect(coop[field.name] != nil, "\(field.name)") }
        #expect(try document(Referent.self, Self.referent)["family_name"] == .string("Muller"))
        let idea = try document(Idea.self, Self.idea, for: .reader)
        #expect(idea["steps"] == .array([.string("Semer")]))
        #expect(idea["federal_status"] == nil)
        #expect(
            try federation.read { (connection) throws(DomainError) in
                try storing { () throws(DatabaseError) in try connection.first("SELECT count(*) FROM feed WHERE typeof(entry) = 'text'") { $0.integer(0) } }
            } == 0, "what was kept in the former way is kept in the present one")
        clock.advance(days: 8)
        try federation.perform { (tx) throws(DomainError) in _ = try Due.run(in: tx) }
        #expect(try document(Idea.self, Self.idea, for: .reader)["federal_status"] == .string("planned"))
        #expect(try federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) } == [])
    }

    @Test("are looked at in a database that the audit finds fault with before")
    func findsStale() throws {
        let folder = try Self.folder(with: Self.migrations)
        let federation = try Federation(directory: folder.path)
        defer { federation.close() }
        let findings = try federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) }
        #expect(Set(findings.map(\.type)) == ["theme", "coop", "site", "referent", "idea"], "the activity alone is as it was")
        #expect(findings.allSatisfy { $0.fault == .differs })
    }
}
