import API
import Domain
import JSON
import SQLite
import Synchronization
import TestSupport
import Testing
import Text

@Suite("The action of the month over HTTP")
struct RoundRoutesTests {
    let app: TestApp
    let coop: String
    let manager: String
    let device: String
    private let any = [("If-Match", "*")]

    init() throws {
        app = try TestApp()
        coop = try app.addCoop("a-casa")
        manager = try app.token(.coopManager, coop: coop)
        device = try app.token(.referent, coop: coop)
    }

    /// The path of a round that is voting, and the ids of its nominations.
    private func voting(_ titles: String...) throws -> (path: String, nominations: [String]) {
        let path = try #require(app.send("POST", "/v1/rounds", #"{"month":"2026-03"}"#, token: manager)["Location"])
        let nominations = try titles.map { title in
            try #require(app.send("POST", path + "/nominations", #"{"title":"\#(title)","author":"L'équipe B"}"#, token: device).json()["id"]?.stringValue)
        }
        #expect(try step(path, "voting").status == 200)
        return (path, nominations)
    }

    @Test("the operator, who sees no co-op's round, puts nothing forward in one")
    func operatorPutsNothingForward() throws {
        var settings = App.Settings()
        settings.isControl = true
        let app = try TestApp(app: settings)
        let manager = try app.token(.coopManager, coop: app.addCoop("a-casa"))
        let path = try #require(app.send("POST", "/v1/rounds", #"{"month":"2026-03"}"#, token: manager)["Location"])
        #expect(try app.send("POST", path + "/nominations", #"{"title":"Fête"}"#).status == 404)
        #expect(try app.get(path + "/nominations", token: manager).json()["items"]?.elements == [])
    }

