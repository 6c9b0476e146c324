import API
import Domain
import Foundation
import JSON
import Testing
import TestSupport

@Suite("Access")
struct AccessTests {
    @Test("a token that is none, unknown, wrong, expired or revoked gets one and the same answer; only the revoked one's holder is told to wipe")
    func refuses() throws {
        let app = try TestApp()
        let good = try app.token(.federationAdmin)
        let wrong = good.dropLast(4) + "0000"
        let revoked = try app.token(.federationReader)
        let id = try app.get("/v1/me", token: revoked).json()["token_id"]?.stringValue
        #expect(try app.send("DELETE", "/v1/tokens/\(id ?? "")", token: good).status == 204)
        let unknown = "vc_0197a000-0000-7000-8000-000000000001_" + String(repeating: "0", count: 48)
        var answers: [String] = []
        for token in ["x", unknown, String(wrong), String(revoked.dropLast(4)) + "0000"] {
            let answer = try app.get("/v1/me", token: token)
            #expect(answer.status == 401)
            #expect(answer["WWW-Authenticate"] == "Bearer")
            answers.append(answer.text)
        }
        #expect(Set(answers).count == 1)
        #expect(try app.get("/v1/me", token: revoked).json()["wipe"] == .bool(true))
        #expect(try app.get("/v1/coops?access_token=\(good)").status == 401)
        #expect(try app.send("POST", "/v1/themes", #"{"slug":"x","title":"X"}"#).code == "auth.required")
        #expect(try app.get("/v1/referents").code == "auth.required")
    }

    @Test("a token expires by the server's clock")
    func expires() throws {
        let app = try TestApp()
        let token = try app.token(.federationReader, expires: Timestamp.now().adding(seconds: 3600))
        #expect(try app.get("/v1/me", token: token).status == 200)
        #expect(app.federation.tokens.judge(try #require(Token.Secret(token)), at: Timestamp.now().adding(seconds: 3601)).isRefused)
    }

