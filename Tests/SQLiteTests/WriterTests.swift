import CSQLite
import SQLite
import TestSupport
import Testing

@Suite struct WriterTests {
    private struct Refusal: Error {}

    private static func insert(_ name: String, size: Int64 = 0) -> @Sendable (Connection) throws -> Void {
        { try $0.run("INSERT INTO item (name, size) VALUES (?, ?)", [.text(name), .integer(size)]) }
    }

    private static let insertBig: @Sendable (Connection) throws -> Void = {
        try $0.run("INSERT INTO item (name, data) VALUES ('big', ?)", [.blob([UInt8](repeating: 1, count: 100_000))])
    }

    /// Leaves room for one page more.
    private func fill(_ test: TestDatabase) throws {
        let pages = try #require(try test.database.writer.perform { try $0.first("PRAGMA page_count") { $0.integer(0) } })
        try setLimit(pages + 1, test)
    }

    private func setLimit(_ pages: Int64, _ test: TestDatabase) throws {
        try test.database.writer.perform { try $0.run("PRAGMA max_page_count = \(pages)") }
    }

    @Test("closures that wait together are one transaction, and one that throws takes back its own work only")
    func batch() throws {
        let test = try TestDatabase()
        let busy = try BusyWriter(test)
        let answers = Answers()
        test.observer.forget()
        try test.database.writer.submit(Self.insert("a"), done: answers.keep("a"))
        try test.database.writer.submit({ connection in
            try Self.insert("b")(connection)
            throw Refusal()
        }, done: answers.keep("b"))
        try test.database.writer.submit(Self.insert("c", size: -1), done: answers.keep("c"))
        try test.database.writer.submit(Self.insert("a"), done: answers.keep("again"))
        try test.database.writer.submit({ try $0.run("INSERT INTO part (item) VALUES ('nowhere')") }, done: answers.keep("part"))
        try test.database.writer.submit(Self.insert("d"), done: answers.keep("d"))
        busy.release()
        #expect(answers.first(6) == ["a done", "b refused Refusal", "c refused check", "again refused unique", "part refused foreignKey", "d done"])
        #expect(try test.names() == ["a", "d"])
        #expect(test.database.writer.statistics.lastBatch == 6)
        let taken = ["closure", "closure taken back"]
        // The second one throws after it has written, so that all are run again with savepoints.
        #expect(
            test.observer.events
                == ["will commit", "committed", "began", "closure", "closure", "rolled back", "began", "closure"] + taken + taken + taken + taken
                + ["closure", "will commit", "committed"])
    }

    @Test("where those that throw have written nothing, nobody is run twice")
    func throwsFirst() throws {
        let test = try TestDatabase()
        let busy = try BusyWriter(test)
        let answers = Answers()
        test.observer.forget()
        try test.database.writer.submit(Self.insert("a"), done: answers.keep("a"))
        try test.database.writer.submit({ _ in throw Refusal() }, done: answers.keep("b"))
        try test.database.writer.submit(Self.insert("c", size: -1), done: answers.keep("c"))
        try test.database.writer.submit({ connection in
            try Self.insert("a")(connection)
        }, done: answers.keep("again"))
        try test.database.writer.submit(Self.insert("d"), done: answers.keep("d"))
        busy.release()
        #expect(answers.first(5) == ["a done", "b refused Refusal", "c refused check", "again refused unique", "d done"])
        #expect(try test.names() == ["a", "d"])
        let taken = ["closure", "closure taken back"]
        #expect(test.observer.events == ["will commit", "committed", "began", "closure"] + taken + taken + taken + ["closure", "will commit", "committed"])
    }

    @Test("who has a batch run again once cannot have it done to each one")
    func caution() throws {
        let test = try TestDatabase()
        for round in 0..<2 {
            let busy = try BusyWriter(test)
            let answers = Answers()
            test.observer.forget()
            try test.database.writer.submit(Self.insert("a\(round)"), done: answers.keep("a"))
            try test.database.writer.submit({ connection in
                try Self.insert("b")(connection)
                throw Refusal()
            }, done: answers.keep("b"))
            busy.release()
            #expect(answers.first(2) == ["a done", "b refused Refusal"])
            #expect(test.observer.events.contains("rolled back") == (round == 0))
        }
        #expect(try test.names() == ["a0", "a1"])
    }

    @Test("a closure that is alone in its batch takes its work back without being run again")
    func throwsAlone() throws {
        let test = try TestDatabase()
        test.observer.forget()
        #expect(throws: WriteFailure.self) {
            try test.database.writer.perform { connection in
                try Self.insert("a")(connection)
                throw Refusal()
            }
        }
        #expect(try test.names() == [])
        #expect(test.observer.events == ["began", "closure", "rolled back"])
    }

    @Test("a closure that takes back parts of its work as a rule is run once, and others beside it")
    func undoing() throws {
        let test = try TestDatabase()
        let busy = try BusyWriter(test)
        let answers = Answers()
        test.observer.forget()
        try test.database.writer.submit(Self.insert("a"), done: answers.keep("a"))
        try test.database.writer.submit(as: .undoing, { connection in
            #expect(connection.takesSavepoints)
            try Self.insert("b")(connection)
            throw Refusal()
        }, done: answers.keep("b"))
        busy.release()
        #expect(answers.first(2) == ["a done", "b refused Refusal"])
        #expect(try test.names() == ["a"])
        #expect(test.observer.events == ["will commit", "committed", "began", "closure", "closure", "closure taken back", "will commit", "committed"])
    }

    @Test("an answer comes after the commit: whoever gets it finds the work in the file")
    func answersAfterCommit() throws {
        let test = try TestDatabase()
        let path = test.path
        let found = Monitor<[String]?>(nil)
        try test.database.writer.submit(Self.insert("a")) { _ in
            let names = try? Connection(path: path, mode: .readOnly).all("SELECT name FROM item") { $0.text(0) }
            found.change { $0 = names ?? [] }
        }
        #expect(found.when({ $0 != nil }) { $0 } == ["a"])
        #expect(test.observer.events.suffix(2) == ["will commit", "committed"])
    }

    @Test("the queue is bounded, and after the end takes nothing")
    func bounds() throws {
        let test = try TestDatabase { $0.queueLimit = 2 }
        let busy = try BusyWriter(test)
        let answers = Answers()
        for name in ["a", "b"] { try test.database.writer.submit(Self.insert(name), done: answers.keep(name)) }
        #expect(throws: QueueError.full) { try test.database.writer.submit(Self.insert("c"), done: answers.keep("c")) }
        #expect(test.database.writer.queueLength == 2)
        busy.release()
        #expect(answers.first(2) == ["a done", "b done"])
        test.database.close()
        #expect(throws: QueueError.closed) { try test.database.writer.submit(Self.insert("d"), done: answers.keep("d")) }
    }

    @Test("closing finishes what is queued, and leaves one file that holds everything")
    func close() throws {
        let test = try TestDatabase()
        let busy = try BusyWriter(test)
        let answers = Answers()
        for name in ["a", "b", "c"] { try test.database.writer.submit(Self.insert(name), done: answers.keep(name)) }
        busy.release()
        test.database.close()
        #expect(answers.first(3).count == 3)
        #expect(test.directory.files == ["test.db"])
        #expect(try Connection(path: test.path, mode: .immutable).first("SELECT count(*) FROM item") { $0.integer(0) } == 3)
    }

    @Test("where there is no room, nobody of the batch is stored, and writing goes on when there is room again")
    func diskFull() throws {
        let test = try TestDatabase()
        try test.add("before")
        try fill(test)
        let busy = try BusyWriter(test)
        let answers = Answers()
        test.observer.forget()
        try test.database.writer.submit(Self.insert("a"), done: answers.keep("a"))
        try test.database.writer.submit(Self.insertBig, done: answers.keep("big"))
        try test.database.writer.submit(Self.insert("b"), done: answers.keep("b"))
        busy.release()
        #expect(answers.first(3) == ["a storage storage", "big storage storage", "b storage storage"])
        #expect(test.observer.events.last == "rolled back")
        #expect(try test.names() == ["before"])
        try setLimit(1_000_000, test)
        try test.database.writer.perform(Self.insertBig)
        #expect(try test.names() == ["before", "big"])
    }

    @Test("a closure that catches the full disk does not go on in a transaction that is gone")
    func diskFullCaught() throws {
        let test = try TestDatabase()
        try fill(test)
        #expect(throws: WriteFailure.self) {
            try test.database.writer.perform { connection in
                try? Self.insertBig(connection)
                try Self.insert("small")(connection)
            }
        }
        #expect(try test.names() == [])
        try test.add("after")
        #expect(try test.names() == ["after"])
    }

    @Test("a commit that fails for another reason is tried again, closure by closure")
    func commitFails() throws {
        let test = try TestDatabase()
        let busy = try BusyWriter(test)
        let answers = Answers()
        let planted = DatabaseError(code: 1, message: "planted", sql: nil)
        try test.database.writer.submit({ _ in test.observer.failNextCommit(with: planted) }, done: answers.keep("plant"))
        try test.database.writer.submit(Self.insert("a"), done: answers.keep("a"))
        try test.database.writer.submit(Self.insert("a"), done: answers.keep("again"))
        test.observer.forget()
        busy.release()
        // Run again by itself, the first closure plants once more, and meets its own failure.
        #expect(answers.first(3) == ["plant storage other", "a done", "again refused unique"])
        #expect(try test.names() == ["a"])
        #expect(test.observer.events.filter { $0 == "rolled back" }.count == 2)
    }

    @Test("many threads' closures are all stored, once each")
    func manyThreads() throws {
        let test = try TestDatabase()
        let before = test.database.writer.statistics
        let done = Monitor(0)
        for thread in 0..<8 {
            startThread {
                for number in 0..<50 { try? test.add("\(thread)-\(number)") }
                done.change { $0 += 1 }
            }
        }
        done.when({ $0 == 8 }) { _ in }
        #expect(try test.names().count == 400)
        #expect(test.database.writer.statistics.closures - before.closures == 400)
        #expect(test.database.writer.statistics.commits - before.commits <= 400)
    }

    @Test("another program's lock is waited for once a batch, and nothing of the batch is stored")
    func locked() throws {
        let test = try TestDatabase()
        nonisolated(unsafe) let other = try Connection(path: test.path, mode: .readWrite)  // the writer stands still meanwhile
        let waits = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        waits.initialize(to: 0)
        defer { waits.deallocate() }
        nonisolated(unsafe) let counted = waits
        _ = try test.database.writer.perform { connection in
            sqlite3_busy_handler(
                connection.handle,
                { context, _ in
                    context?.assumingMemoryBound(to: Int.self).pointee += 1
                    return 0
                }, counted)
        }
        let busy = try BusyWriter(test) { try? other.script("BEGIN IMMEDIATE") }
        let answers = Answers()
        for name in ["a", "b"] { try test.database.writer.submit(Self.insert(name), done: answers.keep(name)) }
        busy.release()
        #expect(answers.first(2) == ["a storage busy", "b storage busy"])
        #expect(waits.pointee == 1)
        try other.script("ROLLBACK")
        try test.add("c")
        #expect(try test.names() == ["c"])
        test.database.close()
    }

    @Test("the WAL stays short under constant writes, with readers that overlap all the time")
    func checkpoints() throws {
        let test = try TestDatabase { $0.checkpointBytes = 128 << 10 }
        let running = Monitor((isStopped: false, count: 3))
        for _ in 0..<3 {
            startThread {
                while !running.withLock({ $0.isStopped }) { _ = try? test.names() }
                running.change(wakingAll: true) { $0.count -= 1 }
            }
        }
        var longest = 0
        for round in 0..<200 {
            try test.database.writer.perform {
                try $0.run("INSERT INTO item (name, data) VALUES (?, ?)", [.text("\(round)"), .blob([UInt8](repeating: 1, count: 100_000))])
            }
            longest = max(longest, test.database.walBytes)
        }
        running.withLock { $0.isStopped = true }
        running.when({ $0.count == 0 }) { _ in }
        // 20 MB were written; a WAL of 128 KiB is copied back, and made to begin again at its start when it has eight times that.
        #expect(longest < 5_000_000)
    }
}
