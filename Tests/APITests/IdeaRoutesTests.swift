import JSON
import TestSupport
import Testing

@Suite("What co-ops do with ideas, over HTTP")
struct IdeaRoutesTests {
    let app: TestApp
    let coop: String
    let admin: String
    let manager: String
    let theme: String
    private let any = [("If-Match", "*")]

    init() throws {
        app = try TestApp()
        coop = try app.addCoop("a-casa")
        admin = try app.token(.federationAdmin)
        manager = try app.token(.coopManager, coop: coop)
        theme = try app.addTheme("social")
    }

    /// The path of a new, published idea.
    private func publish(_ title: String) throws -> String {
        let path = try #require(app.send("POST", "/v1/ideas", #"{"title":"\#(title)","theme_id":"\#(theme)"}"#, token: admin)["Location"])
        for state in ["submitted", "published"] {
            #expect(try app.send("POST", path + "/transitions", #"{"to":"\#(state)"}"#, token: admin, headers: any).status == 200)
        }
        return path
    }

    private func id(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

    @Test("a device endorses below the idea; withdrawn and given again; the idea counts it")
    func endorses() throws {
        let idea = try publish("Jardin")
        let device = try app.token(.referent, coop: coop)
        let created = try app.send("POST", idea + "/endorsements", "{}", token: device)
        #expect(created.status == 201)
        #expect(try app.send("POST", idea + "/endorsements", "{}", token: manager).code == "endorsement.given")
        #expect(try app.get(idea).json()["endorsement_count"] == .number("1"))
        let path = try #require(created["Location"])
        let withdrawn = try app.send("POST", path + "/transitions", #"{"to":"withdrawn"}"#, token: manager, headers: any)
        #expect(try withdrawn.json()["status"]?.stringValue == "withdrawn")
        #expect(try app.get(idea).json()["endorsement_count"] == .number("0"))
        #expect(try app.send("POST", path + "/transitions", #"{"to":"given"}"#, token: device, headers: any).status == 200)
        #expect(try app.get(idea + "/endorsements?status=given", token: manager).json()["items"]?.elements?.count == 1)
        #expect(try app.get("/v1/endorsements?idea_id=\(id(idea))", token: manager).json()["items"]?.elements?.count == 1)
        #expect(try app.get(path, token: manager).status == 200)
        #expect(try app.send("PATCH", path, "{}", token: manager, headers: any).status == 405)
        #expect(try app.send("POST", "/v1/endorsements", #"{"idea_id":"\#(id(idea))","coop_id":"\#(app.addCoop("autre"))"}"#, token: admin).status == 201)
        #expect(try app.send("POST", idea + "/endorsements", #"{"idea_id":"\#(theme)"}"#, token: manager).faults == ["#/idea_id path.mismatch"])
        #expect(try app.get("/v1/ideas/\(theme)/endorsements", token: manager).status == 404)
        #expect(try app.get(idea + "/endorsements?idea_id=\(theme)", token: manager).status == 400)
    }

    @Test("a manager adopts, ticks off, and closes with a score that others read")
    func adopts() throws {
        let idea = try publish("Repas")
        _ = try app.send("PATCH", idea, #"{"steps":["Inviter","Manger"]}"#, token: admin, headers: any)
        let created = try app.send("POST", idea + "/adoptions", "{}", token: manager)
        #expect(created.status == 201)
        let path = try #require(created["Location"])
        let device = try app.token(.referent, coop: coop)
        #expect(try app.send("PATCH", path, #"{"steps_done":[0]}"#, token: device, headers: any).status == 200)
        #expect(try app.send("PATCH", path, #"{"retex_score":1}"#, token: device, headers: any).code == "scope.missing")
        for step in [#"{"to":"planned"}"#, #"{"to":"running"}"#, #"{"to":"completed","retex_score":5,"retex_text":"Bravo"}"#] {
            #expect(try app.send("POST", path + "/transitions", step, token: manager, headers: any).status == 200)
        }
        let other = try app.token(.coopManager, coop: app.addCoop("autre"))
        let seen = try app.get(idea + "/adoptions", token: other).json()["items"]?.elements?.first
        #expect(seen?["retex_text"]?.stringValue == "Bravo")
        #expect(try app.send("PATCH", path, #"{"retex_score":1}"#, token: other, headers: any).code == "scope.not-yours")
        #expect(try app.get(idea + "/adoptions").status == 401)
        #expect(try app.get("/v1/adoptions?status=completed&retex_score=5", token: other).json()["items"]?.elements == [try #require(seen)])
        #expect(try app.get(path, token: other).json() == seen)
        let considered = try #require(app.send("POST", "/v1/adoptions", #"{"idea_id":"\#(id(idea))"}"#, token: manager)["Location"])
        #expect(try app.send("DELETE", considered, token: manager, headers: any).status == 204)
    }

    @Test("a merged idea leads to the canonical one; writes on it are told where to go; devices hear it; taken back, it is itself again")
    func merges() throws {
        let (first, second) = (try publish("Jardin"), try publish("Potager"))
        let start = try app.get("/v1/changes?types=idea", token: manager).json()["cursor"]?.stringValue
        #expect(try app.send("POST", first + "/merge", #"{"into":"\#(id(second))"}"#, token: manager, headers: any).code == "scope.missing")
        #expect(try app.send("POST", first + "/merge", #"{"to":"\#(id(second))"}"#, token: admin, headers: any).faults == ["#/to field.unknown", "#/into field.required"])
        #expect(try app.send("POST", first + "/merge", #"{"into":"\#(id(second))"}"#, token: admin, headers: any).status == 200)
        for token in [nil, manager, admin] {
            let answer = try app.get(first, token: token)
            #expect(answer.status == 308)
            #expect(answer["Location"] == second)
            let stub = try app.get(first + "?follow=false", token: token)
            #expect(stub.status == 200)
            #expect(try stub.json()["merged_into_id"]?.stringValue == id(second))
        }
        for (path, body) in [("/endorsements", "{}"), ("/adoptions", "{}")] {
            let refused = try app.send("POST", first + path, body, token: manager)
            #expect(refused.code == "idea.merged")
            #expect(try refused.json()["canonical_id"]?.stringValue == id(second))
        }
        #expect(try app.send("PATCH", first, #"{"title":"x"}"#, token: manager, headers: any).code == "idea.merged")
        let changes = try app.get("/v1/changes?cursor=\(try #require(start))", token: manager).json()["changes"]?.elements ?? []
        let removal = changes.first { $0["op"]?.stringValue == "remove" }
        #expect(removal?["reason"]?.stringValue == "merged")
        #expect(removal?["into"]?.stringValue == id(second))
        #expect(try app.get("/v1/ideas?q=jardin").json()["items"]?.elements?.first?["id"]?.stringValue == id(second))
        #expect(try app.send("POST", first + "/unmerge", #"{"x":1}"#, token: admin, headers: any).code == "body.unexpected")
        #expect(try app.send("POST", first + "/unmerge", token: admin, headers: any).status == 200)
        #expect(try app.get(first).status == 200)
        #expect(try app.get(first + "?follow=maybe").code == "parameter.invalid")
    }

    @Test("who brings an idea in hears which ones are near, blind to accents, and none that it may not see")
    func hints() throws {
        _ = try publish("Fête des voisins à l'été")
        let other = try app.token(.coopManager, coop: app.addCoop("autre"))
        #expect(try app.send("POST", "/v1/ideas", #"{"title":"Chasse au trésor","theme_id":"\#(theme)"}"#, token: other).status == 201)
        func similar(_ title: String) throws -> [String] {
            let created = try app.send("POST", "/v1/ideas", #"{"title":"\#(title)","theme_id":"\#(theme)"}"#, token: manager)
            #expect(created.status == 201)
            return try created.json()["similar"]?.elements?.compactMap { $0["title"]?.stringValue } ?? []
        }
        #expect(try similar("FETE DES VOISINS A L'ETE 2026") == ["Fête des voisins à l'été"])
        #expect(try similar("Chasse au tresor") == [])
        #expect(try similar("Atelier vélo") == [])
    }
}
