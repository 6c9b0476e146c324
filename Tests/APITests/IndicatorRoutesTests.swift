import Domain
import TestSupport
import Testing

@Suite("The figures over HTTP")
struct IndicatorRoutesTests {
    @Test("come all at once, in the federation's order, with what they were made of")
    func list() throws {
        let app = try TestApp()
        _ = try app.addReferent(app.addCoop("a-casa"), more: #","status":"active""#)
        let answer = try app.get("/v1/indicators?from=2026-01-01&to=2027-01-01", token: app.token(.federationReader))
        #expect(answer.status == 200)
        let items = try #require(try answer.json()["items"]?.elements)
        #expect(items.compactMap { $0["number"]?.integerValue } == Array(1...24))
        let coverage = try #require(items.first)
        #expect(coverage["numerator"]?.integerValue == 1 && coverage["denominator"]?.integerValue == 1 && coverage["value"]?.integerValue == 1)
        #expect(coverage["window"]?["from"]?.stringValue == "2026-01-01" && coverage["window"]?["to"]?.stringValue == "2027-01-01")
        #expect(coverage["rev"]?.integerValue ?? 0 > 0)
        #expect(items[1]["value"] == .null && items[1]["masked"]?.boolValue == false)
        #expect(items[21]["window"] == .null)
    }

    @Test("come one by one with a breakdown, also as a table, and a tag by which a client asks again for nothing")
    func one() throws {
        let app = try TestApp()
        let token = try app.token(.federationAdmin)
        _ = try app.addReferent(app.addCoop("a-casa"), more: #","status":"active""#)
        _ = try app.addCoop("volcan", department: "974")
        let path = "/v1/indicators/referent-coverage?group_by=region&from=2026-01-01&to=2027-01-01"
        let answer = try app.get(path, token: token)
        let groups = try #require(try answer.json()["groups"]?.elements)
        #expect(groups.count == 18)
        #expect(groups.first { $0["key"]?.stringValue == "FR-20R" }?["value"]?.integerValue == 1)
        #expect(groups.first { $0["key"]?.stringValue == "FR-974" }?["value"]?.integerValue == 0)
        #expect(groups.first { $0["key"]?.stringValue == "FR-BRE" }?["value"] == .null)
        let tag = try #require(answer.etag)
        #expect(try app.get(path, token: token, headers: [("If-None-Match", tag)]).status == 304)
        _ = try app.addTheme("culture")
        #expect(try app.get(path, token: token, headers: [("If-None-Match", tag)]).status == 304, "nothing that it is made from")
        _ = try app.addCoop("brique")
        #expect(try app.get(path, token: token, headers: [("If-None-Match", tag)]).status == 200)

        let table = try app.get("/v1/indicators/referent-coverage?region=FR-974&from=2026-01-01&to=2027-01-01", token: token, headers: [("Accept", "text/csv")])
        let lines = table.text.split(separator: "\r\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("number,name,from,to,as_of,region,activity,group_by,group,group_title,part,unit,numerator,denominator,value,masked,rev"))
        #expect(lines[1].hasPrefix("1,referent-coverage,2026-01-01,2027-01-01,"))
        #expect(lines[1].contains(",FR-974,") && lines[1].contains(",ratio,0,1,0,false,"))
        #expect(try app.get("/v1/indicators", token: token, headers: [("Accept", "text/csv")]).text.split(separator: "\r\n").count > 24)
    }

    static let refusals = [
        Refusal("a parameter that nobody knows", "?colour=red", "parameter.unknown"), Refusal("a breakdown of them all", "?group_by=region", "parameter.unknown"),
        Refusal("a breakdown that makes no sense", "/referent-coverage?group_by=module", "parameter.invalid"), Refusal("no date", "?from=yesterday", "parameter.invalid"),
        Refusal("an end before the beginning", "?from=2026-02-01&to=2026-01-01", "parameter.invalid"), Refusal("a window of a century", "?from=1926-01-01&to=2026-01-01", "parameter.invalid"),
        Refusal("no region", "?region=Bretagne", "parameter.invalid"), Refusal("no activity", "?activity=dancing", "parameter.invalid"),
        Refusal("a parameter twice", "?region=FR-BRE&region=FR-IDF", "parameter.invalid"), Refusal("no such figure", "/happiness", "not-found", 404),
    ]

    @Test("refuse what they would have to ignore", arguments: refusals)
    func refuses(_ refusal: Refusal) throws {
        let app = try TestApp()
        let answer = try app.get("/v1/indicators" + refusal.path, token: app.token(.federationReader))
        #expect(answer.status == refusal.status && answer.code == refusal.code, "\(answer.text)")
    }

    struct Refusal: CustomStringConvertible, Sendable {
        let description: String
        let path: String
        let code: String
        let status: Int

        init(_ name: String, _ path: String, _ code: String, _ status: Int = 400) { (description, self.path, self.code, self.status) = (name, path, code, status) }
    }

    @Test("are the federation's and its dashboards'")
    func roles() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        for path in ["/v1/indicators", "/v1/indicators/vacancy", "/v1/indicators/happiness"] {
            #expect(try app.get(path).status == 401)
            for role in [Role.coopManager, .referent] { #expect(try app.get(path, token: app.token(role, coop: coop)).code == "scope.missing") }
        }
    }
}
