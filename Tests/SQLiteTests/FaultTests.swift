import CFaultVFS
import CSQLite
import Foundation
import SQLite
import TestSupport
import Testing

/// A disk whose n-th write, sync or truncation fails: all that is promised must hold for each n until one run meets no fault.
@Suite struct FaultTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let stays: Bool
        let full: Bool
    }

    static let faults = [
        Fault(testDescription: "one input/output error", stays: false, full: false),
        Fault(testDescription: "an input/output error that stays", stays: true, full: false),
        Fault(testDescription: "one write without room", stays: false, full: true),
        Fault(testDescription: "no room any more", stays: true, full: true),
    ]

    /// A VFS of this test's own; unregistered with the object, after its database.
    private final class Disk: @unchecked Sendable {  // the C side counts atomically
        let name = "fault-\(UUID())"
        private let cName: UnsafeMutablePointer<CChar>
        private let vfs: OpaquePointer

        init() throws {
            _ = try Connection(path: ":memory:", mode: .readWrite)  // configures SQLite, which a VFS must not come before
            cName = strdup(name)
            vfs = try #require(fault_vfs_register(cName))
        }

        deinit {
            fault_vfs_unregister(vfs)
            free(cName)
        }

        func arm(_ n: Int, _ fault: Fault) { fault_vfs_arm(vfs, Int32(n), fault.stays ? 1 : 0, fault.full ? 1 : 0) }
        /// Whether an operation has failed.
        func disarm() -> Bool { fault_vfs_disarm(vfs) > 0 }
    }

    private static func insert(_ name: String) -> @Sendable (Connection) throws -> Void {
        // More than a page, so that a commit is several writes.
        { try $0.run("INSERT INTO item (name, data) VALUES (?, ?)", [.text(name), .blob([UInt8](repeating: 7, count: 9000))]) }
    }

    /// A batch of three, then three by themselves.
    ///
    /// - Returns: the names that were acknowledged.
    private static func work(_ test: TestDatabase) throws -> Set<String> {
        let busy = try BusyWriter(test)
        let answers = Answers()
        let batch = ["batch1", "batch2", "batch3"]
        for name in batch { try test.database.writer.submit(insert(name), done: answers.keep(name)) }
        busy.release()
        var acknowledged: Set<String> = []
        for answer in answers.first(3) {
            let words = answer.split(separator: " ").map(String.init)
            if words.last == "done" { acknowledged.insert(words[0]) } else { #expect(words.last == "storage", "\(answer)") }
        }
        for name in ["single1", "single2", "single3"] {
            do {
                try test.database.writer.perform(insert(name))
                acknowledged.insert(name)
            } catch WriteFailure.storage(let error) {
                #expect(error.kind == .storage, "\(error)")
            } catch WriteFailure.refused(let error as DatabaseError) {
                #expect(error.kind == .storage, "\(error)")
            }
        }
        return acknowledged
    }

    private static func content(of path: String) throws -> Set<String> {
        let connection = try Connection(path: path, mode: .readWrite)
        #expect(try connection.first("PRAGMA integrity_check") { $0.text(0) } == "ok")
        return Set(try connection.all("SELECT name FROM item") { $0.text(0) })
    }

    @Test("every write is stored or refused, never half, wherever the disk fails", arguments: faults)
    func writes(_ fault: Fault) throws {
        var n = 0
        var failed = true
        while failed {
            n += 1
            let disk = try Disk()
            let directory = TestFolder()
            var acknowledged: Set<String> = ["before"]
            do {
                let test = try TestDatabase(in: directory) {
                    $0.vfs = disk.name
                    $0.checkpointBytes = 48 << 10  // so that the run has checkpoints as well
                }
                try test.database.writer.perform(Self.insert("before"))
                disk.arm(n, fault)
                acknowledged.formUnion(try Self.work(test))
                #expect(Set(try test.names()) == acknowledged, "fault \(n), while it stays")
                // What a process killed now would find: perhaps also what failed at its very last step, but no half batch.
                let after = TestFolder()
                for name in ["test.db", "test.db-wal"] { try after.write(directory.bytes(of: name), to: name) }
                let found = try Self.content(of: after.file("test.db"))
                #expect(found.isSuperset(of: acknowledged), "fault \(n), killed")
                #expect([0, 3].contains(found.filter { $0.hasPrefix("batch") }.count), "fault \(n), killed")

                failed = disk.disarm()
                try test.database.writer.perform(Self.insert("after"))
                acknowledged.insert("after")
                #expect(Set(try test.names()) == acknowledged, "fault \(n), when it is over")
            }
            #expect(try Self.content(of: directory.file("test.db")) == acknowledged, "fault \(n), opened again")
        }
        #expect(n > 20)
    }

    @Test("a database that could not be made for a fault can be made when it is over", arguments: faults)
    func creation(_ fault: Fault) throws {
        var n = 0
        var failed = true
        while failed {
            n += 1
            let disk = try Disk()
            let directory = TestFolder()
            disk.arm(n, fault)
            do {
                let test = try TestDatabase(in: directory) { $0.vfs = disk.name }
                failed = disk.disarm()
                try test.add("a")
            } catch let error as OpenError {
                failed = disk.disarm()
                switch error {
                case .storage, .failedMigration, .setting: break
                default: Issue.record("fault \(n): \(error)")
                }
            }
            let test = try TestDatabase(in: directory)
            try test.add("b")
            #expect(try test.names().last == "b")
        }
        #expect(n > 5)
    }
}
