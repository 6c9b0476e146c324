import Foundation
import JSON
import SQLite
import TestSupport
import Testing

/// Backups and restores by the real program, killed at any moment.
struct BackupTests {
    /// How often a backup and a restore are killed; more by hand, with `VIECOOP_KILLS`.
    static let kills = ProcessInfo.processInfo.environment["VIECOOP_KILLS"].flatMap { Int($0) } ?? 10

    private struct Stream {
        var done: [String] = []
        var failures: [String] = []
        var isOver = false
        var clients = 4
    }

    @Test("a backup under a stream of writes fails none, and restored it is whole: all from before it, nothing by halves")
    func keepsWritesGoing() throws {
        let folder = TestFolder(), files = TestFolder()
        let server = try Running(folder.path)
        let token = try server.token()
        let coop = try server.addCoop("a-casa", token: token)
        let stream = Monitor(Stream())
        for _ in 0..<4 { startThread { Self.write(to: server, coop, token, stream) } }
        var before: [[String]] = []
        for round in 0..<3 {
            let count = stream.when({ $0.done.count >= (round + 1) * 40 || $0.clients == 0 }) { $0.done.count }
            before.append(stream.withLock { Array($0.done.prefix(count)) })
            let made = try Program.run(["backup", files.file("\(round).db"), "--data", folder.path])
            #expect(made.code == 0 && made.output.contains("everything up to seq"), "\(made)")
        }
        stream.change { $0.isOver = true }
        stream.when({ $0.clients == 0 }) { #expect($0.failures == []) }
        #expect(server.stop().code == 0)
        #expect(files.files == ["0.db", "1.db", "2.db"])
        for (round, ids) in before.enumerated() {
            let attributes = try FileManager.default.attributesOfItem(atPath: files.file("\(round).db"))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let other = TestFolder()
            #expect(try Program.run(["restore", files.file("\(round).db"), "--data", other.path]).code == 0)
            #expect(try Program.run(["feed", "verify", "--data", other.path]).code == 0)
            #expect(try Set(ids).isSubset(of: Self.referents(in: other)))
        }
    }

    private static func write(to server: Running, _ coop: String, _ token: String, _ stream: Monitor<Stream>) {
        while !stream.withLock({ $0.isOver }) {
            let id = UUID()
            let answer = try? server.send("POST", "/v1/referents", referent(id, coop: coop), token: token)
            stream.change(wakingAll: true) { state in
                if answer?.status == 201 { state.done.append(id.uuidString.lowercased()) } else { state.failures.append(answer?.text ?? "no answer") }
            }
        }
        stream.change(wakingAll: true) { $0.clients -= 1 }
    }

    @Test("after a restore devices go on where nothing was undone for them, tokens are as they were, and seqs go on behind all that were given out")
    func restores() throws {
        let folder = TestFolder(), files = TestFolder()
        var server = try Running(folder.path)
        let admin = try server.token()
        let coop = try server.addCoop("a-casa", token: admin)
        let (early, late, revoked) = (try server.token("federation_reader"), try server.token("federation_reader"), try server.token("federation_reader"))
        let earlyCursor = try Self.cursor(server, early)
        #expect(try Program.run(["backup", files.file("b.db"), "--data", folder.path]).code == 0)
        #expect(try server.send("POST", "/v1/referents", referent(UUID(), coop: coop), token: admin).status == 201)
        let lateCursor = try Self.cursor(server, late)
        let seq = try #require(try server.get("/v1/changes", token: late).json()["seq"]?.integerValue)
        let device = try server.token("federation_reader")
        let id = try #require(try server.get("/v1/me", token: revoked).json()["token_id"]?.stringValue)
        #expect(try server.send("DELETE", "/v1/tokens/\(id)", token: admin).status == 204)

        let refused = try Program.run(["restore", files.file("b.db"), "--data", folder.path])
        #expect(refused.code == 1 && refused.errors.contains("process \(server.program.pid)"), "\(refused)")
        #expect(try server.get("/readyz").status == 200)
        #expect(server.stop().code == 0)
        let restored = try Program.run(["restore", files.file("b.db"), "--data", folder.path])
        #expect(restored.code == 0, "\(restored)")
        #expect(folder.files.filter { $0.hasPrefix("viecoop-before-") }.count == 1 && !folder.files.contains("restoring"))

        server = try Running(folder.path)
        #expect(try server.get("/v1/changes?cursor=\(earlyCursor)", token: early).status == 200)
        let forked = try server.get("/v1/changes?cursor=\(lateCursor)", token: late)
        #expect(forked.status == 410 && forked.code == "epoch_forked", "\(forked.text)")
        #expect(try forked.json()["reoffer_after"]?.integerValue == seq - 1)
        #expect(try server.get("/v1/me", token: device).status == 200, "made after the backup")
        #expect(try server.get("/v1/me", token: revoked).status == 401, "revoked after the backup")
        let made = try server.send("POST", "/v1/referents", referent(UUID(), coop: coop), token: admin)
        #expect(try made.json()["rev"]?.integerValue ?? 0 > 65_536)
        #expect(server.stop().code == 0)
        let heads = try (0..<2).map { _ in
            #expect(try Program.run(["restore", files.file("b.db"), "--data", folder.path]).code == 0)
            let server = try Running(folder.path)
            let head = try server.get("/v1/changes", token: early).json()["seq"]?.integerValue
            #expect(server.stop().code == 0)
            return try #require(head)
        }
        #expect(heads[0] < heads[1], "no seq is the head of two histories")
    }

    @Test("a database that was put there by hand is refused until it is adopted, and then devices are told")
    func adopts() throws {
        let folder = TestFolder()
        var server = try Running(folder.path)
        let token = try server.token()
        #expect(server.stop().code == 0)
        let older = try folder.bytes(of: "viecoop.db")
        server = try Running(folder.path)
        _ = try server.addCoop("a-casa", token: token)
        let cursor = try Self.cursor(server, token)
        #expect(server.stop().code == 0)
        try folder.write(older, to: "viecoop.db")
        for words in [["serve", "--listen", "127.0.0.1:0"], ["token", "list"], ["doctor"]] {
            let refused = try Program.run(words + ["--data", folder.path])
            #expect(refused.code == 1 && refused.errors.contains("viecoop restore --adopt"), "\(refused)")
        }
        #expect(try folder.bytes(of: "viecoop.db") == older)
        #expect(try Program.run(["restore", "--adopt", "--data", folder.path]).code == 0)
        #expect(try Program.run(["restore", "--adopt", "--data", folder.path]).output.contains("nothing to adopt"))
        server = try Running(folder.path)
        #expect(try server.get("/v1/changes?cursor=\(cursor)", token: token).code == "epoch_forked")
        #expect(server.stop().code == 0)
    }

    @Test("a log that has lost its end, which SQLite drops without a word, is noticed")
    func noticesLostEnd() throws {
        let folder = TestFolder()
        let server = try Running(folder.path)
        let token = try server.token()
        let coop = try server.addCoop("a-casa", token: token)
        for _ in 0..<20 { #expect(try server.send("POST", "/v1/referents", referent(UUID(), coop: coop), token: token).status == 201) }
        server.stop(SIGKILL)
        var log = try folder.bytes(of: "viecoop.db-wal")
        for index in (log.count * 3 / 4)..<log.count { log[index] ^= 0xFF }
        try folder.write(log, to: "viecoop.db-wal")
        let refused = try Program.run(["feed", "verify", "--data", folder.path])
        #expect(refused.code == 1 && refused.errors.contains("was committed"), "\(refused)")
        #expect(try Program.run(["restore", "--adopt", "--data", folder.path]).code == 0)
        #expect(try Program.run(["feed", "verify", "--data", folder.path]).code == 0)
    }

    @Test("a backup or a restore that is killed leaves the old or the new, never something between")
    func survivesKills() throws {
        let folder = TestFolder(), files = TestFolder()
        let backup = files.file("b.db")
        func referents() throws -> Int { try Self.referents(in: folder).count }
        #expect(try Program.run(["import"] + CommandProcessTests.samples(files) + ["--data", folder.path]).code == 0)
        #expect(try Program.run(["backup", backup, "--data", folder.path]).code == 0)
        let coops = try Program.run(["export", "coop", "--format", "ndjson", "--data", folder.path]).output
        let slug = try #require(try JSON.parse(Array((coops.split(separator: "\n").first ?? "").utf8))["slug"]?.stringValue)
        let row = "coop,given_name,family_name,started_on\n\(slug),Ana,Muller,2026-01-05\n"
        try files.write(Array(row.utf8), to: "referents.csv")
        let whole = try files.bytes(of: "b.db")
        for round in 0..<Self.kills {
            try Self.kill(["backup", backup, "--data", folder.path], round)
            #expect(try files.bytes(of: "b.db").count == whole.count)
        }
        for round in 0..<Self.kills {
            // One referent more than the backup has: whether it is there tells old from new.
            if try referents() == 0 { #expect(try Program.run(["import", files.file("referents.csv"), "--data", folder.path]).code == 0) }
            try Self.kill(["restore", backup, "--data", folder.path], round)
            let verified = try Program.run(["feed", "verify", "--data", folder.path])
            #expect(verified.code == 0, "\(verified)")
            #expect(try [0, 1].contains(referents()))
        }
        #expect(try Program.run(["restore", backup, "--data", folder.path]).code == 0)
        #expect(try referents() == 0 && !folder.files.contains("restoring"))
    }

    @Test("what would overwrite something else, or is no backup, is refused and touches nothing")
    func refuses() throws {
        let folder = TestFolder(), files = TestFolder()
        #expect(try Program.run(["feed", "verify", "--data", folder.path]).code == 0)
        try files.write(Array("my diary\n".utf8), to: "diary")
        #expect(try Program.run(["backup", files.file("cut.db"), "--data", folder.path]).code == 0)
        // In the middle of the last page, which SQLite reads as if zeros followed.
        try files.write(Array(try files.bytes(of: "cut.db").dropLast(5000)), to: "cut.db")
        let database = try folder.bytes(of: "viecoop.db")
        for (words, message) in [
            (["backup", files.file("diary")], "no backup"), (["backup", folder.file("viecoop.db")], "is the database itself"),
            (["backup", files.file("none/b.db")], "cannot be read or written"), (["restore", files.file("diary")], "is not a viecoop database"),
            (["restore", files.file("none.db")], "is not there"), (["restore", files.file("cut.db")], "is damaged"),
        ] {
            let refused = try Program.run(words + ["--data", folder.path])
            #expect(refused.code == 1 && refused.errors.contains(message), "\(words): \(refused)")
        }
        #expect(try folder.bytes(of: "viecoop.db") == database && !folder.files.contains("restoring"))
        #expect(files.files == ["cut.db", "diary"])
        #expect(try files.bytes(of: "diary") == Array("my diary\n".utf8))
    }

    // MARK: Helpers

    /// A cursor that has everything.
    private static func cursor(_ server: Running, _ token: String) throws -> String {
        try #require(try server.get("/v1/changes?limit=1000", token: token).json()["cursor"]?.stringValue)
    }

    private static func referents(in folder: TestFolder) throws -> Set<String> {
        let exported = try Program.run(["export", "referent", "--format", "ndjson", "--data", folder.path])
        #expect(exported.code == 0, "\(exported)")
        return try Set(exported.output.split(separator: "\n").compactMap { try JSON.parse(Array($0.utf8))["id"]?.stringValue })
    }

    /// Runs a command and kills it at a moment that differs from round to round, sometimes after its end.
    private static func kill(_ words: [String], _ round: Int) throws {
        let killer = "viecoop=$1; shift; pause=$1; shift; \"$viecoop\" \"$@\" & pid=$!; sleep $pause; kill -9 $pid; wait $pid"
        let pause = String(format: "%.3f", 0.002 + Double(round * 7 % 10) * 0.02)
        _ = try Program(["-c", killer, "sh", Program.viecoop, pause] + words, executable: "/bin/sh").wait()
    }
}
