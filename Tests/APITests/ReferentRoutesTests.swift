import JSON
import Testing
import TestSupport

@Suite("Referents over HTTP")
struct ReferentRoutesTests {
    @Test("a manager creates, changes and reads back a referent; another co-op does not see the unshared phone number")
    func lives() throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan", department: "974"))
        let (manager, stranger) = (try app.token(.coopManager, coop: own), try app.token(.coopManager, coop: other))
        let created = try app.send(
            "POST", "/v1/referents",
            #"{"coop_id":"\#(own)","given_name":"Ghjulia","family_name":"Rossi","work_phone":"06 12 34 56 78","started_on":"2026-03-02"}"#, token: manager)
        #expect(created.status == 201)
        let path = try #require(created["Location"])
        #expect(try created.json()["work_phone"]?.stringValue == "+33612345678")

        #expect(try app.send("PATCH", path, #"{"job_title":"Chargée de mission"}"#, token: manager).status == 428)
        let etag = try #require(created.etag)
        let changed = try app.send("PATCH", path, #"{"job_title":"Chargée de mission"}"#, token: manager, headers: [("If-Match", etag)])
        #expect(changed.status == 200)
        #expect(try app.send("PATCH", path, #"{"job_title":"Autre"}"#, token: manager, headers: [("If-Match", etag)]).status == 412)

        let seen = try app.get(path, token: stranger)
        #expect(seen.status == 200)
        #expect(try seen.json()["work_phone"] == nil)
        #expect(try seen.json()["job_title"]?.stringValue == "Chargée de mission")
        #expect(try app.send("PATCH", path, #"{"job_title":"x"}"#, token: stranger, headers: [("If-Match", "*")]).code == "scope.not-yours")
    }

    @Test("readers of one referent in turn each get the document of their own layer, and the present one", arguments: [true, false])
    func inTurn(ownFirst: Bool) throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan", department: "974"))
        let (manager, stranger) = (try app.token(.coopManager, coop: own), try app.token(.coopManager, coop: other))
        let path = "/v1/referents/" + (try app.addReferent(own))
        for title in ["Gardienne", "Chargée de mission"] {
            #expect(try app.send("PATCH", path, #"{"job_title":"\#(title)"}"#, token: manager, headers: [("If-Match", "*")]).status == 200)
            for token in ownFirst ? [manager, stranger, manager] : [stranger, manager, stranger] {
                let seen = try app.get(path, token: token)
                #expect(try seen.json()["job_title"]?.stringValue == title)
                #expect(try seen.json()["work_phone"]?.stringValue == (token == manager ? "+33612345678" : nil))
                #expect(try #require(seen.etag).hasSuffix(token == manager ? ".c\"" : ".n\""))
            }
        }
        #expect(try app.send("DELETE", path, token: manager, headers: [("If-Match", "*")]).status == 204)
        for token in [manager, stranger] { #expect(try app.get(path, token: token).status == 404) }
    }
}
