import Foundation
import JSON
import Synchronization
import Testing
import TestSupport

@Suite("The server killed in the middle", .serialized)
struct CrashTests {
    /// `VIECOOP_KILLS=500 swift test --filter CrashTests` looks longer.
    private static let kills = ProcessInfo.processInfo.environment["VIECOOP_KILLS"].flatMap { Int($0) } ?? 8

    @Test("every creation that was acknowledged is there after kill -9, and the feed agrees with the tables")
    func keeps() async throws {
        let folder = TestFolder()
        _ = try Binary.run("import", try coops(folder), "--data", folder.path)
        let token = try Binary.run("token", "create", "--role", "federation_admin", "--data", folder.path).output.trimmingCharacters(in: .newlines)
        var generator = SystemRandomNumberGenerator()
        var acknowledged: [String: String] = [:]
        var server = try RunningServer(data: folder.path, "--log", "off")
        let coop = try #require(try server.send("GET", "/v1/coops?slug=a-casa", token: token).json()["items"]?.elements?.first?["id"]?.stringValue)
        for _ in 0..<Self.kills {
            let noted = Noted()
            let target = Int.random(in: 5...60, using: &generator)
            let (port, pid) = (server.port, server.process.processIdentifier)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        while true {
                            let (id, body) = Self.referent(coop)
                            let headers = [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json"), ("Content-Length", String(body.utf8.count))]
                            guard let answer = try? TestClient.send("POST", "/v1/referents", body, headers, port: port), answer.status == 201 else { return }
                            let count = noted.bodies.withLock { noted in
                                noted[id] = body
                                return noted.count
                            }
                            if count == target { kill(pid, SIGKILL) }
                        }
                    }
                }
            }
            server.kill()
            acknowledged.merge(noted.bodies.withLock { $0 }) { $1 }
            server = try RunningServer(data: folder.path, "--log", "off")
            for (id, body) in noted.bodies.withLock({ $0 }) {
                #expect(try server.send("GET", "/v1/referents/\(id)", token: token).status == 200)
                #expect(try server.send("POST", "/v1/referents", body, token: token).status == 200, "the same again is no second one")
            }
        }
        let total = try server.send("GET", "/v1/referents?count=true&limit=1", token: token).json()["total"]?.integerValue ?? 0
        #expect(total >= acknowledged.count)
        #expect(try Binary.run("feed", "verify", "--data", folder.path).status == 0)
        #expect(server.stop() == 0)
        #expect(try Binary.run("doctor", "--data", folder.path).status == 0)
    }

    private static func referent(_ coop: String) -> (id: String, body: String) {
        let id = UUID().uuidString.lowercased()
        return (id, #"{"id":"\#(id)","coop_id":"\#(coop)","given_name":"Ana","family_name":"\#(id)","started_on":"2026-01-05"}"#)
    }

    private func coops(_ folder: TestFolder) throws -> String {
        let path = folder.path + "/coops.csv"
        try "slug,name,department_code,membership\na-casa,A Casa,2B,member\n".write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}

/// What the server has acknowledged, by id.
private final class Noted: Sendable {
    let bodies = Mutex<[String: String]>([:])
}
