import Domain
import JSON
import TestSupport
import Testing

@Suite("Webhooks over the API")
struct WebhookRoutesTests {
    private static let draft = #"{"url":"https://hooks.exemple.coop/a","events":["referent.*","idea.published"],"description":"Site"}"#

    // MARK: Keeping them

    @Test("a webhook is made with a secret that is never shown again, changed, and deleted")
    func life() throws {
        let app = try TestApp()
        let token = try app.token(.federationAdmin)
        let made = try app.send("POST", "/v1/webhooks", Self.draft, token: token)
        #expect(made.status == 201, "\(made.text)")
        let secret = try #require(made.json()["secret"]?.stringValue)
        #expect(secret.hasPrefix("whsec_"))
        let path = try #require(made["Location"])
        let read = try app.get(path, token: token)
        #expect(read.status == 200)
        #expect(read.etag == made.etag)
        #expect(try read.json()["status"]?.stringValue == "active")
        #expect(try app.get(path, token: token, headers: [("If-None-Match", #require(read.etag))]).status == 304)

        let etag = try #require(read.etag)
        let whole = read.text.replacing(#""status":"active""#, with: #""status":"paused""#)
        let paused = try app.send("PATCH", path, whole, token: token, headers: [("If-Match", etag)])
        #expect(paused.status == 200, "\(paused.text)")
        #expect(try paused.json()["status"]?.stringValue == "paused")
        #expect(try app.send("PATCH", path, #"{"ordered":true}"#, token: token, headers: [("If-Match", etag)]).code == "precondition.stale")
        #expect(try app.send("PATCH", path, #"{"ordered":true}"#, token: token).code == "precondition.required")
        #expect(try app.send("PATCH", path, #"{"rev":7}"#, token: token, headers: [("If-Match", "*")]).code == "field.read-only")

        for text in try [read.text, paused.text, app.get("/v1/webhooks", token: token).text, app.get("/metrics", token: token).text] {
            #expect(!text.contains(secret) && !text.contains("whsec"))
        }
        #expect(try app.send("DELETE", path, token: token, headers: [("If-Match", "*")]).status == 204)
        #expect(try app.get(path, token: token).code == "not-found")
    }

    static let refusals: [(body: String, code: String)] = [
        (#"{"events":["*"]}"#, "field.required"), (#"{"url":"https://hooks.exemple.coop/"}"#, "field.required"),
        (#"{"url":"https://hooks.exemple.coop/","events":[]}"#, "list.length"), (#"{"url":"https://hooks.exemple.coop/","events":["idea.eaten"]}"#, "event.unknown"),
        (#"{"url":"https://hooks.exemple.coop/","events":["nomination.created"]}"#, "event.unknown"),
        (#"{"url":"https://hooks.exemple.coop/","events":["*"],"status":"disabled"}"#, "choice.unknown"),
        (#"{"url":"https://hooks.exemple.coop/","events":["*"],"secret":"whsec_x"}"#, "field.unknown"),
        (#"{"url":"https://127.0.0.1/","events":["*"]}"#, "webhook.url.forbidden"), (#"{"url":"http://hooks.exemple.coop/","events":["*"]}"#, "webhook.url.forbidden"),
        (#"{"url":"https://u:p@hooks.exemple.coop/","events":["*"]}"#, "webhook.url.forbidden"),
    ]

    @Test("what can't be a webhook is refused", arguments: refusals)
    func refuses(body: String, code: String) throws {
        let app = try TestApp()
        let token = try app.token(.federationAdmin)
        #expect(try app.send("POST", "/v1/webhooks", body, token: token).code == code)
        #expect(try app.get("/v1/webhooks", token: token).json()["items"]?.elements?.isEmpty == true)
    }

    @Test("a new secret is shown once, and is another")
    func rotates() throws {
        let app = try TestApp()
        let token = try app.token(.federationAdmin)
        let made = try app.send("POST", "/v1/webhooks", Self.draft, token: token)
        let path = try #require(made["Location"])
        let rotated = try app.send("POST", path + "/rotate", "{}", token: token)
        #expect(rotated.status == 200)
        let secrets = try [made, rotated].map { try #require($0.json()["secret"]?.stringValue) }
        #expect(secrets[0] != secrets[1])
        let again = try app.send("POST", path + "/rotate", #"{"drop_old":true}"#, token: token)
        #expect(try again.json()["secret"]?.stringValue != secrets[1])
    }

    @Test("a manager sees the own co-op's webhooks in pages, the federation all")
    func lists() throws {
        let app = try TestApp()
        let coops = try [app.addCoop("a-casa"), app.addCoop("volcan")]
        let managers = try coops.map { try app.token(.coopManager, coop: $0) }
        for manager in managers + managers { #expect(try app.send("POST", "/v1/webhooks", Self.draft, token: manager).status == 201) }
        func items(_ path: String, _ token: String) throws -> [JSON] { try #require(app.get(path, token: token).json()["items"]?.elements) }
        let own = try items("/v1/webhooks", managers[0])
        #expect(own.map { $0["coop_id"]?.stringValue } == [coops[0], coops[0]])
        let federation = try app.token(.federationAdmin)
        #expect(try items("/v1/webhooks", federation).count == 4)
        #expect(try items("/v1/webhooks?coop_id=\(coops[1])", federation).count == 2)
        let first = try app.get("/v1/webhooks?limit=1", token: managers[0]).json()
        let next = try #require(first["next"]?.stringValue)
        #expect(try items(next, managers[0]).map { $0["id"] } == [own[1]["id"]])
        #expect(try app.get("/v1/webhooks?color=red", token: federation).code == "parameter.unknown")
    }

    @Test("one owner has 20 at most")
    func isLimited() throws {
        let app = try TestApp()
        let token = try app.token(.federationAdmin)
        for _ in 0..<20 { #expect(try app.send("POST", "/v1/webhooks", Self.draft, token: token).status == 201) }
        #expect(try app.send("POST", "/v1/webhooks", Self.draft, token: token).code == "webhook.limit")
    }

    // MARK: Sending by hand, without a courier, so that everything stays as it was left

    @Test("a ping is a delivery that waits; it can be read and sent again, and others' webhooks have none")
    func pings() throws {
        let app = try TestApp()
        let token = try app.token(.federationAdmin)
        let path = try #require(app.send("POST", "/v1/webhooks", Self.draft, token: token)["Location"])
        let other = try #require(app.send("POST", "/v1/webhooks", Self.draft, token: token)["Location"])
        let sent = try app.send("POST", path + "/ping", token: token)
        #expect(sent.status == 202, "\(sent.text)")
        let delivery = try #require(sent["Location"])
        #expect(try sent.json()["event"]?["type"]?.stringValue == "webhook.ping")
        #expect(try app.get(delivery, token: token).text == sent.text)
        #expect(try app.send("POST", delivery + "/resend", token: token).status == 202)
        #expect(try app.get(path + "/deliveries?state=waiting", token: token).json()["items"]?.elements?.count == 1)
        #expect(try app.get(path + "/deliveries?state=dead", token: token).json()["items"]?.elements?.isEmpty == true)
        #expect(try app.get(path + "/deliveries?state=lost", token: token).code == "parameter.invalid")
        for wrong in [other + "/deliveries/1", path + "/deliveries/2", path + "/deliveries/x", path + "/deliveries/-1"] {
            #expect(try app.get(wrong, token: token).code == "not-found", "\(wrong)")
        }
        let stranger = try app.token(.coopManager, coop: app.addCoop("a-casa"))
        for method in ["GET", "POST"] {
            #expect(try app.send(method, delivery + (method == "POST" ? "/resend" : ""), token: stranger).code == "not-found")
        }
        #expect(try app.send("PATCH", path, #"{"status":"paused"}"#, token: token, headers: [("If-Match", "*")]).status == 200)
        #expect(try app.send("POST", path + "/ping", token: token).code == "webhook.not-active")
    }

    @Test("a replay says how much it goes through, and dead letters that are not there are none")
    func replays() throws {
        let app = try TestApp()
        let token = try app.token(.federationAdmin)
        let path = try #require(app.send("POST", "/v1/webhooks", Self.draft, token: token)["Location"])
        for slug in ["a", "b", "c"] { _ = try app.addTheme(slug) }
        #expect(try app.send("POST", path + "/replay?since=2020-01-01T00:00:00Z", token: token).json()["events"]?.integerValue == 3)
        #expect(try app.send("POST", path + "/replay?since=2120-01-01T00:00:00Z", token: token).json()["events"]?.integerValue == 0)
        #expect(try app.send("POST", path + "/replay", token: token).code == "parameter.invalid")
        #expect(try app.send("POST", path + "/redrive", token: token).text == #"{"sent":0,"left":0}"#)
    }
}
