import Foundation
import SQLite
import Testing
import TestSupport

@Suite("Starting")
struct StartTests {
    struct Trap: Sendable, CustomTestStringConvertible {
        let name: String
        /// A word of the message that tells what is wrong.
        let says: String
        /// Spoils the folder of a server that had run.
        let spoil: @Sendable (String) throws -> Void
        var testDescription: String { name }
    }

    static let traps = [
        Trap(name: "a text file", says: "not a viecoop database") { try "Bonjour".write(toFile: $0 + "/viecoop.db", atomically: true, encoding: .utf8) },
        Trap(name: "another program's SQLite file", says: "not a viecoop database") { folder in
            try FileManager.default.removeItem(atPath: folder + "/viecoop.db")
            try sql(folder, "CREATE TABLE t (a)")
        },
        Trap(name: "another's file in WAL mode", says: "not a viecoop database") { folder in
            try FileManager.default.removeItem(atPath: folder + "/viecoop.db")
            try sql(folder, "PRAGMA journal_mode = wal; CREATE TABLE t (a)")
        },
        Trap(name: "a truncated file", says: "damaged") { folder in
            let handle = try #require(FileHandle(forUpdatingAtPath: folder + "/viecoop.db"))
            try handle.truncate(atOffset: 50_000)
        },
        Trap(name: "bytes turned over in the middle", says: "damaged") { folder in
            let handle = try #require(FileHandle(forUpdatingAtPath: folder + "/viecoop.db"))
            for page in 1..<20 {
                try handle.seek(toOffset: UInt64(page * 4096))
                try handle.write(contentsOf: Data(repeating: 0xA5, count: 600))
            }
        },
        Trap(name: "a newer schema", says: "newer viecoop") { try sql($0, "INSERT INTO migration VALUES ('9999-later', 'x', 'now')") },
        Trap(name: "an edited migration", says: "was changed after") { try sql($0, "UPDATE migration SET digest = 'x'") },
        Trap(name: "a folder that is not there", says: "does not exist") { try FileManager.default.removeItem(atPath: $0) },
    ]

    @Test("a folder that can't be used is refused with advice, exit code 1, and left as it is", arguments: traps)
    func refuses(_ trap: Trap) throws {
        let folder = TestFolder()
        #expect(try RunningServer(data: folder.path).stop() == 0)
        try trap.spoil(folder.path)
        let before = try contents(folder.path)
        let result = try Binary.run("serve", "--data", folder.path, "--listen", "127.0.0.1:0")
        #expect(result.status == 1)
        #expect(result.errors.contains(trap.says), "\(result.errors)")
        #expect(try contents(folder.path) == before)
    }

    @Test("a second server on the folder is told whose it is, and a taken port leaves no trace")
    func excludes() throws {
        let folder = TestFolder()
        let server = try RunningServer(data: folder.path)
        let second = try Binary.run("serve", "--data", folder.path, "--listen", "127.0.0.1:0")
        #expect(second.status == 1)
        #expect(second.errors.contains("process \(server.process.processIdentifier)"))
        let elsewhere = folder.path + "/other"
        let taken = try Binary.run("serve", "--demo", "--data", elsewhere, "--listen", "127.0.0.1:\(server.port)")
        #expect(taken.status == 1)
        #expect(taken.errors.contains("in use"))
        #expect(!FileManager.default.fileExists(atPath: elsewhere))
        #expect(server.stop() == 0)
    }

    @Test("a wrong command line is told how it goes, exit code 2", arguments: [["fly"], ["serve", "--listen", "here"], ["serve", "--colour"], ["serve", "--data"], ["serve", "--log", "loud"], ["token", "create"], ["export", "car"], ["import"]])
    func corrects(_ words: [String]) throws {
        let process = Binary.process(words, [:])
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 2)
        #expect(String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).contains("viecoop help"))
    }

    @Test("the demo prints a token for each role, and makes new ones at the next start")
    func demonstrates() throws {
        let folder = TestFolder()
        let first = try RunningServer(data: folder.path, "--demo")
        let former = first.demoTokens()
        #expect(Set(former.keys) == ["FEDERATION", "DASHBOARD", "MANAGER", "NEIGHBOUR", "DEVICE", "HELPER"])
        for token in former.values { #expect(try first.send("GET", "/v1/coops?count=true", token: token).json()["total"]?.integerValue == 43) }
        #expect(first.stop() == 0)
        let second = try RunningServer(data: folder.path, "--demo")
        #expect(second.demoTokens().count == 6)
        #expect(try second.send("GET", "/v1/me", token: try #require(former["MANAGER"])).status == 401)
        #expect(second.stop() == 0)
    }

    @Test("options may come from the environment")
    func readsEnvironment() throws {
        let folder = TestFolder()
        #expect(try RunningServer(data: folder.path).stop() == 0)
        #expect(try Binary.run("doctor", environment: ["VIECOOP_DATA": folder.path]).output.contains("status: ready"))
    }

    /// Every file beside the lock, with its bytes; nil for a folder that is not there.
    private func contents(_ folder: String) throws -> [String: Data]? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return nil }
        return try Dictionary(uniqueKeysWithValues: names.filter { $0 != "lock" }.map { ($0, try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)"))) })
    }

    private static func sql(_ folder: String, _ script: String) throws {
        try Connection(path: folder + "/viecoop.db", mode: .readWrite).script(script)
    }
}
