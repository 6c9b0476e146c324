import Domain
import Foundation
import JSON
import Testing
import TestSupport

/// The five operations of every type, each once with success: what the contract's check needs to have seen.
@Suite("Every resource")
struct ResourceLifeTests {
    struct Life: Sendable, CustomTestStringConvertible {
        let path: String
        /// What a POST sends; `$theme`, `$mooc`, `$coop` stand for ids of records that are there.
        let body: String
        let patch: String
        var testDescription: String { path }
    }

    static let lives = [
        Life(path: "/v1/coops", body: #"{"slug":"granit-rose","name":"Granit Rose","department_code":"22","city":"Saint-Brieuc"}"#, patch: #"{"founded_year":1957}"#),
        Life(path: "/v1/sites", body: #"{"coop_id":"$coop","name":"Antenne","workstations":0,"seats":8}"#, patch: #"{"projector":true}"#),
        Life(path: "/v1/referents", body: #"{"coop_id":"$coop","given_name":"Ana","family_name":"Muller","started_on":"2026-01-05"}"#, patch: #"{"trained_on":"2026-02-01"}"#),
        Life(path: "/v1/themes", body: #"{"slug":"habitat","title":"L'habitat"}"#, patch: #"{"order":3}"#),
        Life(path: "/v1/questions", body: #"{"slug":"comment","question":"Comment faire ?","theme_id":"$theme"}"#, patch: #"{"question":"Comment mieux faire ?"}"#),
        Life(path: "/v1/resources", body: #"{"slug":"guide","title":"Guide","kind":"guide"}"#, patch: #"{"url":"https://www.hlm.coop/node/1","url_match":"certain"}"#),
        Life(path: "/v1/prizes", body: #"{"slug":"coup-de-coeur","titles":["Coup de cœur"]}"#, patch: #"{"tagline":"Bravo"}"#),
        Life(path: "/v1/ideas", body: #"{"title":"Jardin partagé","summary":"Cultiver ensemble","theme_id":"$theme"}"#, patch: #"{"steps":["Choisir le terrain"]}"#),
        Life(path: "/v1/moocs", body: #"{"slug":"culture","title":"Culture"}"#, patch: #"{"aims":["informer"]}"#),
        Life(path: "/v1/modules", body: #"{"mooc_id":"$mooc","slug":"bases","title":"Les bases"}"#, patch: #"{"status":"published"}"#),
        Life(path: "/v1/appointments", body: #"{"coop_id":"$coop","opened_on":"2026-01-05"}"#, patch: #"{"opened_on":"2026-01-12"}"#),
        Life(path: "/v1/activities", body: #"{"slug":"rental","title":"locatif"}"#, patch: #"{"title":"Locatif social"}"#),
    ]

    @Test("is created, read, listed, changed and deleted by the federation", arguments: lives)
    func goesThrough(_ life: Life) throws {
        let app = try TestApp()
        let admin = try app.token(.federationAdmin)
        let ids = ["$coop": try app.addCoop("a-casa"), "$theme": try app.addTheme("social"), "$mooc": try app.addMooc("bases")]
        let body = ids.reduce(life.body) { $0.replacingOccurrences(of: $1.key, with: $1.value) }

        let created = try app.send("POST", life.path, body, token: admin, headers: [("Idempotency-Key", "1")])
        #expect(created.status == 201, "\(created.text)")
        let repeated = try app.send("POST", life.path, body, token: admin, headers: [("Idempotency-Key", "1")])
        #expect(repeated.body == created.body)
        #expect(repeated["Idempotency-Replayed"] == "true")
        let path = try #require(created["Location"])
        let read = try app.get(path, token: admin)
        #expect(read.status == 200)
        #expect(read.body == created.body)
        #expect(read.etag == created.etag)
        #expect(try app.get(path, token: admin, headers: [("If-None-Match", try #require(read.etag))]).status == 304)
        #expect(try app.send("HEAD", path, token: admin).body.isEmpty)

        let listed = try app.get(life.path + "?count=true&limit=500&updated_since=2020-01-01T00:00:00Z", token: admin).json()
        #expect(listed["items"]?.elements?.contains { $0["id"] == (try? created.json())?["id"] } == true)
        #expect(listed["total"]?.integerValue == listed["items"]?.elements.map { Int64($0.count) })
        #expect(try app.get(life.path, token: admin, headers: [("Accept", "application/x-ndjson")]).status == 200)
        #expect(try app.get(life.path, token: admin, headers: [("Accept", "text/csv")]).text.hasPrefix("id,rev,"))

        let changed = try app.send("PATCH", path, life.patch, token: admin, headers: [("If-Match", try #require(read.etag))])
        #expect(changed.status == 200, "\(changed.text)")
        #expect(changed.etag != read.etag)
        let again = try app.send("PATCH", path, life.patch, token: admin, headers: [("If-Match", try #require(changed.etag))])
        #expect(again.etag == changed.etag, "a change of nothing takes no seq")
        // A whole document goes through a patch unchanged.
        #expect(try app.send("PATCH", path, changed.text, token: admin, headers: [("If-Match", "*")]).etag == changed.etag)

        #expect(try app.send("DELETE", path, token: admin).status == 428)
        #expect(try app.send("DELETE", path, token: admin, headers: [("If-Match", try #require(changed.etag))]).status == 204)
        #expect(try app.get(path, token: admin).status == 404)
        #expect(try app.send("PATCH", path, life.patch, token: admin, headers: [("If-Match", "*")]).status == 404)
        #expect(try app.send("DELETE", path, token: admin, headers: [("If-Match", "*")]).status == 404)
    }

    @Test("an id may come from the client: the same content answers 200, another 409, and a deleted one is not given again")
    func bringsItsID() throws {
        let app = try TestApp()
        let admin = try app.token(.federationAdmin)
        let body = #"{"id":"0197a000-0000-7000-8000-000000000001","slug":"habitat","title":"Habitat"}"#
        let created = try app.send("POST", "/v1/themes", body, token: admin)
        #expect(created.status == 201)
        #expect(try app.send("POST", "/v1/themes", body, token: admin).status == 200)
        #expect(try app.send("POST", "/v1/themes", body.replacingOccurrences(of: "Habitat", with: "Autre"), token: admin).code == "id.taken")
        #expect(try app.send("DELETE", try #require(created["Location"]), token: admin, headers: [("If-Match", "*")]).status == 204)
        #expect(try app.send("POST", "/v1/themes", body, token: admin).code == "id.taken")
    }

    @Test("whoever may set only some fields may send the whole document back, but learns nothing of what it hides")
    func sendsBack() throws {
        let app = try TestApp()
        let coop = try app.add(Coop.self, #"{"slug":"a-casa","name":"A Casa","department_code":"2B","note":"Rappeler"}"#)
        let manager = try app.token(.coopManager, coop: coop)
        let path = "/v1/coops/\(coop)"
        let seen = try app.get(path, token: manager)
        let edited = seen.text.replacingOccurrences(of: #""website":null"#, with: #""website":"https://a-casa.example""#)
        let changed = try app.send("PATCH", path, edited, token: manager, headers: [("If-Match", try #require(seen.etag))])
        #expect(changed.status == 200, "\(changed.text)")
        #expect(try changed.json()["website"]?.stringValue == "https://a-casa.example")
        for refused in [#"{"name":"Autre"}"#, #"{"note":"Rappeler"}"#] {
            #expect(try app.send("PATCH", path, refused, token: manager, headers: [("If-Match", "*")]).code == "scope.missing")
        }
        let referent = try app.addReferent(coop)
        let device = try app.token(.referent, coop: coop, referent: referent)
        let mandate = try app.get("/v1/referents/\(referent)", token: device)
        #expect(try app.send("PATCH", "/v1/referents/\(referent)", mandate.text, token: device, headers: [("If-Match", "*")]).etag == mandate.etag)
    }

    @Test("a taken id confirms no guess at a field that the caller does not see")
    func confirmsNoGuess() throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan"))
        let stranger = try app.token(.coopManager, coop: other)
        let referent = try app.addReferent(own)
        let mandate = #"{"id":"\#(referent)","coop_id":"\#(own)","given_name":"Ana","family_name":"Muller","started_on":"2026-01-05""#
        #expect(try app.send("POST", "/v1/referents", mandate + "}", token: stranger).status == 200)
        #expect(try app.send("POST", "/v1/referents", mandate + #","work_phone":"+33612345678"}"#, token: stranger).code == "id.taken")
        #expect(try app.send("POST", "/v1/referents", mandate + #","work_phone":"+33600000000"}"#, token: stranger).code == "id.taken")

        let theme = try app.addTheme("social")
        let text = #""title":"Jardin","theme_id":"\#(theme)","federal_status":"planned""#
        let idea = try app.add(Idea.self, #"{\#(text),"status":"published","federal_visible_from":"2999-01-01"}"#)
        #expect(try app.get("/v1/ideas/\(idea)", token: stranger).json()["federal_status"] == nil)
        #expect(try app.send("POST", "/v1/ideas", #"{"id":"\#(idea)",\#(text)}"#, token: stranger).code == "id.taken")
    }
}
