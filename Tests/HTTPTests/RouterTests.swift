import HTTP
import Testing

@Suite struct RouterTests {
    static let router = Router([
        ("GET", "/v1/coops"), ("POST", "/v1/coops"), ("GET", "/v1/coops/{id}"), ("GET", "/v1/coops/{id}.ics"), ("GET", "/v1/coops/{id}/sites/{site}"),
        ("GET", "/v1/coops/mine"), ("GET", "/"),
    ])

    static let matches: [(method: String, path: String, match: Router.Match)] = [
        ("GET", "/v1/coops", .found(0, parameters: [])), ("HEAD", "/v1/coops", .found(0, parameters: [])), ("POST", "/v1/coops", .found(1, parameters: [])),
        ("GET", "/v1/coops/a", .found(2, parameters: ["a"])), ("GET", "/v1/coops/a.ics", .found(3, parameters: ["a"])),
        ("GET", "/v1/coops/mine", .found(5, parameters: [])), ("GET", "/v1/coops/mine/sites/é", .found(4, parameters: ["mine", "é"])),
        ("GET", "/", .found(6, parameters: [])),
        ("DELETE", "/v1/coops", .otherMethod(template: "/v1/coops", allowed: ["GET", "HEAD", "OPTIONS", "POST"])),
        ("POST", "/v1/coops/a", .otherMethod(template: "/v1/coops/{id}", allowed: ["GET", "HEAD", "OPTIONS"])),
        ("GET", "/v1/coops/a/sites", .unknown), ("GET", "/v1", .unknown), ("GET", "/v2/coops", .unknown), ("GET", "", .unknown), ("GET", "*", .unknown),
        ("GET", "//", .unknown), ("GET", "/v1//coops", .unknown), ("GET", "/v1/coops/a/sites/b/", .unknown),
    ]

    @Test("a path finds the route whose template has its segments", arguments: matches)
    func match(_ row: (method: String, path: String, match: Router.Match)) { #expect(Self.router.match(row.method, row.path) == row.match) }
}
