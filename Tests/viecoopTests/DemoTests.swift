import Foundation
import SQLite
import TestSupport
import Testing

struct DemoTests {
    @Test("the demo prints a token per role that works until the demo starts again, and keeps the data")
    func printsTokens() throws {
        let folder = TestFolder()
        let data = folder.file("made")
        var server = try Running(data, ["--demo"])
        let first = try Self.tokens(server)
        #expect(first.keys.sorted() == ["DASHBOARD", "DEVICE", "FEDERATION", "HELPER", "MANAGER", "NEIGHBOUR"])
        for (name, token) in first { #expect(try server.get("/v1/me", token: token).status == 200, "\(name)") }
        let coop = try server.addCoop("stays", token: try #require(first["FEDERATION"]))
        #expect(server.stop().code == 0)

        server = try Running(data, ["--demo"])
        let second = try Self.tokens(server)
        for token in first.values { #expect(try server.get("/v1/me", token: token).status == 401) }
        for token in second.values { #expect(try server.get("/v1/me", token: token).status == 200) }
        #expect(try server.get("/v1/coops/\(coop)").status == 200)
    }

    @Test("the README's tour runs as it is printed")
    func runsTour() throws {
        let folder = TestFolder()
        let server = try Running(folder.path, ["--demo"])
        let tokens = try Self.tokens(server)
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        let tour = try #require(readme.components(separatedBy: "## A tour").dropFirst().first?.components(separatedBy: "\n## ").first)
        let blocks = tour.components(separatedBy: "```sh\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
        #expect(!blocks.isEmpty)
        // Another port, an error for each refusal, and no half minute of waiting for news that do not come.
        let script = "curl() { command curl --fail-with-body --silent --show-error \"$@\"; }\n"
            + blocks.joined(separator: "\n").replacingOccurrences(of: "127.0.0.1:8080", with: "127.0.0.1:\(server.port)")
            .replacingOccurrences(of: "wait=30", with: "wait=1")
        let outcome = try Program(["-eu", "-c", script], executable: "/bin/sh", environment: tokens).wait()
        #expect(outcome.code == 0, "\(outcome)")
        for part in ["\"theme_id\"", "HTTP/1.1 201", "Chargée de vie coopérative", "\"cursor\""] { #expect(outcome.output.contains(part), "\(part): \(outcome)") }
    }

    /// The tokens of the lines `export NAME=…`, once all is printed.
    private static func tokens(_ server: Running) throws -> [String: String] {
        _ = try server.program.outputLine(with: "Ctrl-C stops the server")
        let exports = server.program.printed.split(separator: "\n").filter { $0.hasPrefix("export ") }
        return Dictionary(uniqueKeysWithValues: exports.compactMap { line in
            let parts = line.dropFirst(7).split(separator: " ")[0].split(separator: "=", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        })
    }
}
