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

    @Test("whoever got 201 for a sign-up before the process was killed has the seat, or is as far in the queue as the answer said")
    func keepsSeats() throws {
        let folder = TestFolder()
        var server = try Running(folder.path)
        let admin = try server.token()
        let coop = try server.addCoop("a-casa", token: admin)
        let manager = try server.token("coop_manager", ["--coop", "a-casa"])
        let session = try Self.openSession(on: server, coop: coop, admin: admin, manager: manager)
        for round in 0..<Self.kills {
            let progress = Monitor<(answers: [JSON], clients: Int)>(([], 3))
            for client in 0..<3 {
                startThread { [server] in
                    var number = 0
                    while true {
                        number += 1
                        let body = #"{"contact_name":"Nom","channel":"phone","postal":"rue \#(round) \#(client) \#(number)"}"#
                        guard let answer = try? server.send("POST", session + "/registrations", body, token: manager), answer.status == 201, let json = try? answer.json() else {
                            return progress.change(wakingAll: true) { $0.clients -= 1 }
                        }
                        progress.change(wakingAll: true) { $0.answers.append(json) }
                    }
                }
            }
            progress.when({ $0.answers.count >= 5 + round * 3 % 20 }) { _ in }
            #expect(server.stop(SIGKILL).code == nil)
            let answers = progress.when({ $0.clients == 0 }) { $0.answers }
            server = try Running(folder.path)
            for said in answers {
                let kept = try server.get("/v1/registrations/\(said["id"]?.stringValue ?? "")", token: manager).json()
                #expect(kept["status"] == said["status"])
                #expect(kept["rank"] == said["rank"])
            }
            let totals = try server.get(session, token: manager).json()
            #expect(totals["free_seats"] == .number("0") && totals["seats_confirmed"] == .number("2"))
            #expect(try Program.run(["feed", "verify", "--data", folder.path]).code == 0)
        }
    }

    private static func openSession(on server: Running, coop: String, admin: String, manager: String) throws -> String {
        func add(_ path: String, _ body: String, _ token: String) throws -> String { try server.send("POST", path, body, token: token).json()["id"]?.stringValue ?? "" }
        let mooc = try add("/v1/moocs", #"{"slug":"culture","title":"Culture"}"#, admin)
        let module = try add("/v1/modules", #"{"mooc_id":"\#(mooc)","slug":"bases","title":"Les bases","status":"published"}"#, admin)
        let site = try add("/v1/sites", #"{"coop_id":"\#(coop)","name":"Siège","workstations":2,"seats":8}"#, manager)
        let body = #"{"site_id":"\#(site)","module_id":"\#(module)","starts_at":"2099-03-12T14:00:00Z","capacity":2,"status":"open"}"#
        return "/v1/sessions/" + (try add("/v1/sessions", body, manager))
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
