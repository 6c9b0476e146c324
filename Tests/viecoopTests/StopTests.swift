import Foundation
import JSON
import SQLite
import TestSupport
import Testing

struct StopTests {
    @Test("SIGTERM under load fails no request that was taken, and ends with 0")
    func stopsInOrder() throws {
        let folder = TestFolder()
        let server = try Running(folder.path)
        let token = try server.token()
        let coop = try server.addCoop("a-casa", token: token)
        let state = Monitor((done: [UUID](), refused: [String](), unanswered: [UUID](), clients: 4))
        for _ in 0..<4 {
            startThread {
                while true {
                    let id = UUID()
                    do {
                        let answer = try server.send("POST", "/v1/referents", referent(id, coop: coop), token: token)
                        guard answer.status == 201 else {
                            state.change(wakingAll: true) { $0.refused.append("\(answer.status)"); $0.clients -= 1 }
                            return
                        }
                        state.change(wakingAll: true) { $0.done.append(id) }
                    } catch {
                        return state.change(wakingAll: true) { $0.unanswered.append(id); $0.clients -= 1 }
                    }
                }
            }
        }
        state.when({ $0.done.count >= 20 || $0.clients == 0 }) { _ in }
        let outcome = server.stop()
        #expect(outcome.code == 0, "\(outcome)")
        let (done, refused, unanswered) = state.when({ $0.clients == 0 }) { ($0.done, $0.refused, $0.unanswered) }
        #expect(refused.allSatisfy { $0 == "503" }, "\(refused)")
        #expect(throws: (any Error).self) { try server.get("/readyz") }

        let again = try Running(folder.path)
        for id in done { #expect(try again.get("/v1/referents/\(id.uuidString.lowercased())", token: token).status == 200) }
        // Without an answer are only those that were still in the system's backlog: the server never took them.
        for id in unanswered { #expect(try again.get("/v1/referents/\(id.uuidString.lowercased())", token: token).status == 404) }
        #expect(try Program.run(["feed", "verify", "--data", folder.path]).code == 0)
        #expect(again.stop(SIGINT).code == 0)
    }

    @Test("SIGTERM answers who waits for news")
    func answersWhoWaits() throws {
        let folder = TestFolder()
        let server = try Running(folder.path)
        let token = try server.token()
        let cursor = try #require(try server.get("/v1/changes?limit=1000", token: token).json()["cursor"]?.stringValue)
        let answered = Monitor<Int?>(nil)
        startThread {
            let status = try? server.get("/v1/changes?cursor=\(cursor)&wait=30", token: token).status
            answered.change { $0 = status ?? 0 }
        }
        while !(try Program.run(["doctor", "--data", folder.path]).output.contains("waiting_clients: 1\n")) {}
        #expect(server.stop().code == 0)
        #expect(answered.when({ $0 != nil }) { $0 } == 200)
    }

    @Test("a second signal does not wait for who has not sent all")
    func stopsAtOnce() throws {
        let folder = TestFolder()
        let server = try Running(folder.path)
        let half = "POST /v1/ideas HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        startThread { _ = try? TestClient.exchange(Array(half.utf8), port: server.port) }
        let metrics = ["-s", "--unix-socket", folder.file("control.sock"), "http://localhost/metrics"]
        try waitUntil("one connection") { try Program(metrics, executable: "/usr/bin/curl").wait().output.contains("viecoop_connections 1\n") }
        server.program.send(SIGTERM)
        // Nobody is let in any more: so the first signal has been taken.
        while (try? server.get("/livez")) != nil {}
        #expect(server.stop().code == 1)
    }
}
