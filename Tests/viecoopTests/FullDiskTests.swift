import Foundation
import TestSupport
import Testing

/// A file system of a few megabytes, mounted for one test.
private final class SmallDisk: Sendable {
    let folder = TestFolder()

    init() throws {
        guard try Self.run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder.path) == 0 else { throw Program.Failure(what: "no mount") }
    }

    deinit { _ = try? Self.run("umount", "-l", folder.path) }

    static let isPossible: Bool = (try? SmallDisk()) != nil

    private static func run(_ words: String...) throws -> Int32? { try Program(words, executable: "/usr/bin/env").wait().code }
}

struct FullDiskTests {
    @Test("a full disk refuses writes with storage.full, reads go on, and space makes it well", .enabled(if: SmallDisk.isPossible, "mounting a small disk needs root"))
    func survives() throws {
        let disk = try SmallDisk()
        let server = try Running(disk.folder.path, ["--log", "errors"])
        let token = try server.token()
        let coop = try server.addCoop("a-casa", token: token)
        // What is left goes to a file, byte by byte at the end, so that the files of the database cannot grow.
        // "e": a program that another test starts meanwhile must not keep it open.
        let filler = try #require(fopen(disk.folder.file("filler"), "we"))
        setvbuf(filler, nil, _IONBF, 0)
        var piece = 1 << 16
        while piece > 0 { if fwrite([UInt8](repeating: 1, count: piece), 1, piece, filler) < piece { piece /= 2 } }
        fclose(filler)

        var stored: [UUID] = []
        var refusal: TestAnswer?
        for _ in 0..<10_000 where refusal == nil {
            let id = UUID()
            let answer = try server.send("POST", "/v1/referents", referent(id, coop: coop), token: token)
            if answer.status == 201 { stored.append(id) } else { refusal = answer }
        }
        #expect(refusal?.status == 503 && refusal?.code == "storage.full", "\(refusal?.text ?? "never full")")
        #expect(try server.program.errorLine(with: #""cause""#).contains("SQLite 13: database or disk is full"))
        #expect(try server.get("/v1/coops/\(coop)", token: token).status == 200)
        #expect(try server.get("/readyz").status == 503)
        try FileManager.default.removeItem(atPath: disk.folder.file("filler"))
        #expect(try server.get("/readyz").status == 200)
        let id = UUID()
        #expect(try server.send("POST", "/v1/referents", referent(id, coop: coop), token: token).status == 201)
        for id in stored + [id] { #expect(try server.get("/v1/referents/\(id.uuidString.lowercased())", token: token).status == 200) }
        #expect(try Program.run(["feed", "verify", "--data", disk.folder.path]).code == 0)
        #expect(server.stop().code == 0)
    }
}
