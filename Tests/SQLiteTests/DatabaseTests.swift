import CSQLite
@testable import SQLite
import TestSupport
import Testing

@Suite struct DatabaseTests {
    // MARK: Settings

    static let writerSettings = [
        ("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("secure_delete", "1"), ("trusted_schema", "0"), ("cell_size_check", "1"),
        ("temp_store", "2"), ("wal_autocheckpoint", "0"), ("query_only", "0"), ("cache_size", "-2048"), ("busy_timeout", "5000"),
        ("application_id", "1986228080"),
    ]
    static let readerSettings = [
        ("journal_mode", "wal"), ("foreign_keys", "1"), ("trusted_schema", "0"), ("wal_autocheckpoint", "0"), ("query_only", "1"), ("cache_size", "-1024"),
        ("busy_timeout", "5000"),
    ]

    @Test("the writer's connection has the settings that the design depends on")
    func writerConnection() throws {
        let test = try TestDatabase()
        for (pragma, value) in Self.writerSettings {
            #expect(try test.database.writer.perform { try $0.first("PRAGMA \(pragma)") { $0.text(0) } } == value, "\(pragma)")
        }
    }

    @Test("a reader's connection has them too, and can't write")
    func readerConnection() throws {
        let test = try TestDatabase()
        for (pragma, value) in Self.readerSettings {
            #expect(try test.database.read { try $0.first("PRAGMA \(pragma)") { $0.text(0) } } == value, "\(pragma)")
        }
        #expect(throws: DatabaseError.self) { try test.database.read { try $0.run("INSERT INTO item (name) VALUES ('a')") } }
    }

    @Test(
        "what would hide a mistake, or let a file run code, is off",
        arguments: [
            [#"SELECT "nothing""#], ["ATTACH ':memory:' AS other"], ["SELECT load_extension('x')"], [#"CREATE TABLE t (a CHECK (a <> "x"))"#],
            // Defensive mode ignores the pragma: the schema's own table stays out of reach.
            ["PRAGMA writable_schema = ON", "DELETE FROM sqlite_schema"],
        ])
    func offLimits(statements: [String]) throws {
        let test = try TestDatabase()
        #expect(throws: WriteFailure.self) {
            try test.database.writer.perform { connection in
                for sql in statements { try connection.run(sql) }
            }
        }
        #expect(try test.names() == [])
    }

    // MARK: Reading

    @Test("a read is one snapshot: what is committed meanwhile is seen by the next")
    func snapshot() throws {
        let test = try TestDatabase()
        try test.add("a")
        let counts = try test.database.read { connection in
            let count = { try connection.first("SELECT count(*) FROM item") { $0.integer(0) } }
            let before = try count()
            try test.add("b")
            return [before, try count()]
        }
        #expect(counts == [1, 1])
        #expect(try test.names() == ["a", "b"])
    }

    @Test("the snapshot that an idle connection keeps hides nothing, and is in nobody's way")
    func idleSnapshot() throws {
        let test = try TestDatabase {
            $0.readers = 1
            $0.checkpointBytes = 64 << 10
        }
        var (expected, longest): ([String], Int) = ([], 0)
        for number in 1000..<1400 {
            #expect(try test.names() == expected)
            try test.add("\(number)")
            expected.append("\(number)")
            longest = max(longest, test.database.walBytes)
        }
        #expect(longest < 128 << 10, "the WAL begins again after each copy")
        #expect(try test.names() == expected)
        #expect(try test.database.writer.perform(as: .alone) { $0.emptyWAL() })
        #expect(test.database.walBytes == 0)
    }

    @Test("a read that throws ends its snapshot as well")
    func throwingRead() throws {
        struct Stop: Error {}
        let test = try TestDatabase { $0.readers = 1 }
        try test.add("a")
        #expect(throws: Stop.self) {
            try test.database.read { connection in
                _ = try connection.first("SELECT name FROM item") { $0.text(0) }
                throw Stop()
            }
        }
        try test.add("b")
        #expect(try test.names() == ["a", "b"])
    }

