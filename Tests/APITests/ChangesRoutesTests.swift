import API
import Domain
import Foundation
import HTTP
import JSON
import Synchronization
import Testing
import TestSupport

@Suite("The pull over HTTP")
struct ChangesRoutesTests {
    /// Follows a device's pull to `complete`.
    private func pull(_ app: TestApp, _ token: String?, from cursor: String? = nil, more: String = "") throws -> (entries: [JSON], cursor: String) {
        var entries: [JSON] = []
        var cursor = cursor
        while true {
            let answer = try app.get("/v1/changes?" + (cursor.map { "cursor=\($0)" } ?? "") + more, token: token)
            try #require(answer.status == 200, "\(answer.text)")
            let page = try answer.json()
            entries += page["changes"]?.elements ?? []
            cursor = page["cursor"]?.stringValue
            if page["complete"] == .bool(true) { return (entries, try #require(cursor)) }
        }
    }

    @Test("pages of three bring the same as one page, and NDJSON the same again")
    func agrees() throws {
        let app = try TestApp()
        let coop = try app.addCoop("a-casa")
        for number in 1...10 { _ = try app.addReferent(coop, "Muller \(number)") }
        let token = try app.token(.coopManager, coop: coop)
        let whole = try pull(app, token, more: "&limit=1000").entries
        #expect(try pull(app, token, more: "&limit=3").entries == whole)
        #expect(whole.count == 11)
        #expect(Set(whole.compactMap { $0["layer"]?.stringValue }) == ["n", "c"])

        let stream = try app.get("/v1/changes", token: token, headers: [("Accept", "application/x-ndjson")])
        let lines = try stream.body.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
        #expect(Array(lines.dropLast()) == whole)
        let end = try #require(lines.last)
        #expect(end["complete"] == .bool(true))
        #expect(try pull(app, token, from: end["cursor"]?.stringValue).entries.isEmpty)
    }

    @Test("a page that another device was given is as new as any, and holds what the reader's own layers show")
    func shares() throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan"))
        _ = try app.addReferent(own)
        let (first, second) = (try app.token(.referent, coop: own), try app.token(.referent, coop: own))
        let foreign = try app.token(.referent, coop: other)
        func layers(_ token: String, from cursor: String? = nil) throws -> [String] {
            try pull(app, token, from: cursor).entries.filter { $0["type"] == .string("referent") }.compactMap { $0["layer"]?.stringValue }
        }
        #expect(try layers(first) == ["c"])
        #expect(try layers(second) == ["c"])
        #expect(try layers(foreign) == ["n"])

        let (firstStart, secondStart) = (try pull(app, first).cursor, try pull(app, second).cursor)
        #expect(try app.get("/v1/changes?cursor=\(firstStart)", token: second).status == 400)
        for count in 1...2 {
            _ = try app.addReferent(own, "Muller \(count)")
            #expect(try layers(first, from: firstStart).count == count)
            #expect(try layers(second, from: secondStart).count == count)
        }
        #expect(try layers(first) == ["c", "c", "c"])
    }

    @Test("a delta holds what changed since, and nothing of what another co-op keeps to itself")
    func follows() throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan"))
        let (device, admin) = (try app.token(.referent, coop: own), try app.token(.federationAdmin))
        let manager = try app.token(.coopManager, coop: other)
        let theme = try app.addTheme("social")
        let start = try pull(app, device).cursor
        let draft = try app.send("POST", "/v1/ideas", #"{"title":"Jardin","theme_id":"\#(theme)"}"#, token: manager)
        let path = try #require(draft["Location"])
        #expect(try pull(app, device, from: start).entries.isEmpty)
        for step in ["submitted", "published"] {
            #expect(try app.send("POST", path + "/transitions", #"{"to":"\#(step)"}"#, token: admin, headers: [("If-Match", "*")]).status == 200)
        }
        let published = try pull(app, device, from: start)
        #expect(published.entries.map { $0["op"]?.stringValue } == ["put"])
        #expect(try app.send("POST", path + "/transitions", #"{"to":"archived"}"#, token: admin, headers: [("If-Match", "*")]).status == 200)
        let archived = try pull(app, device, from: published.cursor).entries
        #expect(archived.map { $0["op"]?.stringValue } == ["remove"])
        #expect(archived.first?["reason"]?.stringValue == "scope")
        #expect(try pull(app, device, from: start).entries.allSatisfy { $0["op"]?.stringValue == "remove" || $0["id"]?.stringValue != nil })
    }

    @Test("types filters, and the cursor belongs to them; another token's cursor is none")
    func filters() throws {
        let app = try TestApp()
        _ = try app.addCoop("a-casa")
        _ = try app.addTheme("social")
        let (one, two) = (try app.token(.federationReader), try app.token(.federationReader))
        let themes = try pull(app, one, more: "&types=theme")
        #expect(themes.entries.compactMap { $0["type"]?.stringValue } == ["theme"])
        #expect(try app.get("/v1/changes?cursor=\(themes.cursor)", token: one).status == 200, "without types: those of the cursor")
        #expect(try app.get("/v1/changes?cursor=\(themes.cursor)&types=coop", token: one).code == "cursor.invalid")
        #expect(try app.get("/v1/changes?cursor=\(themes.cursor)", token: two).code == "cursor.invalid")
        #expect(try app.get("/v1/changes?cursor=\(themes.cursor)").code == "cursor.invalid")
        #expect(try app.get("/v1/changes?cursor=\(themes.cursor.dropLast())", token: one).code == "cursor.invalid")
    }

    @Test("an ETag stands still while the caller's audiences do")
    func saves() throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan"))
        let device = try app.token(.referent, coop: own)
        let cursor = try pull(app, device).cursor
        let first = try app.get("/v1/changes?cursor=\(cursor)", token: device)
        let etag = try #require(first.etag)
        let theme = try app.addTheme("social")
        let moved = try app.get("/v1/changes?cursor=\(cursor)", token: device)
        // A draft of another co-op moves the head, but none of this device's audiences.
        _ = try app.add(Idea.self, #"{"title":"Jardin","theme_id":"\#(theme)","scope":"coop","author_coop_id":"\#(other)"}"#)
        #expect(try app.get("/v1/changes?cursor=\(cursor)", token: device, headers: [("If-None-Match", try #require(moved.etag))]).status == 304)
        _ = try app.addReferent(own)
        #expect(try app.get("/v1/changes?cursor=\(cursor)", token: device, headers: [("If-None-Match", etag)]).status == 200)
    }

    @Test("a long poll is answered by a commit that its caller may see, not by another; and at once when its token is revoked")
    func waits() throws {
        let app = try TestApp()
        let (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan"))
        let theme = try app.addTheme("social")
        let device = try app.token(.referent, coop: own)
        let cursor = try pull(app, device).cursor
        let poll = Background { try app.get("/v1/changes?cursor=\(cursor)&wait=30", token: device) }
        try waitUntil("the poll waits") { app.federation.waiters.count == 1 }
        _ = try app.add(Idea.self, #"{"title":"Jardin","theme_id":"\#(theme)","scope":"coop","author_coop_id":"\#(other)"}"#)
        #expect(app.federation.waiters.count == 1)
        let referent = try app.addReferent(own)
        let answer = try poll.value()
        #expect(try answer.json()["changes"]?.elements?.first?["id"]?.stringValue == referent)

        let moved = try #require(try answer.json()["cursor"]?.stringValue)
        let refused = Background { try app.get("/v1/changes?cursor=\(moved)&wait=30", token: device) }
        try waitUntil("the poll waits") { app.federation.waiters.count == 1 }
        _ = try app.federation.revokeToken(try #require(Token.Secret(device)).id)
        let end = try refused.value()
        #expect(end.status == 401)
        #expect(try end.json()["wipe"]?.boolValue == true)
    }

    @Test("a long poll whose token is revoked just before it waits does not wait")
    func revokedOnTheWay() throws {
        let app = try TestApp()
        let device = try app.token(.referent, coop: app.addCoop("a-casa"))
        let cursor = try pull(app, device).cursor
        let request = Request(method: "GET", path: "/v1/changes", query: "cursor=\(cursor)&wait=30", headers: ["Authorization": "Bearer \(device)"])
        guard case .later(let begin) = app.app.answer(request) else {
            Issue.record("no wait")
            return
        }
        _ = try app.federation.revokeToken(try #require(Token.Secret(device)).id)
        let kept = Mutex<(@Sendable () -> Answer)?>(nil)
        begin(Promise { answer in kept.withLock { $0 = answer } })
        guard case .now(let response)? = kept.withLock({ $0 })?() else {
            Issue.record("it waits")
            return
        }
        #expect(response.status == 401)
    }

    @Test("a stream that is read slowly ends, without its last line, when its token is revoked")
    func streamOfRevoked() throws {
        let app = try TestApp()
        try app.federation.perform { (tx) throws(DomainError) in
            for number in 0..<600 {
                let json = JSON.object([.init("slug", .string("theme-\(number)")), .init("title", .string("Thème \(number)"))])
                _ = try Theme.store.create(Draft(json, for: .create), by: .operatorItself, in: tx)
            }
        }
        let token = try app.token(.federationReader)
        let request = Request(method: "GET", path: "/v1/changes", headers: ["Authorization": "Bearer \(token)", "Accept": "application/x-ndjson"])
        guard case .now(let response) = app.app.answer(request), case .stream(let next) = response.body else {
            Issue.record("no stream")
            return
        }
        let first = try #require(next())
        #expect(first.split(separator: 0x0A).count == 500)
        _ = try app.federation.revokeToken(#require(app.federation.allTokens().last).id)
        let isOver = next() == nil
        #expect(isOver)
    }

    @Test("a long poll ends with nothing when its time is up")
    func endsWaiting() throws {
        let app = try TestApp()
        _ = try app.addTheme("social")
        let cursor = try pull(app, nil).cursor
        let answer = try app.get("/v1/changes?cursor=\(cursor)&wait=1")
        #expect(answer.status == 200)
        #expect(try answer.json()["changes"] == .array([]))
    }

    @Test("gzip holds the same bytes")
    func compresses() throws {
        let app = try TestApp()
        for number in 1...20 { _ = try app.addTheme("theme-\(number)") }
        let plain = try app.get("/v1/changes").body
        let packed = try app.get("/v1/changes", headers: [("Accept-Encoding", "gzip")])
        #expect(packed["Content-Encoding"] == "gzip")
        #expect(packed.body.count < plain.count / 2)
        #expect(try gunzip(packed.body) == plain)
        let stream = try app.get("/v1/changes", headers: [("Accept-Encoding", "gzip"), ("Accept", "application/x-ndjson")])
        #expect(try gunzip(stream.body) == app.get("/v1/changes", headers: [("Accept", "application/x-ndjson")]).body)
    }

    private func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["-dc"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(bytes))
        try input.fileHandleForWriting.close()
        return Array(output.fileHandleForReading.readDataToEndOfFile())
    }
}