    @Test("after ten failures a minute an address has to wait")
    func limits() throws {
        var settings = App.Settings()
        settings.limitsLoopback = true
        let app = try TestApp(app: settings)
        let good = try app.token(.federationReader)
        for _ in 1...10 { #expect(try app.get("/v1/me", token: "x").status == 401) }
        let answer = try app.get("/v1/me", token: "x")
        #expect(answer.status == 429)
        #expect(Int(answer["Retry-After"] ?? "") ?? 0 > 0)
        #expect(try app.get("/v1/coops").status == 200, "without credentials it may go on")
        #expect(try app.get("/v1/me", token: good).status == 200, "so may others at the same address")
    }

    @Test("the federation makes, lists and revokes tokens; nobody else does")
    func manages() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        let admin = try app.token(.federationAdmin)
        let made = try app.send("POST", "/v1/tokens", #"{"role":"referent","coop_id":"\#(coop)","helper":true,"label":"Accueil","expires_at":"2099-12-31T00:00:00Z"}"#, token: admin)
        #expect(made.status == 201)
        let secret = try #require(try made.json()["token"]?.stringValue)
        let me = try app.get("/v1/me", token: secret).json()
        #expect(me["layers"]?.elements?.compactMap(\.stringValue) == ["desk:\(coop)", "coop:\(coop)", "network"])
        let listed = try app.get("/v1/tokens", token: admin)
        #expect(!listed.text.contains(String(secret.suffix(48))))
        #expect(try app.get("/v1/tokens", token: secret).code == "scope.missing")
        #expect(try app.send("POST", "/v1/tokens", #"{"role":"referent","helper":1,"x":2}"#, token: admin).faults.count == 2)
        #expect(try app.send("POST", "/v1/tokens", #"{"role":"referent"}"#, token: admin).faults == ["#/coop_id field.required"])
        #expect(try app.get("/v1/me").json()["role"] == .null)
    }

    /// Who may do what to a site and a referent of the own co-op and of another: the statuses of PATCH.
    static let patches: [(role: Role, own: Int, others: Int)] = [
        (.federationAdmin, 200, 200), (.federationReader, 403, 403), (.coopManager, 200, 403), (.referent, 403, 403),
    ]

    @Test("each role changes what is its own; what it sees of others is 403, what is absent 404", arguments: patches.map(\.role))
    func changes(_ role: Role) throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan"))
        let token = try app.token(role, coop: role.belongsToCoop ? own : nil)
        let expected = try #require(Self.patches.first { $0.role == role })
        for (coop, status) in [(own, expected.own), (other, expected.others)] {
            let site = try app.add(Site.self, #"{"coop_id":"\#(coop)","name":"Siège","workstations":2,"seats":5}"#)
            let answer = try app.send("PATCH", "/v1/sites/\(site)", #"{"seats":6}"#, token: token, headers: [("If-Match", "*")])
            #expect(answer.status == status)
            if status == 403 { #expect(answer["WWW-Authenticate"] == "Bearer error=\"insufficient_scope\"") }
        }
        let absent = try app.send("PATCH", "/v1/sites/0197a000-0000-7000-8000-000000000001", #"{"seats":6}"#, token: token, headers: [("If-Match", "*")])
        #expect(absent.status == (role == .federationAdmin || role == .coopManager ? 404 : 403))
    }

    @Test("a referent's device changes the contact of its own mandate only")
    func correctsContact() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        let (mine, hers) = (try app.addReferent(coop, "Muller"), try app.addReferent(coop, "Rossi"))
        let device = try app.token(.referent, coop: coop, referent: mine)
        let any = [("If-Match", "*")]
        #expect(try app.send("PATCH", "/v1/referents/\(mine)", #"{"work_phone":"0611111111"}"#, token: device, headers: any).status == 200)
        #expect(try app.send("PATCH", "/v1/referents/\(mine)", #"{"family_name":"X"}"#, token: device, headers: any).code == "scope.missing")
        #expect(try app.send("PATCH", "/v1/referents/\(hers)", #"{"work_phone":"0611111111"}"#, token: device, headers: any).code == "scope.not-yours")
    }

    @Test("another co-op's draft is exactly like one that does not exist, on every operation")
    func hides() throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan"))
        let manager = try app.token(.coopManager, coop: own)
        let stranger = try app.token(.coopManager, coop: other)
        let theme = try app.addTheme("social")
        let draft = try app.send("POST", "/v1/ideas", #"{"title":"Secret","theme_id":"\#(theme)"}"#, token: manager)
        let id = try #require(try draft.json()["id"]?.stringValue)
        for (method, suffix, body) in [("GET", "", nil), ("PATCH", "", #"{"title":"x"}"#), ("DELETE", "", nil), ("POST", "/transitions", #"{"to":"submitted"}"#)] as [(String, String, String?)] {
            let answers = try [id, "0197a000-0000-7000-8000-000000000001"].map { id in
                try app.send(method, "/v1/ideas/\(id)\(suffix)", body, token: stranger, headers: [("If-Match", "*")])
            }
            #expect(answers.map(\.status) == [404, 404])
            #expect(answers[0].text.replacingOccurrences(of: id, with: "") == answers[1].text.replacingOccurrences(of: "0197a000-0000-7000-8000-000000000001", with: ""))
        }
        #expect(try app.get("/v1/ideas?author_coop_id=\(own)&count=true", token: stranger).json()["total"]?.integerValue == 0)
        #expect(try app.send("POST", "/v1/ideas", #"{"id":"\#(id)","title":"Secret","theme_id":"\#(theme)"}"#, token: stranger).code == "id.taken")
        #expect(try !app.get("/v1/changes", token: stranger).text.contains(id))
    }

    @Test("an idea goes from draft to the network and to the archive; each forbidden step names those that are permitted")
    func publishes() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        let (manager, admin) = (try app.token(.coopManager, coop: coop), try app.token(.federationAdmin))
        let created = try app.send("POST", "/v1/ideas", #"{"title":"Jardin","theme_id":"\#(app.addTheme("social"))"}"#, token: manager)
        let path = try #require(created["Location"])
        func step(_ to: String, _ token: String) throws -> TestAnswer {
            try app.send("POST", path + "/transitions", #"{"to":"\#(to)"}"#, token: token, headers: [("If-Match", "*")])
        }
        let early = try step("published", admin)
        #expect(early.code == "state.forbidden")
        #expect(try early.json()["permitted"] == .array([.string("submitted")]))
        #expect(try step("submitted", manager).status == 200)
        #expect(try app.send("PATCH", path, #"{"title":"x"}"#, token: manager, headers: [("If-Match", "*")]).code == "idea.not-draft")
        #expect(try step("published", manager).code == "scope.missing")
        #expect(try app.get(path).status == 404)
        #expect(try step("published", admin).status == 200)
        #expect(try app.get(path).status == 200)
        #expect(try app.send("DELETE", path, token: admin, headers: [("If-Match", "*")]).code == "idea.not-deletable")
        #expect(try step("archived", admin).status == 200)
        #expect(try app.get(path).status == 404)
    }

    @Test("the mandate ends once and for all")
    func ends() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        let manager = try app.token(.coopManager, coop: coop)
        let path = "/v1/referents/" + (try app.addReferent(coop))
        func step(_ body: String) throws -> TestAnswer { try app.send("POST", path + "/transitions", body, token: manager, headers: [("If-Match", "*")]) }
        #expect(try step(#"{"to":"active"}"#).status == 200)
        #expect(try app.send("DELETE", path, token: manager, headers: [("If-Match", "*")]).code == "referent.has-served")
        #expect(try step(#"{"to":"ended","ended_on":"2025-01-01"}"#).faults == ["#/ended_on date.order"])
        #expect(try step(#"{"to":"suspended","ended_on":"2026-06-30"}"#).faults == ["#/ended_on field.unknown"])
        #expect(try step(#"{"to":"ended","ended_on":"2026-06-30"}"#).json()["ended_on"]?.stringValue == "2026-06-30")
        #expect(try step(#"{"to":"active"}"#).json()["permitted"] == .array([]))
    }
}

extension TokenBook.Verdict {
    var isRefused: Bool { if case .refused = self { true } else { false } }
}