    @Test("a query that goes on and on is interrupted, and its connection is good for the next")
    func stepBudget() throws {
        let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
        let test = try TestDatabase { settings in
            settings.stepBudget = 1_000_000
            settings.readers = 1
        }
        try test.add("a")
        for _ in 0..<3 {
            do throws(DatabaseError) {
                _ = try test.database.read { (connection) throws(DatabaseError) in try connection.first(endless) { $0.integer(0) } }
                Issue.record("it came to an end")
            } catch { #expect(error.kind == .interrupted) }
            #expect(try test.names() == ["a"])
        }
    }

    @Test("readers wait for a connection while all are in use")
    func pool() throws {
        let test = try TestDatabase { $0.readers = 2 }
        try test.add("a")
        let read = Monitor(0)
        for _ in 0..<16 {
            startThread {
                let good = (0..<20).count { _ in (try? test.names()) == ["a"] }
                read.change { $0 += good }
            }
        }
        #expect(read.wait(seconds: 60) { $0 == 320 })
    }

    @Test("closing waits for the reads that run, so that one file is left, and may come twice")
    func closes() throws {
        let test = try TestDatabase()
        try test.add("a")
        let closing = Monitor((begun: false, ended: false))
        try test.database.read { (connection) throws in
            #expect(try connection.first("SELECT count(*) FROM item") { $0.integer(0) } == 1)
            startThread {
                closing.change { $0.begun = true }
                test.database.close()
                closing.change { $0.ended = true }
            }
            closing.when({ $0.begun }) { _ in }
            #expect(try connection.first("SELECT name FROM item") { $0.text(0) } == "a")
            #expect(!closing.withLock { $0.ended })
        }
        closing.when({ $0.ended }) { _ in }
        #expect(test.directory.files == ["test.db"])
        test.database.close()
    }

    @Test("the statements that a connection keeps are bounded")
    func statementCache() throws {
        let test = try TestDatabase { $0.readers = 1 }
        let count = try test.database.read { (connection) throws(DatabaseError) in
            for number in 0..<1000 { try connection.run("SELECT \(number)") }
            var count = 0
            var statement = sqlite3_next_stmt(connection.handle, nil)
            while statement != nil {
                count += 1
                statement = sqlite3_next_stmt(connection.handle, statement)
            }
            return count
        }
        #expect(count <= 256)
    }

    // MARK: Values

    static let values: [Value] = [
        .null, .integer(0), .integer(.min), .integer(.max), .text(""), .text("é\u{0}x🎉"), .text(String(repeating: "a", count: 100_000)), .blob([]), .blob([0, 255]),
    ]

    @Test("every value comes back as it went in", arguments: values)
    func value(value: Value) throws {
        let test = try TestDatabase()
        #expect(try test.database.read { try $0.first("SELECT ?", [value]) { $0.value(0) } } == value)
        if case .text(let text) = value {
            #expect(try test.database.read { try $0.first("SELECT ?", [value]) { $0.blob(0) } } == Array(text.utf8))
        }
    }

    @Test("an error says what SQLite said and the SQL, and never a bound value")
    func errors() throws {
        let test = try TestDatabase()
        try test.add("secret-name")
        do {
            try test.add("secret-name")
            Issue.record("it passed")
        } catch WriteFailure.refused(let error as DatabaseError) {
            #expect(error.kind == .unique && error.message.contains("item.name") && error.sql?.contains("INSERT") == true)
            #expect(!"\(error)".contains("secret-name"))
        }
        #expect(throws: DatabaseError.self) { try test.database.read { try $0.run("SELECT nonsense FROM item") } }
        #expect(throws: DatabaseError.self) { try test.database.read { try $0.run("SELECT 1", [.integer(1)]) } }
    }
}
