import Foundation
import JSON
import SQLite
import TestSupport
import Testing

struct KillTests {
    /// How often the process is killed; more by hand, with `VIECOOP_KILLS`.
    static let kills = ProcessInfo.processInfo.environment["VIECOOP_KILLS"].flatMap { Int($0) } ?? 10

    private struct Progress {
        var acknowledged: [UUID] = []
        var unanswered: [UUID] = []
        var clients = 0
    }

    @Test("a process killed while clients create loses nothing that was acknowledged, and keeps nothing by halves")
    func keepsWhatWasAcknowledged() throws {
        let folder = TestFolder()
        var server = try Running(folder.path)
        let token = try server.token()
        let coop = try server.addCoop("a-casa", token: token)
        var known = Set<String>()
        for round in 0..<Self.kills {
            let progress = Monitor(Progress(clients: 4))
            for _ in 0..<4 { startThread { [server] in Self.create(on: server, coop, token, progress) } }
            // Killed after another number of answers each time, in the midst of those on their way.
            progress.when({ $0.acknowledged.count >= 5 + round * 7 % 40 }) { _ in }
            #expect(server.stop(SIGKILL).code == nil)
            let (acknowledged, unanswered) = progress.when({ $0.clients == 0 }) { ($0.acknowledged, $0.unanswered) }

            server = try Running(folder.path)
            for id in acknowledged {
                #expect(try server.get("/v1/referents/\(id.uuidString.lowercased())", token: token).status == 200)
                let again = try server.send("POST", "/v1/referents", referent(id, coop: coop), token: token)
                #expect(again.status == 200, "the same again: \(again.text)")
            }
            // Done or not done, and the retry of a client that does not know makes it done once.
            for id in unanswered {
                let wasThere = try server.get("/v1/referents/\(id.uuidString.lowercased())", token: token).status == 200
                #expect(try server.send("POST", "/v1/referents", referent(id, coop: coop), token: token).status == (wasThere ? 200 : 201))
            }
            known.formUnion((acknowledged + unanswered).map { $0.uuidString.lowercased() })
            #expect(try Program.run(["feed", "verify", "--data", folder.path]).code == 0)
        }
        let exported = try Program.run(["export", "referent", "--format", "ndjson", "--data", folder.path])
        let ids = try exported.output.split(separator: "\n").compactMap { try JSON.parse(Array($0.utf8))["id"]?.stringValue }
        #expect(ids.count == known.count && Set(ids) == known)
    }

    private static func create(on server: Running, _ coop: String, _ token: String, _ progress: Monitor<Progress>) {
        while true {
            let id = UUID()
            let answer = try? server.send("POST", "/v1/referents", referent(id, coop: coop), token: token)
            guard let answer, answer.status == 201 else {
                return progress.change(wakingAll: true) { $0.unanswered.append(id); $0.clients -= 1 }
            }
            progress.change(wakingAll: true) { $0.acknowledged.append(id) }
        }
    }
}
