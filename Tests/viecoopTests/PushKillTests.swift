import Foundation
import JSON
import Replica
import SQLite
import TestSupport
import Testing

/// Pushes of a real replica to a real server, one of which is killed before a step that moves on through the whole push.
struct PushKillTests {
    /// How often through all steps of a push; more by hand, with `VIECOOP_KILLS`.
    static let rounds = ProcessInfo.processInfo.environment["VIECOOP_KILLS"].flatMap { Int($0) } ?? 1

    enum Victim: String, CaseIterable { case server, device }

    @Test("an answer of the server says to which request it is")
    func namesRequests() throws {
        let folder = TestFolder()
        let server = try Running(folder.path)
        let request = ReplicaRequest(method: "GET", path: "/v1/changes")
        #expect(try CurlTransport(server: "http://127.0.0.1:\(server.port)", token: nil).send(request).requestID == request.id)
        #expect(server.stop().code == 0)
    }

    @Test("whoever is killed between whatever two steps of a push, each change happens once and both sides are equal", arguments: Victim.allCases)
    func happensOnce(killed victim: Victim) throws {
        let folder = TestFolder(), phone = TestFolder()
        let steps = try Steps()
        func start() throws -> Running { try Running(folder.path, environment: victim == .server ? steps.environment : [:]) }
        var server = try start()
        let token = try server.token()
        let coop = try server.addCoop("a-casa", token: token)
        func replica() throws -> Replica {
            Replica(
                store: try LocalStore(path: phone.file("phone.db")), transport: CurlTransport(server: "http://127.0.0.1:\(server.port)", token: token))
        }
        var changes = 0
        var (step, rounds, kills) = (0, 0, 0)
        while rounds < Self.rounds {
            step += 1
            changes += try Self.work(on: replica(), coop: coop, round: changes)
            let wasKilled: Bool
            switch victim {
            case .server:
                let replica = try replica()
                steps.arm(step)
                do { try replica.push() } catch is ReplicaError {}
                wasKilled = !steps.disarm()
                if wasKilled {
                    server.stop(SIGKILL)
                    server = try start()
                }
            case .device:
                let words = ["replica", "push", "--server", "http://127.0.0.1:\(server.port)", "--store", phone.file("phone.db")]
                steps.arm(step)
                let end = try Program(words, environment: steps.environment.merging(["VIECOOP_TOKEN": token]) { $1 }).wait()
                wasKilled = !steps.disarm()
                #expect(end.code == (wasKilled ? nil : 0), "step \(step): \(end)")
            }
            if wasKilled { kills += 1 } else { (rounds, step) = (rounds + 1, 0) }
            let replica = try replica()
            try replica.synchronize()
            #expect(try replica.waiting == 0 && replica.check() == 0, "step \(step)")
            #expect(try replica.notices.map { $0.result.text } == [], "step \(step)")
        }
        // A push receives, writes to the log, has it on the disk and answers: fewer steps would mean that they are not seen.
        #expect(kills >= 10 * Self.rounds)
        #expect(server.stop().code == 0)
        let file = try Connection(path: folder.file("viecoop.db"), mode: .readOnly)
        let made = try file.first("SELECT count(*), count(DISTINCT seq) FROM history WHERE type = 'referent'") { ($0.integer(0), $0.integer(1)) }
        #expect(made.map { [$0.0, $0.1] } == [Int64(changes), Int64(changes)])
        #expect(try Program.run(["feed", "verify", "--data", folder.path]).code == 0)
    }

    /// Eight things done on the phone: records made, changed, ended and deleted.
    private static func work(on replica: Replica, coop: String, round: Int) throws -> Int {
        var ids: [String] = []
        for number in 0..<3 {
            let fields = #"{"coop_id":"\#(coop)","given_name":"Ana","family_name":"\#(round) \#(number)","started_on":"2026-01-05"}"#
            ids.append(try replica.note(LocalChange(.create, "referent", fields: JSON.parse(Array(fields.utf8)))))
        }
        for name in ["Bea", "Ana", "Bea"] { try replica.note(LocalChange(.patch, "referent", ids[0], fields: .object([JSON.Member("given_name", .string(name))]))) }
        try replica.note(LocalChange(.delete, "referent", ids[1]))
        try replica.note(LocalChange(.patch, "referent", ids[2], fields: .object([JSON.Member("job_title", .string("Gardien"))])))
        return 8
    }
}

/// Tells a child process before which of its steps it dies (`Tests/steps`).
private final class Steps {
    private let folder = TestFolder()
    private let left: Int32

    /// - Throws: where clang, without which Swift does not link either, is not in `PATH`.
    init() throws {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../steps/steps.c").path
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let compiled = try Program(
            ["clang", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", folder.file("steps.so"), source], executable: "/usr/bin/env", environment: ["PATH": path]
        ).wait()
        guard compiled.code == 0 else { throw Program.Failure(what: compiled.errors) }
        left = open(folder.file("left"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        arm(0)
    }

    deinit { close(left) }

    var environment: [String: String] { ["LD_PRELOAD": folder.file("steps.so"), "STEPS": folder.file("left")] }

    /// The child dies before its `step`th step from now on; 0 for never.
    func arm(_ step: Int) { _ = withUnsafeBytes(of: step) { pwrite(left, $0.baseAddress, $0.count, 0) } }

    /// - Returns: whether the step had not come yet.
    func disarm() -> Bool {
        var step = 0
        _ = withUnsafeMutableBytes(of: &step) { pread(left, $0.baseAddress, $0.count, 0) }
        arm(0)
        return step > 0
    }
}
