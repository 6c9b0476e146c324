import Embedded
import Foundation
import JSON
import TestSupport
import Testing

@Suite("Webhooks of a running server")
struct WebhookTests {
    private static let environment = ["VIECOOP_WEBHOOK_ALLOW": "127.0.0.1/32:*"]

    private struct World {
        let folder = TestFolder()
        let server: Running
        let token: String

        init() throws {
            server = try Running(folder.path, environment: WebhookTests.environment)
            token = try server.token()
        }

        /// Its id and its secret.
        func hook(_ url: String) throws -> (id: String, secret: String) {
            let made = try server.send("POST", "/v1/webhooks", #"{"url":"\#(url)","events":["*"]}"#, token: token)
            #expect(made.status == 201, "\(made.text)")
            let json = try made.json()
            return (try #require(json["id"]?.stringValue), try #require(json["secret"]?.stringValue))
        }
    }

    // MARK: Others' eyes

    @Test("the receiver that the contract shows takes them, and refuses others'")
    func example() throws {
        let world = try World()
        let hook = try world.hook("http://127.0.0.1:9/")
        let script = world.folder.path + "/receiver.py"
        try Self.receiver().write(toFile: script, atomically: true, encoding: .utf8)
        let receiver = try Program([script], executable: "/usr/bin/python3", environment: ["SECRETS": "whsec_AAAA \(hook.secret)", "PORT": "0"])
        let port = try #require(UInt16(receiver.outputLine(with: "listening").split(separator: " ").last ?? ""))
        let patch = try world.server.patch("/v1/webhooks/\(hook.id)", #"{"url":"http://127.0.0.1:\#(port)/"}"#, token: world.token)
        #expect(patch.status == 200, "\(patch.text)")
        #expect(try world.server.send("POST", "/v1/webhooks/\(hook.id)/ping", token: world.token).status == 202)
        #expect(try receiver.outputLine(with: "webhook.ping").contains(hook.id))
        let now = Int(Date().timeIntervalSince1970)
        let forged = try TestClient.send(
            "POST", "/", "{}", [("webhook-id", "x"), ("webhook-timestamp", "\(now)"), ("webhook-signature", "v1,AAAA"), ("Content-Length", "2")], port: port)
        #expect(forged.status == 401)
    }

    /// The lines of code in the contract's text on webhooks, without their margin.
    private static func receiver() throws -> String {
        let lines = Embedded.openAPI.text.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.contains("A receiver in Python") })
        let code = lines[(start + 2)...].prefix { $0.hasPrefix("          ") }.map { $0.dropFirst(10) }
        #expect(code.count <= 40)
        return code.joined(separator: "\n") + "\n"
    }

    /// Python with the reference library, where the Makefile could get it.
    private static let judge = ProcessInfo.processInfo.environment["VIECOOP_JUDGE"].flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil }

