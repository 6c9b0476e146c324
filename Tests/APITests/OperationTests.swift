import API
import Domain
import JSON
import Testing
import TestSupport

@Suite("Operation")
struct OperationTests {
    @Test("the server says that it lives, that writes reach the disk, and which version it is")
    func answers() throws {
        let app = try TestApp()
        #expect(try app.get("/livez").json()["status"]?.stringValue == "alive")
        #expect(try app.get("/readyz").text == #"{"status":"ready"}"#)
        #expect(try app.get("/version").json()["version"]?.stringValue == Version.text)
        #expect(try app.get("/openapi.yaml").text.hasPrefix("openapi: 3.1"))
        let docs = try app.get("/docs")
        #expect(docs.status == 200)
        #expect(docs["Content-Security-Policy"]?.contains("default-src 'none'") == true)
    }

    @Test("metrics are the federation's, and know routes but no ids")
    func measures() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        _ = try app.get("/v1/coops/\(coop)")
        #expect(try app.get("/metrics").status == 401)
        #expect(try app.get("/metrics", token: app.token(.federationReader)).status == 403)
        let text = try app.get("/metrics", token: app.token(.federationAdmin)).text
        #expect(text.contains("route=\"/v1/coops/{id}\""))
        #expect(!text.contains(coop))
    }

    @Test("the contract and the router know the same methods and paths")
    func agrees() throws {
        let app = try TestApp()
        var contract: Set<String> = []
        var path = ""
        for line in try app.get("/openapi.yaml").text.split(separator: "\n") {
            if line.hasPrefix("  /") { path = String(line.dropFirst(2).prefix { $0 != ":" }) }
            if !line.hasPrefix(" "), !line.hasPrefix("paths:") { path = "" }
            let words = line.split(separator: ":")
            guard !path.isEmpty, line.hasPrefix("    "), !line.hasPrefix("     "), let method = words.first?.dropFirst(4),
                ["get", "post", "patch", "delete", "put"].contains(method)
            else { continue }
            contract.insert("\(method.uppercased()) \(path)")
        }
        #expect(Set(app.app.routes.map { "\($0.method) \($0.template)" }) == contract)
    }

    @Test("OPTIONS says what is allowed, and nothing to a page of another origin that is not on the list")
    func allows() throws {
        var settings = App.Settings()
        settings.allowedOrigins = ["https://tableau.exemple.coop"]
        let app = try TestApp(app: settings)
        let foreign = try app.send("OPTIONS", "/v1/coops", headers: [("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")])
        #expect(foreign.status == 204)
        #expect(foreign["Allow"] == "GET, HEAD, OPTIONS, POST")
        let server = try app.send("OPTIONS", "*")
        #expect(server.status == 204)
        #expect(server["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST")
        #expect(foreign.headers.allSatisfy { !$0.name.lowercased().hasPrefix("access-control") })
        let known = try app.send("OPTIONS", "/v1/coops", headers: [("Origin", "https://tableau.exemple.coop"), ("Access-Control-Request-Method", "POST")])
        #expect(known["Access-Control-Allow-Origin"] == "https://tableau.exemple.coop")
        #expect(try app.get("/v1/coops", headers: [("X-HTTP-Method-Override", "DELETE")]).status == 200)
    }

    @Test("a repeated POST has one effect and one answer, also after a restart; another body under its key is refused")
    func repeats() throws {
        let app = try TestApp()
        let (admin, other) = (try app.token(.federationAdmin), try app.token(.federationAdmin))
        let body = #"{"slug":"habitat","title":"Habitat"}"#
        let key = [("Idempotency-Key", "k-1")]
        let answers = try Concurrently.map(Array(1...20)) { _ in try app.send("POST", "/v1/themes", body, token: admin, headers: key) }
        #expect(Set(answers.map(\.text)).count == 1)
        #expect(answers.allSatisfy { $0.status == 201 })
        #expect(answers.filter { $0["Idempotency-Replayed"] == nil }.count == 1)
        #expect(try app.get("/v1/themes?count=true").json()["total"]?.integerValue == 1)
        #expect(try app.send("POST", "/v1/themes", #"{"slug":"autre","title":"Autre"}"#, token: admin, headers: key).code == "idempotency.reused")
        #expect(try app.send("POST", "/v1/themes", body, token: other, headers: key).code == "theme.slug.taken", "another token is another scope")
    }
}
