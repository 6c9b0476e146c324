import Embedded
import Foundation
import TestSupport
import Testing

/// What the page does is looked at in a browser: Tests/browser.
@Suite("The dashboard's files")
struct DashboardTests {
    @Test("are served to anyone, each with its type, and let nothing in from elsewhere")
    func files() throws {
        let app = try TestApp()
        let page = try app.get("/dashboard?from=2026-01-01&region=FR-BRE", headers: [("Accept", "text/html")])
        #expect(page.status == 200)
        let types = ["css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"]
        for file in Embedded.dashboard where file.name != "index.html" {
            let answer = try app.get("/dashboard/\(file.name)", headers: [("Accept", "*/*")])
            #expect(answer.status == 200 && answer.body == file.bytes)
            #expect(answer["Content-Type"] == types[file.name.components(separatedBy: ".").last ?? ""], "\(file.name)")
        }
        for name in ["index.html", "nothing.js", "embedded.h"] { #expect(try app.get("/dashboard/\(name)", headers: [("Accept", "*/*")]).status == 404) }
        let policy = try #require(page["Content-Security-Policy"])
        #expect(policy.hasPrefix("default-src 'none'; ") && !policy.contains("unsafe") && !policy.contains("http"))
        for piece in ["style=", "onclick=", "<style", "//"] { #expect(!page.text.contains(piece), "\(piece) stands in the page") }
        for file in Embedded.dashboard where !file.name.hasSuffix(".svg") { #expect(!file.text.contains("http://") || file.text.contains("http://www.w3.org/2000/svg")) }
    }
}
