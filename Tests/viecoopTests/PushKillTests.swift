import Foundation
import JSON
import Replica
import SQLite
import TestSupport
import Testing

/// Pushes of a real replica to a real server, one of which is killed at a moment that moves through the whole push.
struct PushKillTests {
    /// At how many moments; more by hand, with `VIECOOP_KILLS`.
    static let moments = ProcessInfo.processInfo.environment["VIECOOP_KILLS"].flatMap { Int($0) } ?? 30

    enum Victim: String, CaseIterable { case server, device }

    @Test("an answer of the server says to which request it is")
    func namesRequests() throws {
        let folder = TestFolder()
        let server = try Running(folder.path)
        let request = ReplicaRequest(method: "GET", path: "/v1/changes")
        #expect(try CurlTransport(server: "http://127.0.0.1:\(server.port)", token: nil).send(request).requestID == request.id)
        #expect(server.stop().code == 0)
    }

    @Test("whoever is killed in whatever moment of a push, each change happens once and both sides are equal", arguments: Victim.allCases)
    func happensOnce(killed victim: Victim) throws {
        let folder = TestFolder(), phone = TestFolder()
        var server = try Running(folder.path)
        let token = try server.token()
        let coop = try server.addCoop("a-casa", token: token)
        func replica(_ server: Running) throws -> Replica {
            Replica(
                store: try LocalStore(path: phone.file("phone.db")), transport: CurlTransport(server: "http://127.0.0.1:\(server.port)", token: token))
        }
        func program(_ server: Running) throws -> Program {
            let words = ["replica", "push", "--server", "http://127.0.0.1:\(server.port)", "--store", phone.file("phone.db")]
            return try Program(words, environment: ["VIECOOP_TOKEN": token])
        }
        var changes = try Self.work(on: replica(server), coop: coop, round: -1)
        var lost = 0
        let start = MonotonicInstant.now
        if victim == .server { try replica(server).push() } else { #expect(try program(server).wait().output == "8 pushed: 8 applied\n") }
        let length = Double(MonotonicInstant.now.nanoseconds - start.nanoseconds) / 1000
        for moment in 0..<Self.moments {
            changes += try Self.work(on: replica(server), coop: coop, round: moment)
            // From before it begins until after its end.
            let microseconds = UInt32(length * 1.5 * Double(moment) / Double(Self.moments))
            switch victim {
            case .server:
                let replica = try replica(server)
                let killed = Background { [server] in
                    usleep(microseconds)
                    server.program.send(SIGKILL)
                }
                do { try replica.push() } catch is ReplicaError { lost += 1 }
                try killed.value()
                server.stop(SIGKILL)
                server = try Running(folder.path)
            case .device:
                let program = try program(server)
                usleep(microseconds)
                program.send(SIGKILL)
                if program.wait().code == nil { lost += 1 }
            }
            let replica = try replica(server)
            try replica.synchronize()
            #expect(try replica.waiting == 0 && replica.check() == 0, "moment \(moment)")
            #expect(try replica.notices.map { $0.result.text } == [], "moment \(moment)")
        }
        // Some were cut off, else nothing was tried.
        #expect(lost > 0)
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