    @Test("the reference library of Standard Webhooks takes them, also while a secret is rotated", .enabled(if: judge != nil, "PyPI did not answer"))
    func reference() throws {
        let world = try World()
        let receiver = try Receiver()
        let hook = try world.hook(receiver.url)
        _ = try world.server.addCoop("a-casa", token: world.token)
        try receiver.messages("the first") { $0.count == 1 }
        let rotated = try world.server.send("POST", "/v1/webhooks/\(hook.id)/rotate", "{}", token: world.token)
        _ = try world.server.addCoop("volcan", token: world.token)
        let messages = try receiver.messages("the second") { $0.count == 2 }
        let secrets = try [[hook.secret], [hook.secret, #require(rotated.json()["secret"]?.stringValue)]]
        var lines = ""
        for (message, secrets) in zip(messages, secrets) {
            for secret in secrets {
                var json = JSONWriter()
                json.beginObject()
                json.member("secret", secret)
                json.key("headers")
                json.beginObject()
                for (name, value) in message.headers { json.member(name, value) }
                json.endObject()
                json.member("body", String(decoding: message.body, as: UTF8.self))
                json.endObject()
                lines += String(decoding: json.bytes, as: UTF8.self) + "\n"
            }
        }
        let file = world.folder.path + "/messages.ndjson"
        try lines.write(toFile: file, atomically: true, encoding: .utf8)
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../webhooks/judge.py").path
        let verdict = try Program([script, file], executable: #require(Self.judge)).wait()
        #expect(verdict.code == 0 && verdict.output == "3 messages taken\n", "\(verdict)")
    }

    @Test("a server whose certificate nobody vouches for gets nothing")
    func certificate() throws {
        let world = try World()
        let (key, certificate) = (world.folder.path + "/key.pem", world.folder.path + "/certificate.pem")
        let made = try Program(
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate, "-days", "1",
                "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            ], executable: "/usr/bin/openssl").wait()
        #expect(made.code == 0, "\(made)")
        let receiver = try Program(["s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-www"], executable: "/usr/bin/openssl")
        let port = try #require(receiver.outputLine(with: "ACCEPT").split(separator: ":").last)
        let hook = try world.hook("https://127.0.0.1:\(port)/")
        let sent = try world.server.send("POST", "/v1/webhooks/\(hook.id)/ping", token: world.token)
        let delivery = try #require(sent["Location"])
        try waitUntil("an attempt") { try world.server.get(delivery, token: world.token).json()["attempts"]?.integerValue == 1 }
        let last = try world.server.get(delivery, token: world.token).json()["last"]
        #expect(last?["error"]?.stringValue == "tls" && last?["status"] == .null)
    }

    // MARK: Operators

    @Test("operators list, try and replay them, and see how they stand")
    func operates() throws {
        let world = try World()
        let receiver = try Receiver()
        let hook = try world.hook(receiver.url)
        _ = try world.server.addCoop("a-casa", token: world.token)
        try receiver.messages("the co-op") { $0.count == 1 }
        func run(_ words: String...) throws -> Program.Outcome { try Program.run(["webhook"] + words + ["--data", world.folder.path]) }
        let listed = try run("list")
        #expect(listed.code == 0 && listed.output.contains(hook.id) && listed.output.contains(receiver.url) && !listed.output.contains("whsec"))
        #expect(try run("ping", hook.id).code == 0)
        try receiver.messages("the ping") { $0.last?.type == "webhook.ping" }
        #expect(try run("replay", hook.id, "--since", "2020-01-01T00:00:00Z").output == "2 events are gone through again\n")
        try receiver.messages("the co-op again") { $0.count { $0.type == "coop.created" } == 2 }
        #expect(try run("replay", hook.id, "--since", "gestern").code == 1)
        #expect(try run("replay", hook.id).code == 2)
        #expect(try run("ping", "0197a000-0000-7000-8000-00000000abcd").code == 1)
        #expect(try run("drop").code == 2)

        let metrics = try world.server.get("/metrics", token: world.token).text
        for line in ["viecoop_webhook_state{webhook=\"\(hook.id)\",state=\"active\"} 1", "viecoop_webhook_dead{webhook=\"\(hook.id)\"} 0", "viecoop_webhook_failed_total 0"] {
            #expect(metrics.contains(line), "\(line)")
        }
        #expect(!metrics.contains("whsec") && !metrics.contains(receiver.url))
        #expect(world.server.stop().code == 0)
        // With no server, a ping waits for the next one.
        #expect(try run("ping", hook.id).code == 0)
        let next = try Running(world.folder.path, environment: Self.environment)
        try receiver.messages("the second ping") { $0.count { $0.type == "webhook.ping" } == 2 }
        next.stop()
    }

    @Test("an address inside is refused where the operator allows none, and a broken list is no start")
    func allows() throws {
        let folder = TestFolder()
        let server = try Running(folder.path)
        let answer = try server.send("POST", "/v1/webhooks", #"{"url":"http://127.0.0.1:9/","events":["*"]}"#, token: server.token())
        #expect(answer.code == "webhook.url.forbidden")
        server.stop()
        #expect(try Program.run(["serve", "--data", folder.path, "--listen", "127.0.0.1:0", "--webhook-allow", "all"]).code == 2)
    }
}
