@testable import Domain
import SQLite
import TestSupport
import Testing

/// That a random history leaves nothing to find is part of `PullTests`; here is what is found where something is wrong.
@Suite struct FeedAuditTests {
    /// Damage to the feed or to the tables beneath it, and what an audit finds: fault, audience, type.
    struct Damage: Sendable, CustomTestStringConvertible {
        let name: String
        let sql: String
        let findings: [String]
        var testDescription: String { name }
    }

    private static let network = "audience = (SELECT number FROM audience WHERE name = 'network')"

    static let damages = [
        Damage(name: "a document lost", sql: "DELETE FROM feed WHERE type = 'theme' AND \(network)", findings: ["missing network theme"]),
        Damage(
            name: "a document changed", sql: "UPDATE document SET entry = replace(entry, 'ensemble', 'autrement')",
            findings: ["differs network theme", "differs public theme"]),
        Damage(
            name: "what an audience does not see changed", sql: "UPDATE feed SET entry = x'1078' WHERE type = 'theme' AND \(network)",
            findings: ["differs network theme"]),
        Damage(
            name: "a document lost under its rows", sql: "DELETE FROM document WHERE entry LIKE '%\"theme\"%'",
            findings: ["missing network theme", "missing public theme", "stray network theme", "stray public theme"]),
        Damage(name: "a row changed beneath", sql: "UPDATE theme SET title = 'Autre'", findings: ["differs network theme", "differs public theme"]),
        Damage(
            name: "a document withdrawn", sql: "UPDATE feed SET entry = NULL, gone = 'scope' WHERE type = 'theme' AND \(network)",
            findings: ["missing network theme"]),
        Damage(
            name: "a document at another seq", sql: "UPDATE feed SET place = audience << 44 | 1000 WHERE type = 'theme' AND \(network)",
            findings: ["missing network theme", "stray network theme"]),
        Damage(
            name: "a document twice",
            sql: "INSERT INTO feed SELECT audience << 44 | 1000, entry, NULL, entered, type, id FROM feed WHERE type = 'theme' AND \(network)",
            findings: ["stray network theme"]),
        Damage(
            name: "a NULL row beside the document",
            sql: "INSERT INTO feed SELECT audience << 44 | 1000, NULL, 'scope', entered, type, id FROM feed WHERE type = 'theme' AND \(network)",
            findings: ["double network theme"]),
        Damage(
            name: "a document for others' eyes",
            sql: """
                INSERT INTO feed SELECT (SELECT number FROM audience WHERE name = 'public') << 44 | seq, entry, NULL, entered, type, id
                FROM feed WHERE type = 'referent' AND \(network)
                """,
            findings: ["stray public referent"]),
        Damage(
            name: "a document of nothing",
            sql: "INSERT INTO feed SELECT audience << 44 | 1000, entry, NULL, 1, type, '0197aa3c-1234-7abc-89ab-0123456789ab' FROM feed WHERE type = 'theme'",
            findings: ["stray network theme", "stray public theme"]),
        Damage(name: "all documents lost", sql: "DELETE FROM feed WHERE type = 'referent'", findings: [
            "missing coop referent", "missing federation referent", "missing network referent", "missing observer referent", "stray document referent",
        ]),
    ]

    private func verify(_ test: TestFederation) throws -> [String] {
        try test.federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) }
            .map { "\($0.fault) \($0.audience.prefix { $0 != ":" }) \($0.type)" }.sorted()
    }

    @Test("damage is found, is mended with one new rev, and is heard of by devices", arguments: damages)
    func mends(damage: Damage) throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        try test.addReferent(of: coop)
        let theme = try test.addTheme()
        try test.patch(theme, #"{"title":"Vivre ensemble, bien"}"#)
        #expect(try verify(test) == [])

        // A device that had everything before the damage.
        var cursor = try page(test, nil).cursor
        try test.federation.perform { (tx) throws(DomainError) in try storing { () throws(DatabaseError) in try tx.connection.run(damage.sql) } }
        #expect(try verify(test) == damage.findings)
        let mended = try test.federation.perform { (tx) throws(DomainError) in
            // The damage above moved rows ahead of the counter.
            while tx.nextSeq() < 2000 {}
            return try FeedAudit.rebuild(in: tx)
        }
        #expect(mended == 1)
        #expect(try verify(test) == [])
        let again = try test.federation.perform { (tx) throws(DomainError) in try FeedAudit.rebuild(in: tx) }
        #expect(again == 0)
        #expect(try test.rows("SELECT count(*) FROM (SELECT 1 FROM feed GROUP BY audience, type, id HAVING count(*) > 1)") == [.integer(0)])

        let news = try page(test, cursor)
        #expect(news.isComplete && news.count > 0)
        cursor = news.cursor
        // The mended record is still told to leave those who had it from before.
        if damage.name != "a document of nothing" {
            let now = try test.stored(theme)
            try test.delete(now)
            #expect(try page(test, cursor).count == 1)
        }
    }

    @Test("a document that no row is made of is found, whatever it holds, and goes without anybody hearing of it")
    func dropsStrayDocument() throws {
        let test = try TestFederation()
        try test.addTheme()
        try test.federation.perform { (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                try tx.connection.run("INSERT INTO document (rev, entry) SELECT 1000, entry FROM document UNION ALL SELECT 1001, 'no JSON'")
            }
        }
        #expect(try verify(test) == ["stray document ?", "stray document theme"])
        #expect(try test.federation.perform { (tx) throws(DomainError) in try FeedAudit.rebuild(in: tx) } == 0)
        #expect(try verify(test) == [])
        #expect(test.federation.heads.head == 1)
    }

    @Test("NULL rows stay as they are")
    func keepsTombstones() throws {
        let test = try TestFederation()
        let theme = try test.addTheme()
        let other = try test.addTheme("jardin")
        try test.delete(other)
        let before = try test.rows("SELECT group_concat(audience || ' ' || seq || ' ' || gone || ' ' || entered) FROM feed WHERE entry IS NULL")
        try test.federation.perform { (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in try tx.connection.run("UPDATE theme SET title = 'Autre'") }
            _ = try FeedAudit.rebuild(in: tx)
        }
        #expect(try test.document(of: theme, for: .reader)?["title"]?.stringValue == "Autre")
        #expect(try test.rows("SELECT group_concat(audience || ' ' || seq || ' ' || gone || ' ' || entered) FROM feed WHERE entry IS NULL") == before)
    }

    private func page(_ test: TestFederation, _ cursor: Cursor?) throws -> ChangesPage {
        let heads = test.federation.heads.snapshot
        return try test.federation.database.read { connection in
            try ChangesPage(
                after: cursor, types: [], layers: Feed.numbered([.observer, .network, .public], by: heads, in: connection),
                epochs: test.federation.epochs, limit: 1000, separator: 0x2C, in: connection)
        }
    }
}
