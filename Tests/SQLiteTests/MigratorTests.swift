import Embedded
@testable import SQLite
import TestSupport
import Testing

@Suite struct MigratorTests {
    private static let first = TestDatabase.migration
    private static let second = Migration(name: "0002-colour", sql: "ALTER TABLE item ADD COLUMN colour TEXT")
    private static let other = Migration(name: "0002-other", sql: "CREATE TABLE other (a INTEGER) STRICT")

    /// - Returns: the names of the migrations that opening has applied.
    private func open(_ directory: TestFolder, _ migrations: [Migration]) throws(OpenError) -> [String] {
        try TestDatabase(in: directory, migrations: migrations).database.migrated
    }

    @Test("each migration runs once, also on a database that has rows already")
    func runsOnce() throws {
        let directory = TestFolder()
        do {
            let test = try TestDatabase(in: directory)
            #expect(test.database.migrated == ["0001-item"])
            try test.add("a")
        }
        #expect(try open(directory, [Self.first]) == [])
        #expect(try open(directory, [Self.first, Self.second]) == ["0002-colour"])
        #expect(try open(directory, [Self.first, Self.second]) == [])
        let test = try TestDatabase(in: directory, migrations: [Self.first, Self.second])
        #expect(try test.names() == ["a"])
        let kept = try test.database.read { try $0.all("SELECT name, length(digest) FROM migration ORDER BY name") { "\($0.text(0)) \($0.integer(1))" } }
        #expect(kept == ["0001-item 64", "0002-colour 64"])
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        let applied: [Migration]
        let offered: [Migration]
        let error: OpenError
        var testDescription: String { name }
    }

    static let refusals = [
        Refusal(name: "a newer schema", applied: [first, second], offered: [first], error: .newerSchema(migration: "0002-colour")),
        Refusal(
            name: "an edited migration", applied: [first], offered: [Migration(name: first.name, sql: first.sql + " ")], error: .editedMigration("0001-item")),
        Refusal(name: "one before the last", applied: [other], offered: [first, other], error: .missingMigration("0001-item")),
    ]

    @Test("a schema that does not fit is refused before anything changes", arguments: refusals)
    func refuses(refusal: Refusal) throws {
        let directory = TestFolder()
        _ = try open(directory, refusal.applied)
        let before = try directory.bytes(of: "test.db")
        #expect(throws: refusal.error) { _ = try open(directory, refusal.offered) }
        #expect(try directory.bytes(of: "test.db") == before)
        #expect(try open(directory, refusal.applied) == [])
    }

    static let failures = [
        "CREATE TABLE other (a INTEGER) STRICT; NONSENSE",
        "CREATE TABLE other (a INTEGER) STRICT; INSERT INTO part (item) VALUES ('nowhere')",
        "CREATE TABLE other (a INTEGER) STRICT; INSERT INTO item (name, size) VALUES ('a', -1)",
    ]

    @Test("a migration that fails leaves the database as it was before it", arguments: failures)
    func fails(sql: String) throws {
        let directory = TestFolder()
        _ = try open(directory, [Self.first])
        do throws(OpenError) {
            _ = try open(directory, [Self.first, Migration(name: "0002-bad", sql: sql)])
            Issue.record("it passed")
        } catch {
            guard case .failedMigration("0002-bad", _) = error else { throw error }
        }
        let test = try TestDatabase(in: directory)
        #expect(try test.database.read { try $0.all("SELECT name FROM sqlite_schema WHERE name = 'other'") { $0.text(0) } } == [])
        #expect(try test.names() == [])
    }

    @Test("a migration that ends its own transaction is refused, and not noted as applied")
    func ownCommit() throws {
        let directory = TestFolder()
        #expect(throws: OpenError.self) { _ = try open(directory, [Migration(name: "0001-item", sql: Self.first.sql + "COMMIT;")]) }
        #expect(throws: Never.self) { _ = try open(directory, [Migration(name: "0001-none", sql: "SELECT 1")]) }
    }

    @Test("a table can be rebuilt under the rows that refer to it")
    func rebuildsTable() throws {
        let directory = TestFolder()
        do {
            let test = try TestDatabase(in: directory)
            try test.add("a")
            try test.database.writer.perform { try $0.run("INSERT INTO part (item) VALUES ('a')") }
        }
        let rebuild = Migration(
            name: "0002-rebuild",
            sql: """
                CREATE TABLE item_new (name TEXT NOT NULL PRIMARY KEY, size INTEGER, data BLOB, colour TEXT NOT NULL DEFAULT 'red') STRICT;
                INSERT INTO item_new (name, size, data) SELECT name, size, data FROM item;
                DROP TABLE item;
                ALTER TABLE item_new RENAME TO item;
                """)
        let test = try TestDatabase(in: directory, migrations: [Self.first, rebuild])
        #expect(try test.database.read { try $0.all("SELECT colour FROM item JOIN part ON item = name") { $0.text(0) } } == ["red"])
        // Foreign keys hold again afterwards.
        #expect(throws: WriteFailure.self) { try test.database.writer.perform { try $0.run("DELETE FROM item") } }
    }

    @Test("the real migrations run from nothing, and every foreign key has an index on its side")
    func realMigrations() throws {
        let migrations = Embedded.migrations.map { Migration(name: $0.name, sql: $0.text) }
        let directory = TestFolder()
        #expect(try open(directory, migrations) == migrations.map(\.name) && !migrations.isEmpty)
        let test = try TestDatabase(in: directory, migrations: migrations)
        let keys = try test.database.read {
            try $0.all(#"SELECT t.name, k."from" FROM sqlite_schema t, pragma_foreign_key_list(t.name) k WHERE t.type = 'table' AND t.name <> 'epoch'"#) { ($0.text(0), $0.text(1)) }
        }
        #expect(keys.count > 10)
        for (table, column) in keys {
            let isIndexed = try test.database.read {
                try $0.first(
                    "SELECT 1 FROM pragma_index_list(?) l, pragma_index_info(l.name) i WHERE i.seqno = 0 AND i.name = ?", [.text(table), .text(column)]
                ) { _ in true } ?? false
            }
            // Without one, deleting what it refers to reads the whole table. (Epochs are a handful, and never deleted.)
            #expect(isIndexed, "\(table).\(column)")
        }
    }
}
