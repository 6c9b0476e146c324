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

    @Test("the demo has a made-up sponsorship in every state, between invented co-ops, once however often it starts")
    func pairs() throws {
        let folder = TestFolder()
        var server = try Running(folder.path, ["--demo"])
        var tokens = try Self.tokens(server)
        let first = try server.get("/v1/pairings", token: tokens["FEDERATION"]).text
        #expect(server.stop().code == 0)
        server = try Running(folder.path, ["--demo"])
        tokens = try Self.tokens(server)
        let pairings = try #require(try server.get("/v1/pairings", token: tokens["FEDERATION"]).json()["items"]?.elements)
        #expect(try server.get("/v1/pairings", token: tokens["FEDERATION"]).text == first)
        let states = ["identified", "introduced", "met", "signed", "active", "paused", "closed", "declined"]
        #expect(Set(pairings.compactMap { $0["status"]?.stringValue }) == Set(states))
        for side in ["sponsor_coop_id", "sponsored_coop_id"] {
            for pairing in pairings {
                let coop = try server.get("/v1/coops/\(pairing[side]?.stringValue ?? "")", token: tokens["FEDERATION"]).json()
                #expect(coop["fictitious"]?.boolValue == true)
            }
        }
        let own = try #require(try server.get("/v1/pairings", token: tokens["MANAGER"]).json()["items"]?.elements)
        #expect(own.map { $0["status"]?.stringValue } == ["active"])
        #expect(own.first?["meeting_count"]?.integerValue == 2)
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
        for part in ["\"theme_id\"", "HTTP/1.1 201", "Chargée de vie coopérative", "\"free_places\"", "\"considering\"", "\"given\"", "/v1/my/registrations/", "\"not_promoted_reason\":\"full\"", "<h1>Fondamentaux", "\"minutes\"", "HTTP/1.1 404", "\"cursor\""] { #expect(outcome.output.contains(part), "\(part): \(outcome)") }
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
