import Domain
import JSON
import Text
import Testing
import TestSupport

@Suite("Lists")
struct ListTests {
    private func walk(_ app: TestApp, _ path: String, token: String?) throws -> [JSON] {
        var items: [JSON] = []
        var next: String? = path
        while let path = next {
            let answer = try app.get(path, token: token)
            try #require(answer.status == 200, "\(answer.text)")
            let page = try answer.json()
            items += page["items"]?.elements ?? []
            next = page["next"]?.stringValue
            #expect(answer["Link"] == next.map { "<\($0)>; rel=\"next\"" })
        }
        return items
    }

    @Test("pages hold every record once, in the order that was asked for", arguments: ["name", "-name", "id", "-created_at", "updated_at,-name", "-updated_at,name"])
    func pages(_ sort: String) throws {
        let app = try TestApp()
        for name in ["éclair", "Zénith", "abri", "Étoile", "été", "bois", "Bois-2"] {
            _ = try app.add(Coop.self, #"{"slug":"\#(name.folded.replacing("'", with: ""))","name":"\#(name)","department_code":"01","membership":"member"}"#)
        }
        let all = try walk(app, "/v1/coops?sort=\(sort)&limit=500", token: nil)
        #expect(all.count == 7)
        #expect(try walk(app, "/v1/coops?sort=\(sort)&limit=2", token: nil) == all)
        if sort == "name" { #expect(all.compactMap { $0["name"]?.stringValue } == ["abri", "bois", "Bois-2", "éclair", "été", "Étoile", "Zénith"]) }
    }

    @Test("q finds words without case and accents, and takes nothing for SQL", arguments: [("SOCIETE pointoise", 1), ("société", 1), ("%", 0), ("' or 1=1 --", 0), ("cœur", 1), ("coeur", 1)])
    func searches(_ words: String, _ count: Int) throws {
        let app = try TestApp()
        _ = try app.add(Coop.self, #"{"slug":"sp","name":"SP HLM (Société Pointoise d'HLM)","department_code":"971","membership":"member"}"#)
        _ = try app.add(Coop.self, #"{"slug":"coeur","name":"Cœur de Ville","department_code":"75","membership":"member"}"#)
        #expect(try app.get("/v1/coops?q=\(escape(words))").json()["items"]?.elements?.count == count)
    }

    @Test("filters take several values, and only fields that the caller's documents show")
    func filters() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        let (manager, dashboard, admin) = (try app.token(.coopManager, coop: coop), try app.token(.federationReader), try app.token(.federationAdmin))
        _ = try app.addReferent(coop, "Muller")
        _ = try app.addReferent(coop, "Rossi", more: #","status":"active","is_primary":true"#)
        #expect(try app.get("/v1/referents?status=active,suspended", token: manager).json()["items"]?.elements?.count == 1)
        #expect(try app.get("/v1/referents?is_primary=true&coop_id=\(coop)", token: manager).json()["items"]?.elements?.count == 1)
        #expect(try app.get("/v1/referents?status=asleep", token: manager).code == "parameter.invalid")
        #expect(try app.get("/v1/referents?work_email=a@b.coop", token: admin).code == "parameter.invalid")
        #expect(try app.get("/v1/referents?sort=family_name", token: dashboard).code == "parameter.invalid")
        #expect(try app.get("/v1/referents?sort=family_name", token: admin).status == 200)
        #expect(try app.get("/v1/coops?membership=member").code == "parameter.invalid")
        #expect(try app.get("/v1/ideas?federal_status=none", token: manager).code == "parameter.invalid")
    }

    @Test("a dashboard sees every referent, without name or contact")
    func observes() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        let dashboard = try app.token(.federationReader)
        for shares in [true, false] { _ = try app.addReferent(coop, "Muller \(shares)", more: #","work_email":"a@b.coop","share_contact_network":\#(shares)"#) }
        let answer = try app.get("/v1/referents?count=true", token: dashboard)
        #expect(try answer.json()["total"]?.integerValue == 2)
        for hidden in ["Muller", "a@b.coop", "+33612345678", "given_name"] { #expect(!answer.text.contains(hidden)) }
        #expect(try app.get("/v1/changes", token: dashboard).text.contains("Muller") == false)
    }

    private func escape(_ text: String) -> String {
        text.utf8.reduce(into: "") { $0 += "%" + ($1 < 16 ? "0" : "") + String($1, radix: 16) }
    }
}
