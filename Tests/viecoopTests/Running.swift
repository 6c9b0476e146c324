import Foundation
import JSON
import TestSupport

/// A server as a process, on a port of its own.
final class Running: Sendable {
    let program: Program
    let port: UInt16
    let data: String

    init(_ data: String, _ more: [String] = ["--log", "off"], environment: [String: String] = [:]) throws {
        program = try Program(["serve", "--data", data, "--listen", "127.0.0.1:0"] + more, environment: environment)
        port = try Self.port(of: program)
        self.data = data
    }

    /// The port in the log's line of the start.
    static func port(of program: Program) throws -> UInt16 {
        let line = try JSON.parse(Array(program.errorLine(with: #""listening""#).utf8))
        guard let port = line["address"]?.stringValue?.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw Program.Failure(what: "no port: \(line)")
        }
        return port
    }

    /// Stops it and waits for its end.
    @discardableResult
    func stop(_ signal: Int32 = SIGTERM) -> Program.Outcome {
        program.send(signal)
        return program.wait()
    }

    @discardableResult
    func send(_ method: String, _ path: String, _ body: String? = nil, token: String? = nil, headers: [(String, String)] = []) throws -> TestAnswer {
        var fields = headers
        if let token { fields.append(("Authorization", "Bearer \(token)")) }
        if let body { fields += [("Content-Type", "application/json"), ("Content-Length", String(body.utf8.count))] }
        return try TestClient.send(method, path, body, fields, port: port)
    }

    /// Changes a record, in whatever version it is.
    func patch(_ path: String, _ body: String, token: String) throws -> TestAnswer {
        let fields = [
            ("Authorization", "Bearer \(token)"), ("If-Match", "*"), ("Content-Type", "application/merge-patch+json"), ("Content-Length", String(body.utf8.count)),
        ]
        return try TestClient.send("PATCH", path, body, fields, port: port)
    }

    func get(_ path: String, token: String? = nil) throws -> TestAnswer { try send("GET", path, token: token) }

    /// A token of the federation's administrator, or of another role, made by the command.
    func token(_ role: String = "federation_admin", _ more: [String] = []) throws -> String {
        let made = try Program.run(["token", "create", "--role", role, "--data", data] + more)
        guard made.code == 0 else { throw Program.Failure(what: made.errors) }
        return made.output.trimmingCharacters(in: .newlines)
    }

    /// The id of a new co-op.
    func addCoop(_ slug: String, token: String) throws -> String {
        let answer = try send("POST", "/v1/coops", #"{"slug":"\#(slug)","name":"Coop \#(slug)","department_code":"2B","membership":"member"}"#, token: token)
        guard answer.status == 201, let id = try answer.json()["id"]?.stringValue else { throw Program.Failure(what: answer.text) }
        return id
    }
}

/// What a request that makes a referent holds.
func referent(_ id: UUID, coop: String, family: String = "Muller") -> String {
    #"{"id":"\#(id.uuidString.lowercased())","coop_id":"\#(coop)","given_name":"Ana","family_name":"\#(family)","work_phone":"+33612345678","started_on":"2026-01-05"}"#
}
