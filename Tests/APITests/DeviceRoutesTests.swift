import API
import Domain
import Foundation
import JSON
import SQLite
import TestSupport
import Testing

@Suite("Devices")
struct DeviceRoutesTests {
    private static func code(_ app: TestApp, _ token: String, _ body: String = "{}") throws -> String {
        let answer = try app.send("POST", "/v1/devices/codes", body, token: token)
        return try #require(answer.json()["code"]?.stringValue, "\(answer.text)")
    }

    @discardableResult
    private static func enrol(_ app: TestApp, _ code: String, label: String = "Téléphone") throws -> TestAnswer {
        try app.send("POST", "/v1/enrolments", #"{"code":"\#(code)","label":"\#(label)"}"#)
    }

    @Test("a manager's code lets one device in, however it is typed, once")
    func enrols() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        let manager = try app.token(.coopManager, coop: coop)
        let referent = try app.addReferent(coop)
        let code = try Self.code(app, manager, #"{"referent_id":"\#(referent)","helper":true}"#)
        #expect(code.count == 14)
        let enrolled = try Self.enrol(app, " " + code.lowercased().replacing("-", with: "").replacing("0", with: "o").replacing("1", with: "l"))
        #expect(enrolled.status == 201, "\(enrolled.text)")
        let token = try #require(try enrolled.json()["token"]?.stringValue)
        let me = try app.get("/v1/me", token: token).json()
        #expect(me["role"]?.stringValue == "referent" && me["coop_id"]?.stringValue == coop && me["referent_id"]?.stringValue == referent)
        #expect(me["helper"]?.boolValue == true && me["label"]?.stringValue == "Téléphone")
        let again = try Self.enrol(app, code)
        #expect(again.status == 410 && again.code == "enrolment.spent")
        #expect(try app.federation.database.read { try $0.first("SELECT count(*) FROM token") { $0.integer(0) } } == 2)
    }

    @Test("a code dies after five wrong tries, and a first group that names nothing is answered the same")
    func diesOfGuesses() throws {
        let app = try TestApp()
        let manager = try app.token(.coopManager, coop: app.addCoop("a-casa"))
        let code = try Self.code(app, manager)
        let absent = code.hasPrefix("0000") ? "1111" : "0000"
        for name in [String(code.prefix(4)), absent] {
            let answers = try (0..<6).map { try Self.enrol(app, "\(name)-0000-000\($0)") }
            #expect(answers.map(\.status) == [422, 422, 422, 422, 422, 410], "\(name)")
            #expect(answers.map(\.code) == Array(repeating: "enrolment.unknown", count: 5) + ["enrolment.spent"])
        }
        #expect(try Self.enrol(app, code).status == 410)
        let other = try Self.code(app, manager)
        #expect(try Self.enrol(app, other).status == 201)
    }

    @Test("a code lives for fifteen minutes, and its wrong tries outlive a restart")
    func expires() throws {
        let clock = TestClock()
        let folder = TestFolder()
        var settings = Federation.Settings()
        settings.now = { clock.now }
        var federation = try Federation(directory: folder.path, settings: settings)
        let draft = try Draft<Coop>(TestJSON.parse(#"{"slug":"a","name":"A","department_code":"35","membership":"member"}"#), for: .create)
        let coop = try federation.perform { (tx) throws(DomainError) in try Coop.store.create(draft, by: .operatorItself, in: tx) }.record
        func make() throws -> Enrolment.Code {
            try federation.createEnrolment(.init(coop: coop.id, isHelper: false, referent: nil, label: ""), by: .operatorItself).code
        }
        func outcome(_ text: String) throws -> String { "\(try federation.enrol(#require(Enrolment.Code(text)), label: ""))".split(separator: "(").first.map(String.init) ?? "" }
        let (late, tried) = (try make(), try make())
        for _ in 0..<5 { #expect(try outcome("\(tried.name)-0000-0000") == "unknown") }
        federation.close()
        federation = try Federation(directory: folder.path, settings: settings)
        #expect(try outcome(tried.text) == "spent")
        clock.advance(seconds: Enrolment.lifetimeSeconds - 1)
        #expect(try outcome(make().text) == "enrolled")
        clock.advance(seconds: 1)
        #expect(try outcome(late.text) == "spent")
        federation.close()
    }

    @Test("an address that guesses has to wait, others do not")
    func limitsAddresses() throws {
        var settings = App.Settings()
        settings.limitsLoopback = true
        settings.trustedProxies = ["127.0.0.1"]
        let app = try TestApp(app: settings)
        let code = try Self.code(app, app.token(.coopManager, coop: app.addCoop("a-casa")))
        func enrol(_ code: String, from address: String) throws -> TestAnswer {
            try app.send("POST", "/v1/enrolments", #"{"code":"\#(code)"}"#, headers: [("X-Forwarded-For", address)])
        }
        for number in 0..<10 { #expect(try enrol("000\(number)-0000-0000", from: "192.0.2.1").status == 422) }
        let blocked = try enrol(code, from: "192.0.2.1")
        #expect(blocked.status == 429 && Int(blocked["Retry-After"] ?? "") ?? 0 > 0)
        #expect(try enrol(code, from: "192.0.2.2").status == 201)
    }

    @Test("what is no code, or no valid request for one, is told what is wrong", arguments: [
        (#"{"code":"K7Q2"}"#, "enrolment.unknown"), (#"{"code":"UUUU-UUUU-UUUU"}"#, "enrolment.unknown"), (#"{}"#, "field.required"),
        (#"{"code":1}"#, "field.type"), (#"{"code":"0000-0000-0000","role":"federation_admin"}"#, "field.unknown"),
    ])
    func refusesForms(body: String, code: String) throws {
        let answer = try TestApp().send("POST", "/v1/enrolments", body)
        #expect(answer.status == 422 && answer.code == code, "\(answer.text)")
    }

    @Test("a manager sees and revokes the devices of the own co-op; another's are like none")
    func belongsToCoops() throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan"))
        let (manager, neighbour, admin) = (try app.token(.coopManager, coop: own), try app.token(.coopManager, coop: other), try app.token(.federationAdmin))
        for _ in 0..<3 { try Self.enrol(app, Self.code(app, manager)) }
        let device = try #require(try Self.enrol(app, Self.code(app, neighbour, #"{"label":"Borne"}"#)).json()["token_id"]?.stringValue)
        func list(_ token: String, _ query: String = "") throws -> JSON { try app.get("/v1/devices" + query, token: token).json() }
        #expect(try list(manager)["items"]?.elements?.count == 3)
        #expect(try list(manager, "?coop_id=\(other)")["items"]?.elements?.count == 0)
        #expect(try list(neighbour)["items"]?.elements?.map { $0["label"]?.stringValue } == ["Borne"])
        #expect(try list(admin)["items"]?.elements?.count == 4)
        let first = try list(admin, "?limit=3")
        #expect(try app.get(#require(first["next"]?.stringValue), token: admin).json()["items"]?.elements?.count == 1)
        let absent = "01992f6a-8c00-7001-8007-5f0c3a9e0083"
        let refusals = try [device, absent].map { try app.send("DELETE", "/v1/devices/\($0)", token: manager) }
        #expect(refusals.map(\.status) == [404, 404])
        #expect(refusals[0].text.replacing(device, with: absent) == refusals[1].text)
        for token in [try app.token(.referent, coop: own), try app.token(.federationReader)] {
            #expect(try app.get("/v1/devices", token: token).code == "scope.missing")
            #expect(try app.send("POST", "/v1/devices/codes", "{}", token: token).code == "scope.missing")
            #expect(try app.send("DELETE", "/v1/devices/\(device)", token: token).code == "scope.missing")
        }
        #expect(try app.send("POST", "/v1/devices/codes", #"{"coop_id":"\#(other)"}"#, token: manager).code == "scope.not-yours")
        #expect(try app.send("POST", "/v1/devices/codes", "{}", token: admin).faults == ["#/coop_id field.required"])
        #expect(try app.send("DELETE", "/v1/devices/\(device)", token: neighbour).status == 204)
        #expect(try list(neighbour)["items"]?.elements?.first?["revoked_at"]?.stringValue != nil)
    }

    @Test("the list says how far a device's copy is behind, and which app it runs")
    func tellsLag() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        let manager = try app.token(.coopManager, coop: coop)
        let device = try #require(try Self.enrol(app, Self.code(app, manager)).json()["token"]?.stringValue)
        func listed() throws -> JSON { try #require(try app.get("/v1/devices", token: manager).json()["items"]?.elements?.first) }
        #expect(try listed()["seen_at"] == .null && listed()["behind"] == .null)
        func pull(_ cursor: String) throws -> String {
            let path = "/v1/changes" + (cursor.isEmpty ? "" : "?cursor=\(cursor)")
            return try #require(try app.get(path, token: device, headers: [("Viecoop-App", "carnet/2.1")]).json()["cursor"]?.stringValue)
        }
        var cursor = try pull("")
        _ = try app.addReferent(coop)
        cursor = try pull(cursor)
        #expect(try listed()["behind"]?.integerValue == 1, "it showed a cursor from before the referent")
        _ = try pull(cursor)
        #expect(try listed()["behind"]?.integerValue == 0)
        #expect(try listed()["app"]?.stringValue == "carnet/2.1" && listed()["seen_at"]?.stringValue != nil)
    }

    @Test("a revoked device hears of it where it waits, and is told to wipe")
    func revokesAtOnce() throws {
        let app = try TestApp()
        let manager = try app.token(.coopManager, coop: app.addCoop("a-casa"))
        let enrolled = try Self.enrol(app, Self.code(app, manager)).json()
        let (token, id) = (try #require(enrolled["token"]?.stringValue), try #require(enrolled["token_id"]?.stringValue))
        let cursor = try #require(try app.get("/v1/changes", token: token).json()["cursor"]?.stringValue)
        let poll = Background { try app.get("/v1/changes?cursor=\(cursor)&wait=30", token: token) }
        try waitUntil("the poll waits") { app.federation.waiters.count == 1 }
        #expect(try app.send("DELETE", "/v1/devices/\(id)", token: manager).status == 204)
        #expect(try poll.value().status == 401)
        #expect(try app.get("/v1/changes", token: token).json()["wipe"]?.boolValue == true)
    }

    @Test("an erasure says which devices have followed, to the managers whose devices they are")
    func followsErasure() throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan"))
        let (manager, neighbour) = (try app.token(.coopManager, coop: own), try app.token(.coopManager, coop: other))
        let referent = try app.addReferent(own)
        let device = try #require(try Self.enrol(app, Self.code(app, manager)).json()["token"]?.stringValue)
        var cursor = ""
        func pull() throws {
            cursor = try #require(try app.get("/v1/changes?limit=1000" + (cursor.isEmpty ? "" : "&cursor=\(cursor)"), token: device).json()["cursor"]?.stringValue)
        }
        try pull()
        try pull()
        let id = try #require(Identifier<Void>(referent))
        _ = try app.federation.erase(.referent, id, by: .operatorItself)
        func wiped() throws -> [Bool?]? { try app.get("/v1/erasures/\(referent)", token: manager).json()["devices"]?.elements?.map { $0["wiped"]?.boolValue } }
        #expect(try wiped() == [false])
        try pull()
        #expect(try wiped() == [false], "it has the page, but nobody knows that it was stored")
        try pull()
        #expect(try wiped() == [true])
        try waitUntil("the purge") { try app.get("/v1/erasures/\(referent)", token: manager).json()["status"]?.stringValue == "purged" }
        #expect(try app.get("/v1/erasures/\(referent)", token: neighbour).status == 404)
        #expect(try app.get("/v1/erasures/\(own)", token: manager).status == 404)
    }
}
