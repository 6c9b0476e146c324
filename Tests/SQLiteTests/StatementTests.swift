import CSQLite
import SQLite
import TestSupport
import Testing

@Suite struct StatementTests {
    private struct Stop: Error {}

    /// What `body` throws as SQLite's code, or 0.
    private func code(_ body: () throws -> Void) -> Int32 {
        do {
            try body()
            return SQLITE_OK
        } catch { return (error as? DatabaseError)?.code ?? -1 }
    }

    @Test("a statement takes as many values as it has parameters, so that none is left from the run before", arguments: [0, 1, 3])
    func countsValues(count: Int) throws {
        let test = try TestDatabase()
        let values = (0..<count).map { Value.integer(Int64($0)) }
        try test.database.writer.perform { connection in
            #expect(code { try connection.run("INSERT INTO item (name, size) VALUES (?, ?)", values) } == SQLITE_RANGE)
        }
        #expect(try test.names().isEmpty)
    }

    static let notOne = ["", " ", "-- nothing", "SELECT 1; SELECT 2", "SELECT 1;;x"]

    @Test("what is not one statement is refused, instead of running the first", arguments: notOne)
    func one(sql: String) throws {
        let test = try TestDatabase()
        test.database.read { connection in #expect(code { _ = try connection.first(sql) { _ in } } == SQLITE_MISUSE) }
    }

    @Test("a read that leaves its rows halfway keeps no snapshot and no statement")
    func leftInRead() throws {
        let test = try TestDatabase { $0.readers = 1 }
        for name in ["a", "b"] { try test.add(name) }
        let sql = "SELECT name FROM item WHERE size >= ? ORDER BY name"
        #expect(throws: Stop.self) {
            try test.database.read { connection in
                let statement = try connection.statement(sql)
                try statement.bind([.integer(0)])
                while try statement.step() { throw Stop() }
            }
        }
        try test.add("c")
        #expect(try test.database.read { try $0.all(sql, [.integer(0)]) { $0.text(0) } } == ["a", "b", "c"])
        test.database.close()
        #expect(test.directory.files == ["test.db"])
    }

    @Test("a closure that leaves its rows halfway does not hinder the next of its batch")
    func leftInClosure() throws {
        let test = try TestDatabase()
        let busy = try BusyWriter(test)
        let answers = Answers()
        let sql = "INSERT INTO item (name, size) VALUES (?, 0), (?, 0) RETURNING name"
        for name in ["a", "b"] {
            try test.database.writer.submit({ connection in
                let statement = try connection.statement(sql)
                try statement.bind([.text(name + "1"), .text(name + "2")])
                _ = try statement.step()
                if name == "a" { throw Stop() }
            }, done: answers.keep(name))
        }
        busy.release()
        #expect(answers.first(2) == ["a refused Stop", "b done"])
        #expect(try test.names() == ["b1", "b2"])
    }
}
