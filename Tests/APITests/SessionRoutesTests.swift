import API
import Domain
import Glibc
import JSON
import SQLite
import Synchronization
import TestSupport
import Testing

@Suite("Group sessions over HTTP")
struct SessionRoutesTests {
    let clock = TestClock()
    let app: TestApp
    let coop: String
    let manager: String
    let helper: String
    let site: String
    let module: String
    private let any = [("If-Match", "*")]

    init() throws { try self.init(limits: false) }

    private init(limits: Bool) throws {
        var settings = App.Settings()
        settings.limitsLoopback = limits
        var federation = Federation.Settings()
        federation.now = { [clock] in clock.now }
        app = try TestApp(federation: federation, app: settings)
        coop = try app.addCoop("a-casa")
        manager = try app.token(.coopManager, coop: coop)
        helper = try app.token(.referent, coop: coop, helper: true)
        site = try app.add(Site.self, #"{"coop_id":"\#(coop)","name":"Siège","workstations":2,"seats":8}"#)
        module = try app.add(Module.self, #"{"mooc_id":"\#(app.addMooc("culture"))","slug":"bases","title":"Les bases","status":"published"}"#)
    }

    /// The path of a new open session.
    private func session(capacity: Int = 1, _ more: String = "") throws -> String {
        let leader = try app.send("POST", "/v1/facilitators", #"{"display_name":"Ana","kind":"volunteer_cooperator"}"#, token: manager).json()["id"]?.stringValue
        let body = """
            {"site_id":"\(site)","module_id":"\(module)","starts_at":"2026-03-12T14:00:00Z","capacity":\(capacity),"status":"open",
            "facilitator_id":"\(try #require(leader))"\(more)}
            """
        let created = try app.send("POST", "/v1/sessions", body, token: manager)
        #expect(created.status == 201, "\(created.text)")
        return try #require(created["Location"])
    }

    private func signUp(_ session: String, _ name: String, size: Int = 1, token: String? = nil, headers: [(String, String)] = []) throws -> TestAnswer {
        let email = name.lowercased() + "@exemple.coop"
        return try app.send(
            "POST", session + "/registrations", #"{"contact_name":"\#(name)","email":"\#(email)","party_size":\#(size)}"#, token: token, headers: headers)
    }

    @Test("a manager is told both cures, names a facilitator, opens, keys slips in, and sees the promotion; presence is the helper's")
    func life() throws {
        let body = #"{"site_id":"\#(site)","module_id":"\#(module)","starts_at":"2026-03-12T14:00:00Z","capacity":5}"#
        let session = try #require(app.send("POST", "/v1/sessions", body, token: manager)["Location"])
        let refused = try app.send("POST", session + "/transitions", #"{"to":"open"}"#, token: manager, headers: any)
        #expect(refused.faults == ["#/facilitator_id session.equipment", "#/capacity session.equipment"])
        #expect(refused.text.contains("animateur") && refused.text.contains("capacité"))
        let leader = try app.send("POST", "/v1/facilitators", #"{"display_name":"Ana","kind":"employee","contact":"06"}"#, token: manager)
        let id = try #require(leader.json()["id"]?.stringValue)
        #expect(try app.send("PATCH", session, #"{"facilitator_id":"\#(id)","capacity":2}"#, token: manager, headers: any).status == 200)
        #expect(try app.send("POST", session + "/transitions", #"{"to":"open"}"#, token: manager, headers: any).status == 200)
        #expect(try app.get(session).json()["free_seats"] == .number("2"))

        let slip = try app.send(
            "POST", session + "/registrations", #"{"channel":"paper","contact_name":"Jeanne","phone":"0299000000","party_size":2,"needs":["large_print"]}"#, token: manager)
        #expect(slip.status == 201)
        #expect(try slip.json()["status"]?.stringValue == "confirmed")
        let path = "/v1/registrations/" + (try #require(slip.json()["id"]?.stringValue))
        let waiting = try app.send("POST", session + "/registrations", #"{"channel":"phone","contact_name":"Paul","phone":"0299111111"}"#, token: manager)
        #expect(try waiting.json()["rank"] == .number("1"))
        #expect(try app.get(session).json()["free_seats"] == .number("0"))
        #expect(try app.get(path, token: helper).json()["phone"] == nil)
        #expect(try app.send("POST", path + "/transitions", #"{"to":"cancelled"}"#, token: helper, headers: any).code == "scope.missing")
        #expect(try app.send("POST", path + "/transitions", #"{"to":"cancelled"}"#, token: manager, headers: any).status == 200)
        let calls = try app.get(session + "/calls", token: manager).json()["items"]?.elements ?? []
        #expect(calls.compactMap { $0["contact_name"]?.stringValue } == ["Jeanne", "Paul"])
        let promoted = try #require(waiting.json()["id"]?.stringValue)
        #expect(try app.send("PATCH", "/v1/registrations/" + promoted, #"{"contact_task":"done"}"#, token: manager, headers: any).status == 200)
        #expect(try app.get(session + "/calls", token: manager).json()["items"]?.elements?.count == 1)
        #expect(try app.get(session + "/calls", token: helper).code == "scope.missing")
        let export = try app.get(path + "/export", token: manager).json()
        #expect(export["registration"]?["phone"]?.stringValue == "+33299000000")
        #expect(export["history"]?.elements?.compactMap { $0["to"]?.stringValue } == ["confirmed", "cancelled"])
        #expect(try app.get(path + "/export", token: helper).code == "scope.missing")
        #expect(try app.get(path + "/export", token: app.token(.coopManager, coop: app.addCoop("ailleurs"))).status == 404)
        #expect(try app.get(session + "/registrations", token: helper).json()["items"]?.elements?.count == 2)
        #expect(try app.get("/v1/registrations?session_id=\(session.split(separator: "/").last ?? "")&status=confirmed", token: manager).json()["items"]?.elements?.count == 1)
    }

    @Test("anyone signs up for an open session and sees, changes and cancels it by a secret link, which is nowhere stored")
    func signsUp() throws {
        let session = try session(capacity: 2)
        let key = [("Idempotency-Key", "0197f3a0-7c1e-4b2a-9d4e-5f60718293a4")]
        let first = try signUp(session, "Anne", size: 2, headers: key)
        #expect(first.status == 201)
        let link = try #require(first.json()["link"]?.stringValue)
        #expect(first["Location"] == link)
        let replay = try signUp(session, "Anne", size: 2, headers: key)
        #expect(replay["Idempotency-Replayed"] == "true")
        #expect(replay.body == first.body)
        let stored = try app.federation.read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in try connection.all("SELECT body FROM idempotency") { $0.text(0) } }
        }
        #expect(stored.count == 1 && !stored[0].contains("/my/"))
        let second = try signUp(session, "Ben")
        #expect(try second.json()["rank"] == .number("1"))
        #expect(try second.json()["not_promoted_reason"]?.stringValue == "full")
        #expect(try app.get(link).json()["status"]?.stringValue == "confirmed")
        #expect(try app.send("PATCH", link, #"{"party_size":1}"#).status == 428)
        #expect(try app.send("PATCH", link, #"{"party_size":1}"#, headers: any).status == 200)
        let theirs = try #require(second.json()["link"]?.stringValue)
        #expect(try app.get(theirs).json()["status"]?.stringValue == "confirmed")
        #expect(try app.send("PATCH", link, #"{"party_size":2}"#, headers: any).code == "session.full")
        #expect(try app.send("PATCH", link, #"{"contact_name":"X"}"#, headers: any).code == "registration.link")
        #expect(try app.send("POST", link + "/transitions", #"{"to":"attended"}"#, headers: any).code == "scope.missing")
        #expect(try app.send("POST", link + "/transitions", #"{"to":"cancelled"}"#, headers: any).status == 200)
        #expect(try app.send("POST", link + "/transitions", #"{"to":"cancelled"}"#, headers: any).code == "state.forbidden")
        let broken = String(link.dropLast()) + (link.hasSuffix("A") ? "B" : "A")
        #expect(try app.get(broken).status == 404)
        #expect(try app.get("/v1/my/registrations/x").status == 404)
    }

    @Test("a stranger learns nothing of who is registered; a known contact is taken and flagged to the manager")
    func hidesOthers() throws {
        let session = try session(capacity: 3)
        #expect(try signUp(session, "Anne", token: manager).status == 201)
        #expect(try signUp(session, "Anne", token: manager).code == "registration.duplicate")
        let again = try signUp(session, "Anne")
        #expect(again.status == 201)
        #expect(try again.json()["duplicate_suspected"] == nil)
        let flagged = try app.get(session + "/registrations?duplicate_suspected=true", token: manager).json()["items"]?.elements
        #expect(flagged?.compactMap { $0["id"]?.stringValue } == [try #require(again.json()["id"]?.stringValue)])
        #expect(try app.get(session + "/registrations").status == 401)
        #expect(try app.get(session + "/registrations?duplicate_suspected=true", token: helper).status == 400)
        let stranger = try app.token(.coopManager, coop: app.addCoop("autre"))
        #expect(try signUp(session, "Zoe", token: stranger).code == "scope.not-yours")
        #expect(try app.get(session + "/registrations", token: stranger).json()["items"]?.elements == [])
        #expect(try signUp("/v1/sessions/\(coop)", "Zoe").status == 404)
    }

    @Test("of 50 who want the last seat at once one gets it, and 49 wait, each at a rank of their own")
    func fifty() throws {
        let session = try session(capacity: 1)
        let answers = Mutex<[TestAnswer]>([])
        let people = (1...50).map { "Nom\($0)" }
        try Concurrently.forEach(people) { name in
            let answer = try signUp(session, name, token: manager)
            answers.withLock { $0.append(answer) }
        }
        let documents = try answers.withLock { try $0.map { try $0.json() } }
        #expect(documents.count { $0["status"]?.stringValue == "confirmed" } == 1)
        #expect(Set(documents.compactMap { $0["rank"].flatMap { "\($0)" } }.filter { $0 != "null" }).count == 49)
        #expect(try app.get(session, token: manager).json()["waiting_parties"] == .number("49"))
    }

    @Test("no more than twenty parties wait online; whoever comes by the co-op still does")
    func fills() throws {
        let session = try session(capacity: 1)
        for number in 0...20 { #expect(try signUp(session, "Nom\(number)").status == 201) }
        #expect(try signUp(session, "Nom99").code == "waitlist.full")
        #expect(try signUp(session, "Nom99", token: manager).status == 201)
    }

    @Test("without a token twenty an hour sign up for a session, whoever they are; the co-op and other sessions go on")
    func limits() throws {
        let strict = try SessionRoutesTests(limits: true)
        let session = try strict.session(capacity: 1)
        for number in 1...20 { #expect(try strict.signUp(session, "Nom\(number)").status == 201) }
        let refused = try strict.signUp(session, "Nom21")
        #expect(refused.status == 429)
        #expect(refused["Retry-After"] != nil)
        #expect(try strict.signUp(session, "Nom21", token: strict.manager).status == 201)
        #expect(try strict.signUp(strict.session(capacity: 1), "Nom21").status == 201)
    }

    @Test("a group's answers are one sheet, written by the manager or a helper once it has begun")
    func answers() throws {
        let session = try session()
        let sheet = #"{"items":[{"activity":"Qui décide ?","answer":"Chacun","agreed":true}],"questions_raised":["Et après ?"],"filled_by":"Ana"}"#
        #expect(try app.send("POST", session + "/answers", sheet, token: helper).code == "session.not-started")
        #expect(try app.send("POST", session + "/answers", sheet, token: app.token(.referent, coop: coop)).code == "scope.missing")
        clock.advance(days: 11)
        let created = try app.send("POST", session + "/answers", sheet, token: helper)
        #expect(created.status == 201)
        let path = try #require(created["Location"])
        #expect(try app.send("POST", "/v1/answers", #"{"session_id":"\#(session.split(separator: "/").last ?? "")","filled_by":"Paul"}"#, token: manager).code == "answer.session_id.taken")
        #expect(try app.send("PATCH", path, #"{"questions_raised":[]}"#, token: helper, headers: any).status == 200)
        #expect(try app.get(session + "/answers", token: helper).json()["items"]?.elements?.count == 1)
        #expect(try app.get("/v1/answers", token: app.token(.coopManager, coop: app.addCoop("autre"))).json()["items"]?.elements == [])
        #expect(try app.get(path, token: manager).status == 200)
        #expect(try app.send("DELETE", path, token: manager, headers: any).status == 204)
        #expect(try app.send("POST", "/v1/answers", #"{"session_id":"\#(session.split(separator: "/").last ?? "")","filled_by":"Paul"}"#, token: manager).status == 201)
    }

    @Test("a facilitator is changed and deleted by the manager; a draft is deleted, what was opened is not")
    func housekeeping() throws {
        let leader = try #require(app.send("POST", "/v1/facilitators", #"{"display_name":"Ana","kind":"employee"}"#, token: manager)["Location"])
        #expect(try app.send("PATCH", leader, #"{"contact":"06 12"}"#, token: manager, headers: any).status == 200)
        #expect(try app.get(leader, token: helper).json()["contact"] == nil)
        #expect(try app.get("/v1/facilitators?kind=employee", token: manager).json()["items"]?.elements?.count == 1)
        #expect(try app.send("DELETE", leader, token: manager, headers: any).status == 204)
        let open = try session()
        #expect(try app.send("DELETE", open, token: manager, headers: any).code == "session.not-deletable")
        let body = #"{"site_id":"\#(site)","module_id":"\#(module)","starts_at":"2026-04-12T14:00:00Z","capacity":1}"#
        let draft = try #require(app.send("POST", "/v1/sessions", body, token: manager)["Location"])
        #expect(try app.get(draft).status == 404)
        #expect(try app.send("DELETE", draft, token: manager, headers: any).status == 204)
        #expect(try app.get("/v1/sessions").json()["items"]?.elements?.count == 1)
    }

    @Test("a session that is not there, or not for the caller to see, is what is said, whatever was sent to it", arguments: [
        #"{"contact_name":"Jeanne","phone":"0299000000"}"#, #"{"contact_name":"Jeanne","party_size":9}"#, #"{"x":1}"#, "{",
    ])
    func absent(_ body: String) throws {
        let plan = #"{"site_id":"\#(site)","module_id":"\#(module)","starts_at":"2026-04-12T14:00:00Z","capacity":1}"#
        let draft = try #require(app.send("POST", "/v1/sessions", plan, token: manager)["Location"])
        let stranger = try app.token(.coopManager, coop: app.addCoop("autre"))
        for (session, token) in [(draft, nil), (draft, stranger), ("/v1/sessions/\(site)", nil), ("/v1/sessions/\(site)", manager)] {
            let answer = try app.send("POST", session + "/registrations", body, token: token)
            #expect(answer.status == 404 && answer.code == "not-found", "\(answer.text)")
        }
        let refused = try app.send("POST", draft + "/registrations", body, token: manager)
        #expect(refused.status != 404 && refused.status >= 400, "\(refused.text)")
    }

    @Test("an erased person is in no byte of the folder any more; the seat goes to the next, the counts stay, the link leads nowhere")
    func erases() throws {
        let session = try session(capacity: 1)
        let body = #"{"contact_name":"Zibeline Quettehou","email":"zibeline@exemple.coop","postal":"3 rue du Mûrier","needs":["large_print"]}"#
        let signedUp = try app.send("POST", session + "/registrations", body, headers: [("Idempotency-Key", "0197f3a0-7c1e-4b2a-9d4e-5f60718293a4")])
        let id = try #require(signedUp.json()["id"]?.stringValue)
        let link = try #require(signedUp.json()["link"]?.stringValue)
        let mid = "0197f3a0-7c1e-4b2a-9d4e-5f6071829301"
        let push = #"{"epoch":"\#(app.federation.epochs.current)","mutations":[{"mid":"\#(mid)","type":"registration","id":"\#(id)","op":"patch","base":0,"fields":{"contact_name":"Zibeline Q."}}]}"#
        #expect(try app.send("POST", "/v1/push", push, token: manager).text.contains("Zibeline"))
        let next = try signUp(session, "Ben")
        let path = "/v1/registrations/\(id)"
        #expect(try app.send("DELETE", path, token: manager, headers: any).code == "registration.kept")
        #expect(try app.send("DELETE", path + "?erase=true", token: helper, headers: any).code == "scope.missing")
        #expect(try app.send("DELETE", path + "?erase=true", token: manager).status == 428)
        #expect(try app.send("DELETE", path + "?erase=true", token: manager, headers: any).status == 204)
        #expect(try app.get(path, token: manager).status == 404)
        #expect(try app.get(link).status == 404)
        #expect(try app.get(#require(next.json()["link"]?.stringValue)).json()["status"]?.stringValue == "confirmed")
        try waitUntil("the purge") { try app.get("/v1/erasures/\(id)", token: manager).json()["status"]?.stringValue == "purged" }
        for file in app.folder.files {
            let bytes = try app.folder.bytes(of: file)
            for trace in ["Zibeline", "Quettehou", "zibeline@exemple.coop", "rue du Mûrier"] {
                #expect(bytes.firstRange(of: Array(trace.utf8)) == nil, "\(trace) in \(file)")
            }
        }
        #expect(try app.federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) } == [])
    }
}
