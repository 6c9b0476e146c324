import Domain
import TestSupport
import Testing

/// Makes every operation of the contract succeed once, so that Tests/contract/check.py has an answer of each to look at.
@Suite("Every operation")
struct EveryOperationTests {
    /// What is sent to add a record of a type, and to change it; `$coop`, `$theme` and `$mooc` stand for ids of such records.
    struct Life: Sendable, CustomTestStringConvertible {
        let path: String
        let draft: String
        let patch: String
        var testDescription: String { path }
    }

    static let lives = [
        Life(path: "coops", draft: #"{"slug":"le-col","name":"Le COL","department_code":"64","city":"Anglet"}"#, patch: #"{"phone":"05 59 00 00 00","legal_form":"SCIC"}"#),
        Life(path: "sites", draft: #"{"coop_id":"$coop","name":"Siège","workstations":6,"seats":5}"#, patch: #"{"projector":true,"address":"1 rue des Écoles\n64600 Anglet"}"#),
        Life(
            path: "referents", draft: #"{"coop_id":"$coop","given_name":"Ghjulia","family_name":"Rossi","started_on":"2026-03-02"}"#,
            patch: #"{"work_email":"g.rossi@exemple.coop","work_phone":"06 12 34 56 78"}"#),
        Life(path: "themes", draft: #"{"slug":"essai","title":"Un thème","audience":"interne"}"#, patch: #"{"order":2,"audience":null}"#),
        Life(path: "questions", draft: #"{"slug":"essai","question":"Comment faire ?","theme_id":"$theme"}"#, patch: #"{"order":3}"#),
        Life(path: "resources", draft: #"{"slug":"guide","title":"Un guide","kind":"guide"}"#, patch: #"{"url":"https://www.hlm.coop/","url_checked_on":"2026-03-02","url_ok":true}"#),
        Life(path: "prizes", draft: #"{"slug":"prix","titles":["Coop vous êtes"]}"#, patch: #"{"tagline":"Souder les équipes","theme_id":"$theme"}"#),
        Life(path: "ideas", draft: #"{"title":"Bienvenue à bord","theme_id":"$theme"}"#, patch: #"{"variants":[{"slug":"a","title":"Autrement","steps":["Un pas"]}]}"#),
        Life(path: "moocs", draft: #"{"slug":"culture-coop","title":"MOOC Culture Coop'"}"#, patch: #"{"audience":["salarie"],"aims":["informer"]}"#),
        Life(path: "modules", draft: #"{"slug":"accession","title":"Accession","mooc_id":"$mooc"}"#, patch: #"{"status":"published","duration_min":20}"#),
        Life(path: "activities", draft: #"{"slug":"land_development","title":"Aménagement foncier"}"#, patch: #"{"title":"Aménagement"}"#),
    ]

    @Test("a record of each type is added, repeated, listed, read, changed and deleted", arguments: lives)
    func runs(life: Life) throws {
        let app = try TestApp()
        let token = try app.token(.federationAdmin)
        let ids = try [
            "$coop": app.addCoop("a-casa"), "$theme": app.addTheme("culture"), "$mooc": app.add(Mooc.self, #"{"slug":"etre-salarie","title":"Être salarié"}"#),
        ]
        func filled(_ text: String) -> String { ids.reduce(text) { $0.replacing($1.key, with: $1.value) } }

        let list = "/v1/\(life.path)"
        let created = try app.send("POST", list, filled(life.draft), token: token, headers: [("Idempotency-Key", "1")])
        #expect(created.status == 201, "\(created.text)")
        let repeated = try app.send("POST", list, filled(life.draft), token: token, headers: [("Idempotency-Key", "1")])
        #expect(repeated.body == created.body)
        #expect(repeated["Idempotency-Replayed"] == "true")

        let path = try #require(created["Location"])
        let etag = try #require(created.etag)
        #expect(try app.get(path, token: token).body == created.body)
        #expect(try app.get(path, token: token, headers: [("If-None-Match", etag)]).status == 304)
        for format in ["application/json", "application/x-ndjson", "text/csv"] {
            let page = try app.get("\(list)?limit=1&count=true", token: token, headers: [("Accept", format)])
            #expect(page.status == 200)
            #expect(page["Content-Type"]?.hasPrefix(format) ?? false)
        }

        #expect(try app.send("PATCH", path, filled(life.patch), token: token).code == "precondition.required")
        let changed = try app.send("PATCH", path, filled(life.patch), token: token, headers: [("If-Match", etag)])
        #expect(changed.status == 200, "\(changed.text)")
        #expect(try app.send("PATCH", path, filled(life.patch), token: token, headers: [("If-Match", "\"1.f\"")]).code == "precondition.stale")
        // A whole document that comes back unchanged changes nothing.
        let roundTrip = try app.send("PATCH", path, changed.text, token: token, headers: [("If-Match", "*")])
        #expect(roundTrip.body == changed.body)

        #expect(try app.send("DELETE", path, token: token, headers: [("If-Match", "*")]).status == 204)
        #expect(try app.get(path, token: token).code == "not-found")
        #expect(try app.send("POST", list, #"{"zz":1}"#, token: token).faults.contains("#/zz field.unknown"))
        #expect(try app.send("PUT", list, "{}", token: token).code == "method.not-allowed")
    }

    static let transitions = [("referents", #"{"to":"active"}"#, #"{"to":"designated"}"#), ("ideas", #"{"to":"submitted"}"#, #"{"to":"archived"}"#)]

    @Test("states change by permitted transitions only", arguments: transitions)
    func steps(of type: String, permitted: String, forbidden: String) throws {
        let app = try TestApp()
        let token = try app.token(.federationAdmin)
        let life = try #require(Self.lives.first { $0.path == type })
        let draft = try life.draft.replacing("$coop", with: app.addCoop("a-casa")).replacing("$theme", with: app.addTheme("culture"))
        let path = try #require(try app.send("POST", "/v1/\(type)", draft, token: token)["Location"])
        #expect(try app.send("POST", path + "/transitions", permitted, token: token).code == "precondition.required")
        #expect(try app.send("POST", path + "/transitions", permitted, token: token, headers: [("If-Match", "*")]).status == 200)
        #expect(try app.send("POST", path + "/transitions", forbidden, token: token, headers: [("If-Match", "*")]).code == "state.forbidden")
    }

    @Test("tokens are made, listed and revoked by the federation, and tell who holds them")
    func tokens() throws {
        let app = try TestApp()
        let (token, coop) = (try app.token(.federationAdmin), try app.addCoop("a-casa"))
        let made = try app.send("POST", "/v1/tokens", #"{"role":"coop_manager","coop_id":"\#(coop)","label":"siège"}"#, token: token)
        #expect(made.status == 201)
        let secret = try #require(try made.json()["token"]?.stringValue)
        #expect(try app.get("/v1/me", token: secret).json()["coop_id"]?.stringValue == coop)
        #expect(try app.get("/v1/tokens", token: secret).code == "scope.missing")
        let listed = try app.get("/v1/tokens", token: token)
        #expect(listed.status == 200)
        #expect(!listed.text.contains(secret))
        #expect(try app.send("DELETE", #require(made["Location"]), token: token).status == 204)
        let refused = try app.get("/v1/me", token: secret)
        #expect(refused.status == 401)
        #expect(try refused.json()["wipe"]?.boolValue == true)
        #expect(try app.get("/v1/me").json()["role"] == .null)
    }

    @Test("changes come as pages and as lines, and a cursor of nobody's is refused")
    func changes() throws {
        let app = try TestApp()
        let token = try app.token(.federationReader)
        _ = try app.addReferent(app.addCoop("a-casa"))
        let page = try app.get("/v1/changes?limit=1", token: token)
        let cursor = try #require(try page.json()["cursor"]?.stringValue)
        #expect(try page.json()["complete"]?.boolValue == false)
        let rest = try app.get("/v1/changes?cursor=\(cursor)", token: token)
        #expect(try rest.json()["complete"]?.boolValue == true)
        let known = [("If-None-Match", try #require(rest.etag))]
        #expect(try app.get("/v1/changes?cursor=\(cursor)", token: token, headers: known).status == 304)
        #expect(try app.get("/v1/changes", token: token, headers: known).status == 200, "the tag of another address")
        #expect(try app.get("/v1/changes", token: token, headers: [("Accept", "application/x-ndjson")]).text.split(separator: "\n").count == 3)
        #expect(try app.get("/v1/changes?cursor=x", token: token).code == "cursor.invalid")
    }

    @Test("the server tells operators and newcomers about itself")
    func operation() throws {
        let app = try TestApp()
        for path in ["/livez", "/readyz", "/version", "/openapi.yaml", "/docs"] { #expect(try app.get(path).status == 200, "\(path)") }
        #expect(try app.get("/metrics").status == 401)
        #expect(try app.get("/metrics", token: app.token(.coopManager, coop: app.addCoop("a-casa"))).status == 403)
        #expect(try app.get("/metrics", token: app.token(.federationAdmin)).status == 200)
    }
}
