import Domain
import JSON
import Synchronization
import TestSupport
import Testing

@Suite("Pairings over HTTP")
struct PairingRoutesTests {
    let app: TestApp
    let admin: String
    /// Co-ops: an established one, a new one, and one that has nothing to do with them.
    let old: String
    let new: String
    let third: String
    private let any = [("If-Match", "*")]

    init() throws {
        app = try TestApp()
        admin = try app.token(.federationAdmin)
        old = try app.add(Coop.self, #"{"slug":"ancienne","name":"Ancienne","department_code":"31","membership":"member","coop_since_year":1909}"#)
        let year = Timestamp.now().day.year
        new = try app.add(Coop.self, #"{"slug":"nouvelle","name":"Nouvelle","department_code":"34","membership":"member","coop_since_year":\#(year - 1)}"#)
        third = try app.addCoop("tierce")
    }

    private func propose(_ token: String, _ sponsor: String? = nil, _ sponsored: String? = nil) throws -> TestAnswer {
        try app.send("POST", "/v1/pairings", #"{"kind":"sponsorship","sponsor_coop_id":"\#(sponsor ?? old)","sponsored_coop_id":"\#(sponsored ?? new)"}"#, token: token)
    }

    private func step(_ path: String, _ body: String, _ token: String) throws -> TestAnswer {
        try app.send("POST", path + "/transitions", body, token: token, headers: any)
    }

    @Test("the federation introduces two co-ops, their managers follow them to an active sponsorship, and a device hears of each step")
    func lives() throws {
        let (manager, device) = (try app.token(.coopManager, coop: new), try app.token(.referent, coop: old))
        let cursor = try #require(app.get("/v1/changes", token: device).json()["cursor"]?.stringValue)
        let created = try propose(admin)
        #expect(created.status == 201, "\(created.text)")
        let path = try #require(created["Location"])
        let refused = try step(path, #"{"to":"met"}"#, manager)
        #expect(refused.code == "state.forbidden")
        #expect(try refused.json()["status_now"]?.stringValue == "identified")
        #expect(try refused.json()["permitted"] == .array([.string("introduced"), .string("declined")]))
        #expect(try step(path, #"{"to":"introduced"}"#, manager).code == "scope.missing")
        #expect(try step(path, #"{"to":"introduced"}"#, admin).status == 200)
        let missing = try step(path, #"{"to":"met"}"#, manager)
        #expect(missing.faults == ["#/to pairing.not-met"])
        #expect(missing.text.contains(path + "/meetings"))

        let today = Timestamp.now().day.text
        let logged = try app.send("POST", path + "/meetings", #"{"held_on":"\#(today)","mode":"in_person","place":"Toulouse","minutes":"Bienvenue"}"#, token: device)
        #expect(logged.status == 201)
        let meeting = try #require(logged["Location"])
        #expect(try app.send("PATCH", meeting, #"{"minutes":"x"}"#, token: device, headers: any).code == "scope.missing")
        #expect(try app.send("PATCH", meeting, #"{"minutes":"Bienvenue à tous"}"#, token: manager, headers: any).status == 200)
        #expect(try app.get(meeting, token: device).json()["minutes"]?.stringValue == "Bienvenue à tous")
        #expect(try step(path, #"{"to":"met"}"#, manager).json()["meeting_place"]?.stringValue == "Toulouse")
        #expect(try step(path, #"{"to":"signed","agreement_ref":"Convention 1"}"#, manager).status == 200)
        let (elder, newcomer) = (try app.addReferent(old, more: #","status":"active""#), try app.addReferent(new, more: #","status":"active""#))
        let active = try step(
            path, #"{"to":"active","channel":"video","cadence_days":30,"sponsor_referent_id":"\#(elder)","sponsored_referent_id":"\#(newcomer)"}"#, manager)
        #expect(active.status == 200, "\(active.text)")
        #expect(try app.send("PATCH", path, #"{"cadence_days":60}"#, token: manager, headers: [("If-Match", try #require(active.etag))]).status == 200)

        let second = try app.send(
            "POST", "/v1/meetings", #"{"pairing_id":"\#(id(path))","held_on":"\#(today)","mode":"phone","referent_ids":["\#(elder)"]}"#, token: manager)
        #expect(try app.get("/v1/meetings?referent_id=\(elder)", token: device).json()["items"]?.elements?.count == 1)
        #expect(try app.get(path + "/meetings?sort=-held_on&count=true", token: device).json()["total"]?.integerValue == 2)
        #expect(try app.get(path + "/meetings?mode=phone&referent_id=x", token: device).status == 400)
        #expect(try app.send("DELETE", try #require(second["Location"]), token: manager, headers: any).status == 204)

        let changes = try app.get("/v1/changes?cursor=\(cursor)", token: device).json()["changes"]?.elements ?? []
        let seen = try #require(changes.first { $0["type"]?.stringValue == "pairing" })
        #expect(seen["doc"] == (try app.get(path, token: device).json()))
        #expect(changes.contains { $0["type"]?.stringValue == "meeting" && $0["doc"]?["minutes"]?.stringValue == "Bienvenue à tous" })
        let history = try app.get(path + "/history", token: manager).json()["items"]?.elements ?? []
        #expect(history.compactMap { $0["to"]?.stringValue } == ["identified", "introduced", "met", "signed", "active"])
        #expect(try step(path, #"{"to":"closed","reason":"Fini"}"#, manager).json()["close_reason"]?.stringValue == "Fini")
    }

    private func id(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

    @Test("lists are of the own co-op, by either side, by kind and state")
    func lists() throws {
        let path = try #require(propose(admin)["Location"])
        let manager = try app.token(.coopManager, coop: new)
        for query in ["coop_id=\(old)", "coop_id=\(new)", "kind=sponsorship&status=identified", "sponsor_coop_id=\(old)&sort=-identified_on"] {
            let items = try app.get("/v1/pairings?" + query, token: manager).json()["items"]?.elements
            #expect(items?.map { $0["id"]?.stringValue } == [id(path)], "\(query)")
        }
        #expect(try app.get("/v1/pairings?coop_id=x", token: manager).code == "parameter.invalid")
        #expect(try app.get("/v1/pairings?coop_id=\(third)&count=true", token: manager).json()["total"]?.integerValue == 0)
    }

    @Test("suggestions name sponsors with reasons in the caller's language; a literal path is no id")
    func suggests() throws {
        let manager = try app.token(.coopManager, coop: new)
        let french = try app.get("/v1/pairings/suggestions", token: manager)
        #expect(french.status == 200)
        let item = try #require(try french.json()["items"]?.elements?.first)
        #expect(item["slug"]?.stringValue == "ancienne")
        #expect(item["free_places"]?.integerValue == 3)
        #expect(item["reasons"]?.elements?.first?["text"]?.stringValue == "Dans la même région (FR-OCC)")
        let english = try app.get("/v1/pairings/suggestions?coop_id=\(new)", token: admin, headers: [("Accept-Language", "en")])
        #expect(try english.json()["items"]?.elements?.first?["reasons"]?.elements?.first?["text"]?.stringValue == "In the same region (FR-OCC)")
        _ = try propose(admin)
        #expect(try app.get("/v1/pairings/suggestions", token: manager).json()["obstacles"]?.elements?.first?["code"]?.stringValue == "pairing.has-sponsor")
        for query in ["", "?coop_id=x", "?coop=\(new)", "?coop_id=\(new)&coop_id=\(old)"] { #expect(try app.get("/v1/pairings/suggestions" + query, token: admin).status == 400) }
        #expect(try app.send("PATCH", "/v1/pairings/suggestions", "{}", token: admin, headers: any).status == 405)
    }

    @Test("of many conflicting proposals at once exactly one is stored; the others are told why")
    func competes() throws {
        let sponsors = try (1...6).map {
            try app.add(Coop.self, #"{"slug":"m-\#($0)","name":"M","department_code":"31","membership":"member","coop_since_year":1950}"#)
        }
        let tokens = try sponsors.map { (coop: $0, token: try app.token(.coopManager, coop: $0)) }
        let codes = Codes()
        try Concurrently.forEach(tokens + tokens) { [self] proposal in
            let answer = try propose(proposal.token, proposal.coop)
            codes.add(answer.status == 201 ? "created" : answer.code ?? "\(answer.status)")
        }
        #expect(codes.all.filter { $0 == "created" }.count == 1)
        #expect(Set(codes.all).isSubset(of: ["created", "pairing.live", "pairing.has-sponsor"]))
        #expect(try app.get("/v1/pairings?count=true", token: admin).json()["total"]?.integerValue == 1)
    }

    // MARK: Who sees and does what

    /// An operation on a pairing or a meeting, as each role may do it to its own: the statuses, in the order of `roles`.
    struct Operation: Sendable, CustomTestStringConvertible {
        let method: String
        /// `$p` and `$m` stand for the ids of a pairing and its meeting.
        let path: String
        var body: String?
        let own: [Int]
        var testDescription: String { "\(method) \(path)" }
    }

    static let roles: [Role] = [.federationAdmin, .federationReader, .coopManager, .referent]
    static let operations = [
        Operation(method: "GET", path: "/v1/pairings/$p", own: [200, 200, 200, 200]),
        Operation(method: "PATCH", path: "/v1/pairings/$p", body: #"{"topics":["A"]}"#, own: [200, 403, 200, 403]),
        Operation(method: "POST", path: "/v1/pairings/$p/transitions", body: #"{"to":"declined","reason":"Non"}"#, own: [200, 403, 200, 403]),
        Operation(method: "GET", path: "/v1/pairings/$p/meetings", own: [200, 200, 200, 200]),
        Operation(method: "POST", path: "/v1/pairings/$p/meetings", body: #"{"held_on":"2026-03-02","mode":"phone"}"#, own: [201, 403, 201, 201]),
        Operation(method: "POST", path: "/v1/meetings", body: #"{"pairing_id":"$p","held_on":"2026-03-02","mode":"phone"}"#, own: [201, 403, 201, 201]),
        Operation(method: "GET", path: "/v1/pairings/$p/history", own: [200, 403, 200, 403]),
        Operation(method: "GET", path: "/v1/meetings/$m", own: [200, 404, 200, 200]),
        Operation(method: "PATCH", path: "/v1/meetings/$m", body: #"{"minutes":"B"}"#, own: [200, 403, 200, 403]),
        Operation(method: "DELETE", path: "/v1/meetings/$m", own: [204, 403, 204, 403]),
        Operation(method: "GET", path: "/v1/meetings/$m/history", own: [200, 404, 200, 403]),
        Operation(method: "GET", path: "/v1/pairings?coop_id=$c&count=true", own: [200, 200, 200, 200]),
        Operation(method: "GET", path: "/v1/meetings?pairing_id=$p&count=true", own: [200, 200, 200, 200]),
    ]

    @Test("each role does what is its own, and finds another pair's as if it were absent", arguments: operations)
    func isGuarded(_ operation: Operation) throws {
        func ask(_ ids: [String: String], _ token: String?) throws -> TestAnswer {
            let fill = { (text: String) in ids.reduce(text) { $0.replacing($1.key, with: $1.value) } }
            return try app.send(operation.method, fill(operation.path), operation.body.map(fill), token: token, headers: operation.method == "GET" ? [] : any)
        }
        let absent = ["$p": "0197a000-0000-7000-8000-000000000001", "$m": "0197a000-0000-7000-8000-000000000002", "$c": "0197a000-0000-7000-8000-000000000003"]
        for (role, status) in zip(Self.roles, operation.own) {
            let (coop, ids) = try pairOfPeers("paire-\(status)-\(role.rawValue.replacing("_", with: "-"))")
            for stranger in [Role.coopManager, .referent] {
                let token = try app.token(stranger, coop: third)
                let texts = try [ids, absent].map { ids in
                    let answer = try ask(ids, token)
                    return ids.values.reduce("\(answer.status) \(answer.text)") { $0.replacing($1, with: "") }
                }
                #expect(texts[0] == texts[1], "\(stranger)")
                #expect(!texts[0].contains("Entre nous"))
            }
            #expect(try ask(ids, nil).status == 401)
            let answer = try ask(ids, app.token(role, coop: role.belongsToCoop ? coop : nil))
            #expect(answer.status == status, "\(role): \(answer.text)")
        }
    }

    /// A new co-op, and the ids of its pairing with the established one and of their meeting.
    private func pairOfPeers(_ slug: String) throws -> (coop: String, ids: [String: String]) {
        let coop = try app.addCoop(slug)
        let pairing = try app.send("POST", "/v1/pairings", #"{"kind":"peer","sponsor_coop_id":"\#(old)","sponsored_coop_id":"\#(coop)"}"#, token: admin)
        let path = try #require(pairing["Location"])
        let meeting = try app.send("POST", path + "/meetings", #"{"held_on":"2026-03-02","mode":"video","minutes":"Entre nous"}"#, token: admin)
        return (coop, ["$p": id(path), "$m": id(try #require(meeting["Location"])), "$c": coop])
    }

    @Test("a stranger's feed, lists and lineages hold nothing of it, nor does what anyone sees")
    func leaksNothing() throws {
        let pairing = try #require(try propose(admin).json()["id"]?.stringValue)
        _ = try app.send("POST", "/v1/pairings/\(pairing)/meetings", #"{"held_on":"2026-03-02","mode":"video","minutes":"Entre nous"}"#, token: admin)
        for role in [Role.coopManager, .referent] {
            let stranger = try app.token(role, coop: third)
            for path in ["/v1/changes", "/v1/pairings", "/v1/meetings", "/v1/coops/\(old)/lineage", "/v1/coops/\(new)/lineage", "/v1/coops/\(old)", "/v1/coops"] {
                #expect(try !app.get(path, token: stranger).text.contains(pairing), "\(path)")
            }
            let (paired, unpaired) = (try app.get("/v1/coops/\(old)/lineage", token: stranger), try app.get("/v1/coops/\(third)/lineage", token: stranger))
            #expect(paired.text.replacing(old, with: third) == unpaired.text)
        }
        let dashboard = try app.token(.federationReader)
        #expect(try app.get("/v1/changes", token: dashboard).text.contains(pairing))
        #expect(try !app.get("/v1/changes", token: dashboard).text.contains("Entre nous"))
        let manager = try app.token(.coopManager, coop: new)
        for token in [admin, dashboard, manager] {
            let links = try app.get("/v1/coops/\(new)/lineage", token: token).json()["sponsors"]?.elements
            #expect(links?.first?["pairing_id"]?.stringValue == pairing)
            #expect(links?.first?["slug"]?.stringValue == "ancienne")
        }
        #expect(try app.get("/v1/coops/\(new)/lineage").status == 401)
        #expect(try app.get("/v1/coops/\(pairing)/lineage", token: admin).status == 404)
    }
}

/// What many threads have heard.
private final class Codes: Sendable {
    private let heard = Mutex<[String]>([])
    var all: [String] { heard.withLock { $0 } }
    func add(_ code: String) { heard.withLock { $0.append(code) } }
}
