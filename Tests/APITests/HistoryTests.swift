import JSON
import TestSupport
import Testing

@Suite("The history of a record")
struct HistoryTests {
    @Test("says who did what, which step and which fields, never a value")
    func tells() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        let manager = try app.token(.coopManager, coop: coop)
        let path = "/v1/referents/" + (try app.addReferent(coop))
        let any = [("If-Match", "*")]
        #expect(try app.send("PATCH", path, #"{"work_phone":"+33798765432","job_title":"Chargée"}"#, token: manager, headers: any).status == 200)
        #expect(try app.send("POST", path + "/transitions", #"{"to":"active"}"#, token: manager, headers: any).status == 200)

        let answer = try app.get(path + "/history", token: manager)
        let items = try #require(try answer.json()["items"]?.elements)
        #expect(items.map { $0["action"]?.stringValue } == ["create", "change", "transition"])
        #expect(items.map { $0["by"]?["actor"]?.stringValue } == ["operator", "coop_manager", "coop_manager"])
        #expect(items[1]["fields"] == .array([.string("job_title"), .string("work_phone")]))
        #expect(items[1]["by"]?["label"]?.stringValue == "test")
        #expect(items[2]["from"]?.stringValue == "designated")
        #expect(items[2]["to"]?.stringValue == "active")
        #expect(!answer.text.contains("98765432"))
        let first = try app.get(path + "/history?limit=2", token: manager).json()
        #expect(first["items"]?.elements?.count == 2)
        let rest = try app.get(try #require(first["next"]?.stringValue), token: manager).json()
        #expect(rest["items"]?.elements == [items[2]])
        #expect(rest["next"] == nil)
    }

    @Test("is for the federation and the record's own managers; what one does not see has none")
    func isGuarded() throws {
        let app = try TestApp()
        let (coop, other) = (try app.addCoop("a-casa"), try app.addCoop("granit"))
        let referent = "/v1/referents/" + (try app.addReferent(coop)) + "/history"
        let draft = try app.send("POST", "/v1/ideas", #"{"title":"Jardin","theme_id":"\#(app.addTheme("social"))"}"#, token: app.token(.coopManager, coop: coop))
        let idea = try #require(draft["Location"]) + "/history"
        let stranger = try app.token(.coopManager, coop: other)
        #expect(try app.get(referent).status == 401)
        #expect(try app.get(referent, token: app.token(.referent, coop: coop)).code == "scope.missing")
        #expect(try app.get(referent, token: app.token(.federationReader)).code == "scope.missing")
        #expect(try app.get(referent, token: stranger).code == "scope.not-yours")
        #expect(try app.get(idea, token: stranger).status == 404)
        #expect(try app.get(idea, token: app.token(.federationAdmin)).status == 200)
        #expect(try app.get("/v1/nothings/\(coop)/history", token: stranger).status == 404)
        #expect(try app.get("/v1/coops/\(coop)/history?since=1", token: stranger).code == "parameter.unknown")
    }

    @Test("does not name fields that the reader's document leaves out")
    func hides() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        let path = "/v1/coops/\(coop)"
        #expect(try app.send("PATCH", path, #"{"note":"interne","website":"https://a-casa.example"}"#, token: app.token(.federationAdmin), headers: [("If-Match", "*")]).status == 200)
        let seen = try app.get(path + "/history", token: app.token(.coopManager, coop: coop)).json()["items"]?.elements?.last
        #expect(seen?["fields"] == .array([.string("website")]))
    }
}
