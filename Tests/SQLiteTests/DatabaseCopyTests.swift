import Foundation
import SQLite
import TestSupport
import Testing

struct DatabaseCopyTests {
    @Test("a copy is of one instant, whole and closed to others, while the writer goes on")
    func copies() throws {
        let test = try TestDatabase()
        for number in 0..<200 { try test.database.writer.perform { try $0.run("INSERT INTO item (name, data) VALUES (?, ?)", [.text("\(number)"), .blob([UInt8](repeating: 7, count: 5000))]) } }
        try test.database.writer.perform { try $0.run("PRAGMA application_id = \(0x7663_6F70)") }
        let copy = test.directory.file("copy.db")
        var steps = 0
        let count = try DatabaseCopy.make(of: test.path, to: copy) { _, _ in
            steps += 1
            try? test.add("meanwhile \(steps)")
        } read: { (connection) throws(DatabaseError) in
            try connection.first("SELECT count(*) FROM item") { $0.integer(0) }
        }
        #expect(count == 200 && steps > 0)
        #expect(try test.names().count == 200 + steps)
        #expect(!test.directory.files.contains("copy.db-wal") && !test.directory.files.contains("copy.db-journal"))
        #expect(throws: OpenError.self) { try DatabaseCopy.make(of: test.path, to: copy) { (_) throws(DatabaseError) in } }
    }

    @Test("the file written anew holds no byte of what was deleted, and others' writes wait their turn")
    func vacuums() throws {
        let test = try TestDatabase()
        let secret = "a name that is to be forgotten"
        for number in 0..<300 { try test.add("\(secret) \(number)", size: Int64(number)) }
        for number in 0..<300 where number % 3 != 0 { try test.database.writer.perform { try $0.run("UPDATE item SET name = ? WHERE size = ?", [.text("x\(number)"), .integer(Int64(number))]) } }
        try test.database.writer.perform { try $0.run("DELETE FROM item WHERE name LIKE ?", [.text(secret + "%")]) }
        let order = Monitor<[String]>([])
        try test.database.writer.submit(as: .alone, { try $0.vacuum() }) { result in order.change { $0.append("\(result)") } }
        try test.database.writer.submit({ try $0.run("INSERT INTO item (name) VALUES ('after')") }) { _ in order.change(wakingAll: true) { $0.append("after") } }
        #expect(order.when({ $0.count == 2 }) { $0 } == ["success(true)", "after"])
        for name in test.directory.files where name != "lock" {
            #expect(try Data(test.directory.bytes(of: name)).range(of: Data(secret.utf8)) == nil, "\(name)")
        }
        #expect(try test.names().count == 201)
    }

    @Test("with a reader in the way the log stays until it is gone")
    func waitsForReaders() throws {
        let test = try TestDatabase()
        try test.add("a")
        let emptied = try test.database.read { connection in
            _ = try connection.first("SELECT count(*) FROM item") { $0.integer(0) }
            try test.add("b")
            return try test.database.writer.perform(as: .alone) { try $0.vacuum() }
        }
        #expect(!emptied)
        #expect(try test.database.writer.perform(as: .alone) { $0.emptyWAL() })
        #expect(test.database.walBytes == 0)
        #expect(try test.names() == ["a", "b"])
    }

    private struct Refusal: Error {}

    @Test("what is done alone and fails leaves no transaction open")
    func endsTransactions() throws {
        let test = try TestDatabase()
        #expect(throws: (any Error).self) {
            try test.database.writer.perform(as: .alone) { connection in
                try connection.run("BEGIN IMMEDIATE")
                try connection.run("INSERT INTO item (name) VALUES ('half')")
                throw Refusal()
            }
        }
        try test.add("next")
        #expect(try test.names() == ["next"])
    }
}
