import Foundation
import SQLite
import TestSupport
import Testing

/// What a start refuses: with exit code 1, a message that says what to do, and the folder as it was.
struct RefusalTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        let message: [String]
        /// Makes the folder, which holds a stopped federation's files already.
        let prepare: @Sendable (TestFolder) throws -> Void
        var testDescription: String { name }

        init(_ name: String, _ message: String..., prepare: @escaping @Sendable (TestFolder) throws -> Void) {
            (self.name, self.message, self.prepare) = (name, message, prepare)
        }
    }

    static let refusals = [
        Refusal("bytes flipped in the middle", "viecoop.db is damaged", "viecoop restore") { folder in
            var bytes = try folder.bytes(of: "viecoop.db")
            for page in stride(from: 8192, to: bytes.count, by: 4096) { for index in page..<page + 64 { bytes[index] ^= 0xFF } }
            try folder.write(bytes, to: "viecoop.db")
        },
        Refusal("cut off", "viecoop.db is damaged", "viecoop restore") { folder in
            let bytes = try folder.bytes(of: "viecoop.db")
            try folder.write(Array(bytes.prefix(bytes.count / 2)), to: "viecoop.db")
        },
        Refusal("cut off inside a page", "viecoop.db is damaged", "viecoop restore") { folder in
            try folder.write(Array(try folder.bytes(of: "viecoop.db").dropLast(1000)), to: "viecoop.db")
        },
        Refusal("a text file", "is not a viecoop database", "--data") { folder in
            try folder.empty()
            try folder.write(Array("my diary\n".utf8), to: "viecoop.db")
        },
        Refusal("another program's database", "is not a viecoop database", "--data") { folder in
            try folder.empty()
            try sql("CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('mine'); PRAGMA application_id = 7", folder)
        },
        Refusal("another program's database with its WAL", "is not a viecoop database", "--data") { folder in
            try folder.empty()
            try folder.writeForeignWAL()
        },
        Refusal("a migration of a newer version", "made by a newer viecoop", "9999-later", "Install that version") { folder in
            try sql("INSERT INTO migration VALUES ('9999-later', 'ab', '2026-01-01T00:00:00Z')", folder)
        },
        Refusal("a migration that was edited", "Migration 0001-registry was changed", "Use the binary") { folder in
            try sql("UPDATE migration SET digest = 'ab' WHERE name = '0001-registry'", folder)
        },
    ]

    @Test("a start that cannot be done says what to do and touches nothing", arguments: refusals)
    func refuses(_ refusal: Refusal) throws {
        let folder = TestFolder()
        #expect(try Program.run(["feed", "verify", "--data", folder.path]).code == 0)
        try refusal.prepare(folder)
        let before = try folder.snapshot()
        for command in [["serve", "--listen", "127.0.0.1:0"], ["serve", "--demo", "--listen", "127.0.0.1:0"], ["token", "list"], ["doctor"]] {
            let outcome = try Program.run(command + ["--data", folder.path])
            #expect(outcome.code == 1 && outcome.output.isEmpty, "\(command): \(outcome)")
            for part in refusal.message { #expect(outcome.errors.contains(part), "\(command): \(outcome.errors)") }
            let after = try folder.snapshot()
            #expect(after.keys.sorted() == before.keys.sorted(), "\(command)")
            for (name, bytes) in before { #expect(after[name] == bytes, "\(command) changed \(name)") }
        }
    }

    @Test("a folder that is not there is not made, but by the demo")
    func missesFolder() throws {
        let folder = TestFolder()
        for command in [["serve", "--listen", "127.0.0.1:0"], ["token", "list"], ["doctor"], ["feed", "verify"], ["export", "coop"]] {
            let outcome = try Program.run(command + ["--data", folder.file("none")])
            #expect(outcome.code == 1 && outcome.errors.contains("does not exist. Create it"), "\(command): \(outcome)")
        }
        #expect(folder.files.isEmpty)
    }

    // Below /proc nobody can make a file, root neither.
    @Test("a folder that cannot be written is refused")
    func refusesReadOnlyFolder() throws {
        let outcome = try Program.run(["serve", "--listen", "127.0.0.1:0", "--data", "/proc/self"])
        #expect(outcome.code == 1 && outcome.output.isEmpty, "\(outcome)")
        #expect(outcome.errors.contains("cannot be written"), "\(outcome.errors)")
    }

    @Test("a folder in use is refused with the pid of who uses it, who goes on")
    func refusesFolderInUse() throws {
        let folder = TestFolder()
        let server = try Running(folder.path)
        for demo in [[], ["--demo"]] {
            let outcome = try Program.run(["serve", "--listen", "127.0.0.1:0", "--data", folder.path] + demo)
            #expect(outcome.code == 1 && outcome.errors.contains("(process \(server.program.pid))"), "\(outcome)")
        }
        #expect(try server.get("/readyz").status == 200)
        #expect(try Program.run(["doctor", "--data", folder.path]).code == 0)
        #expect(server.stop().code == 0)
    }

    @Test("a port in use is refused before anything is made")
    func refusesPortInUse() throws {
        let folder = TestFolder()
        let server = try Running(folder.path)
        for demo in [[], ["--demo"]] {
            let outcome = try Program.run(["serve", "--listen", "127.0.0.1:\(server.port)", "--data", folder.file("other")] + demo)
            #expect(outcome.code == 1 && outcome.errors.contains("\(server.port)") && outcome.errors.contains("--listen"), "\(outcome)")
        }
        #expect(!folder.files.contains("other"))
    }

    struct Misuse: Sendable, CustomTestStringConvertible {
        let words: [String]
        let message: String
        var testDescription: String { words.joined(separator: " ") }
        init(_ words: String, _ message: String) { (self.words, self.message) = (words.split(separator: " ").map(String.init), message) }
    }

    static let misuses = [
        Misuse("bogus", "there is no command `bogus`; `viecoop help` lists them"),
        Misuse("help bogus", "there is no command `bogus`; `viecoop help` lists them"),
        Misuse("serve --bogus", "`--bogus` is not known here; `viecoop help serve`"),
        Misuse("serve -x", "`-x` is not known here; `viecoop help serve`"),
        Misuse("serve extra", "`extra` is not known here; `viecoop help serve`"),
        Misuse("serve --data", "--data needs a value; `viecoop help serve`"),
        Misuse("serve --data --demo", "--data needs a value; `viecoop help serve`"),
        Misuse("serve --data=", "--data needs a value; `viecoop help serve`"),
        Misuse("serve --data a --data b", "`--data` is not known here"),
        Misuse("serve --listen", "--listen needs a value"),
        Misuse("serve --listen 8080", "--listen must be HOST:PORT"),
        Misuse("serve --listen 127.0.0.1:", "--listen must be HOST:PORT"),
        Misuse("serve --listen 127.0.0.1:65536", "--listen must be HOST:PORT"),
        Misuse("serve --listen :8080", "--listen must be HOST:PORT"),
        Misuse("serve --listen 127.0.0.1:+1", "--listen must be HOST:PORT"),
        Misuse("serve --log loud", "--log must be all, errors or off; `viecoop help serve`"),
        Misuse("token", "say create, list or revoke; `viecoop help token`"),
        Misuse("token create", "--role is missing; `viecoop help token`"),
        Misuse("token create --role king", "--role must be one of: federation_admin"),
        Misuse("token revoke", "which token?"),
        Misuse("import", "which files?; `viecoop help import`"),
        Misuse("export", "which type? One of: coop"),
        Misuse("export unicorn", "which type? One of: coop"),
        Misuse("export coop --format xml", "--format must be csv or ndjson"),
        Misuse("feed", "say verify or rebuild"),
        Misuse("doctor now", "`now` is not known here"),
        Misuse("version now", "`now` is not known here"),
    ]

    @Test("a command that is misused says how it is used, with exit code 2", arguments: misuses)
    func hints(_ misuse: Misuse) throws {
        let folder = TestFolder()
        let outcome = try Program.run(misuse.words, environment: ["VIECOOP_DATA": folder.path])
        #expect(outcome.code == 2 && outcome.output.isEmpty, "\(outcome)")
        #expect(outcome.errors.contains(misuse.message) && outcome.errors.contains("viecoop help"), "\(outcome.errors)")
        #expect(folder.files.isEmpty)
    }

    private static func sql(_ text: String, _ folder: TestFolder) throws {
        try Connection(path: folder.file("viecoop.db"), mode: .readWrite).script(text)
    }
}

extension TestFolder {
    fileprivate func empty() throws { for name in files { try FileManager.default.removeItem(atPath: file(name)) } }

    /// Every file with its bytes; of `lock` only that it is there, since it names who looked last.
    fileprivate func snapshot() throws -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: try files.map { ($0, $0 == "lock" ? [] : try bytes(of: $0)) })
    }

    /// A database whose rows are in its WAL only, as its program leaves it when it is killed.
    fileprivate func writeForeignWAL() throws {
        do {
            let connection = try Connection(path: file("open.db"), mode: .readWrite)
            try connection.script("PRAGMA application_id = 7; PRAGMA journal_mode = WAL; CREATE TABLE note (text TEXT)")
            for ending in ["", "-wal", "-shm"] { try write(bytes(of: "open.db" + ending), to: "viecoop.db" + ending) }
            withExtendedLifetime(connection) {}
        }
        try FileManager.default.removeItem(atPath: file("open.db"))
        #expect(files == ["viecoop.db", "viecoop.db-shm", "viecoop.db-wal"])
    }
}
