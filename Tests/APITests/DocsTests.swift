@testable import API
import Foundation
import TestSupport
import Testing

@Suite("The contract as a page")
struct DocsTests {
    private static let page = String(decoding: Docs.embedded, as: UTF8.self)

    @Test("every operation and every component has its place on the page, and every link leads to one")
    func linksWithin() throws {
        let contract = Docs.Contract(Outline(of: try TestApp().get("/openapi.yaml").text))
        let ids = Set(Self.values(of: "id", in: Self.page))
        #expect(contract.operations.count > 60)
        for operation in contract.operations {
            #expect(ids.contains(operation.id), "\(operation.method) \(operation.path)")
            #expect(contract.tags.contains { operation.has(tag: $0.name) }, "\(operation.method) \(operation.path) is under no tag")
        }
        for part in contract.components {
            for component in part.children { #expect(ids.contains("/components/\(part.key)/\(component.key)")) }
        }
        for link in Self.values(of: "href", in: Self.page) where link != "/openapi.yaml" {
            #expect(link.hasPrefix("#") && ids.contains(String(link.dropFirst())), "\(link) leads nowhere")
        }
    }

    @Test("every operation has a command to copy, with what it needs")
    func examples() throws {
        let commands = Self.page.components(separatedBy: "<pre translate=\"no\" tabindex=\"0\">curl ").dropFirst().compactMap { $0.components(separatedBy: "</pre>").first }
        #expect(commands.count == Docs.Contract(Outline(of: try TestApp().get("/openapi.yaml").text)).operations.count)
        for part in [
            "&quot;$api/v1/ideas&quot;", "-H &quot;Authorization: Bearer $TOKEN&quot; &quot;$api/v1/indicators&quot;",
            "-X PATCH -H &quot;Authorization: Bearer $TOKEN&quot; -H &quot;If-Match: $etag&quot; -H 'Content-Type: application/merge-patch+json' -d @body.json &quot;$api/v1/coops/$id&quot;",
            "-d '{&quot;to&quot;:&quot;designated&quot;}' &quot;$api/v1/referents/$id/transitions&quot;",
        ] { #expect(commands.contains { $0.hasSuffix(part) }, "\(part)") }
    }

    @Test("nothing on the page is loaded or run, and the policy names the hash of its one style")
    func standsAlone() throws {
        for tag in ["<script", "<img", "<link", "<iframe", "<form", "style=", "src=", "@import", "url("] { #expect(!Self.page.contains(tag)) }
        let answer = try TestApp().get("/docs")
        #expect(answer.status == 200)
        #expect(answer.text == Self.page)
        let policy = try #require(answer["Content-Security-Policy"])
        #expect(policy.contains("default-src 'none'"))
        // As `sha256sum` has it of the text between the tags, in base 64: a browser computes the same.
        let style = try #require(Self.page.split(separator: "<style>").last?.split(separator: "</style>").first)
        let digest = try Self.sha256(Data(style.utf8))
        #expect(policy.contains("style-src 'sha256-\(digest.base64EncodedString())'"))
    }

    @Test("text of the contract stays text", arguments: [
        "info:\n  title: <script>alert(1)</script>\n",
        "info:\n  description: |\n    <script>alert(1)</script> `<script>`\n\n    | <script> |\n    |---|\n    | <script> |\n",
        "tags:\n  - name: A\n    description: <script>\npaths:\n  /<script>:\n    get:\n      operationId: \"><script>\n      tags: [A]\n      summary: <script>\n",
        "components:\n  schemas:\n    <script>:\n      $ref: '#/components/schemas/\"><script>'\n",
    ])
    func escapes(text: String) {
        let page = String(decoding: Docs.page(openAPI: text), as: UTF8.self)
        #expect(!page.contains("<script"))
        #expect(page.contains("&lt;script&gt;"))
    }

    @Test("a contract that is cut off or written otherwise gives a page all the same")
    func survives() throws {
        let whole = try TestApp().get("/openapi.yaml").text
        var texts = ["", "\n\n", ":", "- ", "'", "tags:", "tags:\n  -", "tags:\n  - \n", "paths:\n  x", "info:\n  title: '", "info:\n description: |\n x", "$ref: '"]
        for size in stride(from: 1, to: whole.utf8.count, by: 29_989) { texts.append(String(decoding: whole.utf8.prefix(size), as: UTF8.self)) }
        for text in texts { #expect(Docs.page(openAPI: text).count > 1000) }
    }

    /// The values of an attribute, in order.
    private static func values(of attribute: String, in page: String) -> [String] {
        page.split(separator: " \(attribute)=\"").dropFirst().compactMap { $0.split(separator: "\"", omittingEmptySubsequences: false).first.map(String.init) }
    }

    private static func sha256(_ data: Data) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        input.fileHandleForWriting.write(data)
        try input.fileHandleForWriting.close()
        let hex = Array(String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).prefix(64))
        process.waitUntilExit()
        return Data(stride(from: 0, to: hex.count - 1, by: 2).compactMap { UInt8(String(hex[$0...($0 + 1)]), radix: 16) })
    }
}