    private func step(_ path: String, _ to: String) throws -> TestAnswer {
        try app.send("POST", path + "/transitions", #"{"to":"\#(to)"}"#, token: manager, headers: any)
    }

    private func vote(_ round: String, _ nomination: String, _ voter: String, headers: [(String, String)] = []) throws -> TestAnswer {
        try app.send("POST", round + "/votes", #"{"nomination_id":"\#(nomination)","voter":"\#(voter)"}"#, token: device, headers: headers)
    }

    @Test("a device nominates and votes, the manager moves the round on, and everybody reads the winner in the feed")
    func life() throws {
        let draft = try app.send("POST", "/v1/rounds", #"{"month":"2026-02"}"#, token: manager)
        #expect(draft.status == 201)
        let spare = try #require(draft["Location"])
        let added = try app.send("POST", "/v1/nominations", #"{"round_id":"\#(try #require(draft.json()["id"]?.stringValue))","title":"Fête"}"#, token: device)
        let nomination = try #require(added["Location"])
        #expect(try app.send("PATCH", nomination, #"{"description":"Dans la cour"}"#, token: manager, headers: any).status == 200)
        #expect(try app.get(nomination, token: device).json()["description"]?.stringValue == "Dans la cour")
        #expect(try app.send("DELETE", nomination, token: manager, headers: any).status == 204)
        #expect(try app.send("DELETE", spare, token: manager, headers: any).status == 204)

        let (round, nominations) = try voting("Goûter", "Jardin")
        let given = try vote(round, nominations[1], "Ana")
        #expect(given.status == 201)
        #expect(given.text == #"{"round_id":"\#(round.split(separator: "/").last ?? "")"}"#)
        #expect(try vote(round, nominations[0], "ana").code == "vote.given")
        #expect(try app.get(round + "/votes", token: manager).status == 405)
        #expect(try app.get(round, token: device).json()["results"] == .null)
        #expect(try step(round, "closed").json()["winner_ids"] == .array([.string(nominations[1])]))
        #expect(try vote(round, nominations[0], "Ben").json()["status_now"]?.stringValue == "closed")
        #expect(try step(round, "announced").status == 200)
        let listed = try app.get("/v1/rounds?month=2026-03&status=announced", token: device).json()["items"]?.elements
        #expect(listed?.first?["results"]?.elements?.first?["votes"] == .number("1"))
        #expect(try app.get(round + "/nominations?count=true", token: device).json()["total"] == .number("2"))
        #expect(try app.get("/v1/nominations?round_id=\(round.split(separator: "/").last ?? "")", token: manager).json()["items"]?.elements?.count == 2)
        let feed = try app.get("/v1/changes", token: device)
        #expect(feed.text.contains(#""winner_ids":["\#(nominations[1])"]"#))
        let steps = try app.get(round + "/history", token: manager).json()["items"]?.elements?.compactMap { $0["to"]?.stringValue }
        #expect(steps == ["collecting", "voting", "closed", "announced"])
    }

    @Test("of one voter who votes from fifty places at once, one vote counts")
    func votesOnce() throws {
        let (round, nominations) = try voting("Goûter", "Jardin")
        let answers = Mutex<[TestAnswer]>([])
        try Concurrently.forEach(Array(1...50)) { number in
            let answer = try vote(round, nominations[number % 2], number % 3 == 0 ? "JEANNE" : "Jeanne")
            answers.withLock { $0.append(answer) }
        }
        #expect(answers.withLock { $0.count { $0.status == 201 } } == 1)
        #expect(answers.withLock { $0.count { $0.code == "vote.given" } } == 49)
        let results = try step(round, "closed").json()["results"]?.elements ?? []
        #expect(results.compactMap { $0["votes"] } == [.number("1"), .number("0")])
    }

    @Test("a repeated vote under one Idempotency-Key gets the same answer, and counts once")
    func repeats() throws {
        let (round, nominations) = try voting("Goûter")
        let key = [("Idempotency-Key", "v-1")]
        let first = try vote(round, nominations[0], "Jeanne", headers: key)
        let again = try vote(round, nominations[0], "Jeanne", headers: key)
        #expect([first.status, again.status] == [201, 201])
        #expect(again["Idempotency-Replayed"] == "true")
        #expect(try step(round, "closed").json()["results"]?.elements?.first?["votes"] == .number("1"))
    }

    @Test("the voter is in no answer, and nowhere in the folder: not in the database, not in its log")
    func leavesNoTrace() throws {
        let (round, nominations) = try voting("Goûter")
        let answers = try [
            vote(round, nominations[0], "Zéphyrine Quintefeuille", headers: [("Idempotency-Key", "v-1")]),
            vote(round, nominations[0], "Zéphyrine Quintefeuille"), vote(round, nominations[0], "Zéphyrine Quintefeuille", headers: [("Idempotency-Key", "v-1")]),
            vote(round, "x", "Zéphyrine Quintefeuille"), vote(round, round, "Zéphyrine Quintefeuille\\u200b"),
            app.send("POST", round + "/votes", #"{"voter":"Zéphyrine Quintefeuille","voter":1}"#, token: device),
            app.send("POST", round + "/votes", #"{"voter":"Zéphyrine Quintefeuille""#, token: device), step(round, "closed"),
        ]
        #expect(answers.map(\.status) == [201, 409, 201, 422, 422, 400, 400, 200])
        for answer in answers { #expect(!answer.text.folded.contains("quintefeuille")) }
        #expect(try !app.get("/v1/changes", token: manager).text.folded.contains("quintefeuille"))
        #expect(app.folder.files.contains("viecoop.db-wal"))
        var found = 0
        for file in app.folder.files {
            let bytes = try app.folder.bytes(of: file)
            // What is surely there is found, so that the search is one.
            found += bytes.firstRange(of: Array("Goûter".utf8)) == nil ? 0 : 1
            for trace in ["Quintefeuille", "quintefeuille", "Zéphyrine", "zephyrine"] { #expect(bytes.firstRange(of: Array(trace.utf8)) == nil, "\(trace) in \(file)") }
        }
        #expect(found > 0)
        let hashes = try app.federation.read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in try connection.all("SELECT voter_hash FROM vote") { $0.blob(0) } }
        }
        #expect(hashes.map(\.count) == [32])
    }
}
