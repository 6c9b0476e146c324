import Foundation
import JSON
import Testing
import TestSupport

/// The table of bad input, as far as it is about bodies, headers, ids and queries; each refusal leaves nothing behind.
@Suite("Bad input")
struct BadInputTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        var method = "POST"
        var path = "/v1/themes"
        var body: String? = #"{"slug":"x","title":"X"}"#
        var type: String?
        var headers: [(String, String)] = []
        let status: Int
        let code: String
        /// A fault that the problem names; nil where it has none.
        var fault: String?
        var testDescription: String { name }
    }

    static func body(_ name: String, _ body: String, _ status: Int, _ code: String, _ fault: String? = nil) -> Refusal {
        Refusal(name: name, body: body, status: status, code: code, fault: fault)
    }

    static let bodies = [
        body("truncated", #"{"slug":"x""#, 400, "json.syntax"), body("trailing comma", #"{"slug":"x",}"#, 400, "json.syntax"),
        body("comment", #"{"slug":"x"/* */}"#, 400, "json.syntax"), body("NaN", #"{"order":NaN}"#, 400, "json.syntax"),
        body("two documents", "{}{}", 400, "json.syntax"), body("empty", "", 400, "json.empty"),
        body("duplicate key", #"{"slug":"x","slug":"y"}"#, 400, "json.duplicate-key", "#/slug json.duplicate-key"),
        body("too deep", String(repeating: "[", count: 100_000), 400, "json.too-deep"),
        body("too many members", "[" + Array(repeating: "1", count: 10_002).joined(separator: ",") + "]", 400, "json.too-large"),
        body("lone surrogate", #"{"title":"\ud800"}"#, 400, "json.encoding"), body("byte order mark", "\u{FEFF}{}", 400, "json.encoding"),
        body("1e400", #"{"slug":"x","title":"X","order":1e400}"#, 422, "number.range", "#/order number.range"),
        body("thirty digits", #"{"slug":"x","title":"X","order":111111111111111111111111111111}"#, 422, "number.range", "#/order number.range"),
        body("minus zero", #"{"slug":"x","title":"X","order":-0}"#, 422, "number.range"),
        body("1.0 for a whole number", #"{"slug":"x","title":"X","order":1.0}"#, 422, "number.range"),
        body("beyond 2^53", #"{"slug":"x","title":"X","order":9007199254740993}"#, 422, "number.range"),
        body("NUL in text", #"{"slug":"x","title":"a\u0000b"}"#, 422, "text.forbidden-char", "#/title text.forbidden-char"),
        body("directional override", #"{"slug":"x","title":"a\u202eb"}"#, 422, "text.forbidden-char"),
        body("zero width in a name", #"{"slug":"x","title":"a\u200bb"}"#, 422, "text.forbidden-char"),
        body("line feed in a title", #"{"slug":"x","title":"a\nb"}"#, 422, "text.forbidden-char"),
        body("blank", #"{"slug":"x","title":"   "}"#, 422, "text.blank"), body("too long", #"{"slug":"x","title":"\#(String(repeating: "é", count: 201))"}"#, 422, "text.length"),
        body("no object", "[]", 422, "field.type"), body("unknown field", #"{"slug":"x","title":"X","colour":1}"#, 422, "field.unknown", "#/colour field.unknown"),
        body("missing fields", "{}", 422, "invalid", "#/title field.required"), body("a field of the server's", #"{"slug":"x","title":"X","rev":3}"#, 422, "field.read-only", "#/rev field.read-only"),
        body("creation time", #"{"slug":"x","title":"X","created_at":"2020-01-01T00:00:00Z"}"#, 422, "field.read-only"),
        body("role", #"{"slug":"x","title":"X","role":"federation_admin"}"#, 422, "field.unknown"), body("a choice that is none", #"{"slug":"x","title":"X","audience":"tous"}"#, 422, "choice.unknown"),
        body("an id that is none", #"{"id":"1","slug":"x","title":"X"}"#, 422, "id.format"), body("slug", #"{"slug":"Été","title":"X"}"#, 422, "text.slug"),
    ]

    static let heads = [
        Refusal(name: "no content type", headers: [], status: 415, code: "media-type.unsupported").with(type: ""),
        Refusal(name: "form", type: "application/x-www-form-urlencoded", status: 415, code: "media-type.unsupported"),
        Refusal(name: "latin-1", type: "application/json; charset=iso-8859-1", status: 415, code: "media-type.unsupported"),
        Refusal(name: "plain JSON for a patch", method: "PATCH", path: "/v1/themes/0197a000-0000-7000-8000-000000000001", type: "application/json", headers: [("If-Match", "*")], status: 415, code: "media-type.unsupported"),
        Refusal(name: "a type that is not served", headers: [("Accept", "image/png")], status: 406, code: "not-acceptable"),
        Refusal(name: "unknown parameter", path: "/v1/themes?colour=1", status: 400, code: "parameter.invalid"),
        Refusal(name: "unknown parameter of a list", method: "GET", path: "/v1/themes?colour=1", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "limit 0", method: "GET", path: "/v1/themes?limit=0", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "limit 501", method: "GET", path: "/v1/themes?limit=501", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "SQL in sort", method: "GET", path: "/v1/themes?sort=order;drop%20table%20theme", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "SQL in a filter's name", method: "GET", path: "/v1/themes?1=1%20or%201", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "foreign place", method: "GET", path: "/v1/themes?after=AAAA", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "a parameter twice", method: "GET", path: "/v1/themes?slug=a&slug=b", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "a limit twice", method: "GET", path: "/v1/changes?limit=1&limit=2", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "a place twice", method: "GET", path: "/v1/themes/0197a000-0000-7000-8000-000000000001/history?after=1&after=2", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "a query where none belongs", method: "GET", path: "/openapi.yaml?version=2", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "a query of the metrics", method: "GET", path: "/metrics?name=http", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "broken escape", method: "GET", path: "/v1/themes?slug=%zz", body: nil, status: 400, code: "uri.escape"),
        Refusal(name: "forged cursor", method: "GET", path: "/v1/changes?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", body: nil, status: 400, code: "cursor.invalid"),
        Refusal(name: "wait too long", method: "GET", path: "/v1/changes?wait=31", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "unknown type", method: "GET", path: "/v1/changes?types=car", body: nil, status: 400, code: "parameter.invalid"),
        Refusal(name: "id in upper case", method: "GET", path: "/v1/themes/0197A000-0000-7000-8000-000000000001", body: nil, status: 400, code: "id.format"),
        Refusal(name: "long id", method: "GET", path: "/v1/themes/" + String(repeating: "a", count: 4000), body: nil, status: 400, code: "id.format"),
        Refusal(name: "dots", method: "GET", path: "/v1/themes/../../etc/passwd", body: nil, status: 404, code: "not-found"),
        Refusal(name: "escaped dots", method: "GET", path: "/v1/themes/%2e%2e%2f", body: nil, status: 400, code: "id.format"),
        Refusal(name: "escaped twice", method: "GET", path: "/v1/themes/%252e", body: nil, status: 400, code: "id.format"),
        Refusal(name: "overlong slash", method: "GET", path: "/v1/themes/%c0%ae", body: nil, status: 400, code: "id.format"),
        Refusal(name: "semicolon", method: "GET", path: "/v1/themes;a=b", body: nil, status: 404, code: "not-found"),
        Refusal(name: "double slash", method: "GET", path: "/v1//themes", body: nil, status: 404, code: "not-found"),
        Refusal(name: "trailing slash", method: "GET", path: "/v1/themes/", body: nil, status: 400, code: "id.format"),
        Refusal(name: "unknown address", method: "GET", path: "/v2/themes", body: nil, status: 404, code: "not-found"),
        Refusal(name: "method of another address", method: "PUT", body: nil, status: 405, code: "method.not-allowed"),
        Refusal(name: "TRACE", method: "TRACE", body: nil, status: 405, code: "method.not-allowed"),
        Refusal(name: "CONNECT", method: "CONNECT", path: "example.org:80", body: nil, status: 405, code: "method.not-allowed"),
        Refusal(name: "unknown method", method: "BREW", body: nil, status: 501, code: "method.unknown"),
        Refusal(name: "malformed Idempotency-Key", headers: [("Idempotency-Key", String(repeating: "k", count: 256))], status: 400, code: "header.invalid"),
    ]

    @Test("is refused with its code and changes nothing", arguments: bodies + heads)
    func refuses(_ refusal: Refusal) throws {
        let app = try TestApp()
        let admin = try app.token(.federationAdmin)
        let head = app.federation.heads.head
        let answer = try app.send(refusal.method, refusal.path, refusal.body, token: admin, type: refusal.type, headers: refusal.headers)
        #expect(answer.status == refusal.status, "\(answer.text.prefix(300))")
        #expect(answer.code == refusal.code)
        #expect(answer["Content-Type"] == "application/problem+json")
        #expect(answer["Cache-Control"] == "no-store")
        if let fault = refusal.fault { #expect(answer.faults.contains(fault)) }
        #expect(app.federation.heads.head == head)
    }

    @Test("what is wrong with JSON is said in the client's language", arguments: [("fr", "il faut ici un nom de membre entre guillemets"), ("en", "here should be a member's name in quotes")])
    func saysWhy(_ language: String, _ why: String) throws {
        let app = try TestApp()
        let answer = try app.send("POST", "/v1/themes", #"{"slug":"x",}"#, token: app.token(.federationAdmin), headers: [("Accept-Language", language)])
        #expect(try answer.json()["detail"]?.stringValue?.hasSuffix("\(why).") == true)
    }

    static let ifMatch: [(value: String, status: Int)] = [
        ("\"1.f\"", 412), ("W/\"$\"", 412), ("abc", 400), (Array(repeating: "\"1.f\"", count: 1000).joined(separator: ","), 400), ("*", 200), ("\"1.f\", \"$\"", 200), ("\"x\"", 412),
    ]

    @Test("If-Match compares strongly, in lists too", arguments: ifMatch.map(\.value))
    func matches(_ value: String) throws {
        let app = try TestApp()
        let admin = try app.token(.federationAdmin)
        _ = try app.addTheme("first")
        let path = "/v1/themes/" + (try app.addTheme("second"))
        let etag = try #require(try app.get(path, token: admin).etag)
        let answer = try app.send("PATCH", path, #"{"order":7}"#, token: admin, headers: [("If-Match", value.replacingOccurrences(of: "\"$\"", with: etag))])
        #expect(answer.status == Self.ifMatch.first { $0.value == value }?.status)
        if answer.status == 412 { #expect(answer.etag == etag) }
    }

    @Test("problems are French, or English for who prefers it, and say nothing of the inside")
    func speaks() throws {
        let app = try TestApp()
        #expect(try app.get("/v1/nothing").json()["title"]?.stringValue == "Introuvable")
        let english = try app.get("/v1/nothing", headers: [("Accept-Language", "en-GB,fr;q=0.5")])
        #expect(try english.json()["title"]?.stringValue == "Not found")
        #expect(english["Content-Language"] == "en")
    }

    @Test("of 50 changes of one version at once, one wins")
    func races() throws {
        let app = try TestApp()
        let admin = try app.token(.federationAdmin)
        let path = "/v1/themes/" + (try app.addTheme("habitat"))
        let etag = try #require(try app.get(path, token: admin).etag)
        let statuses = try Concurrently.map(Array(1...50)) { order in
            try app.send("PATCH", path, #"{"order":\#(order)}"#, token: admin, headers: [("If-Match", etag)]).status
        }
        #expect(statuses.filter { $0 == 200 }.count == 1)
        #expect(statuses.filter { $0 == 412 }.count == 49)
    }
}

extension BadInputTests.Refusal {
    func with(type: String) -> Self {
        var refusal = self
        refusal.type = type
        return refusal
    }
}
