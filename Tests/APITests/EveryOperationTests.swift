import Domain
import TestSupport
import Testing

/// Makes every operation beside the resources' five (`ResourceLifeTests`) succeed once, so that Tests/contract/check.py has an answer of each to look at.
@Suite("Every operation")
struct EveryOperationTests {
    static let transitions = [
        ("referents", #"{"to":"active"}"#, #"{"to":"designated"}"#), ("ideas", #"{"to":"submitted"}"#, #"{"to":"archived"}"#),
        ("appointments", #"{"to":"abandoned"}"#, #"{"to":"open"}"#),
    ]

    @Test("states change by permitted transitions only", arguments: transitions)
    func steps(of type: String, permitted: String, forbidden: String) throws {
        let app = try TestApp()
        let token = try app.token(.federationAdmin)
        let life = try #require(ResourceLifeTests.lives.first { $0.path == "/v1/\(type)" })
        let draft = try life.body.replacing("$coop", with: app.addCoop("a-casa")).replacing("$theme", with: app.addTheme("culture"))
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
