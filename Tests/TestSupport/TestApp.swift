import API
import Domain
import Foundation
import HTTP
import HTTPServer
import JSON

/// The whole server over loopback, with a database of its own; everything goes with this object.
package final class TestApp: Sendable {
    package let folder = TestFolder()
    package let federation: Federation
    package let app: App
    package let server: Server

    package init(federation settings: Federation.Settings = Federation.Settings(), app appSettings: App.Settings = App.Settings()) throws {
        federation = try Federation(directory: folder.path, settings: settings)
        app = App(federation, settings: appSettings, metrics: Metrics(), log: nil)
        var serverSettings = ServerSettings(listener: .tcp(host: "127.0.0.1", port: 0))
        serverSettings.threads = 1
        server = try Server(serverSettings, application: Recorder(app))
    }

    deinit {
        federation.waiters.close()
        server.stop(grace: 1)
        federation.close()
    }

    // MARK: Asking

    /// Sends a request over a connection of its own and reads the whole answer.
    @discardableResult
    package func send(
        _ method: String, _ path: String, _ body: String? = nil, token: String? = nil, type: String? = nil, headers: [(String, String)] = []
    ) throws -> TestAnswer {
        var fields = headers
        if let token { fields.append(("Authorization", "Bearer \(token)")) }
        if let body {
            fields.append(("Content-Type", type ?? (method == "PATCH" ? "application/merge-patch+json" : "application/json")))
            fields.append(("Content-Length", String(body.utf8.count)))
        }
        return try TestClient.send(method, path, body, fields, port: server.port)
    }

    package func get(_ path: String, token: String? = nil, headers: [(String, String)] = []) throws -> TestAnswer {
        try send("GET", path, token: token, headers: headers)
    }

    // MARK: Fixtures

    /// A token of the role; co-ops by id.
    package func token(_ role: Role, coop: String? = nil, helper: Bool = false, referent: String? = nil, expires: Timestamp? = nil) throws -> String {
        let draft = Token.Draft(
            role: role, coop: coop.flatMap { Identifier($0) }, isHelper: helper, referent: referent.flatMap { Identifier($0) }, label: "test", expires: expires)
        return try federation.createToken(draft).secret.text
    }

    /// The id of a new co-op.
    @discardableResult
    package func addCoop(_ slug: String, membership: String = "member", department: String = "2B") throws -> String {
        try add(Coop.self, #"{"slug":"\#(slug)","name":"Coop \#(slug)","department_code":"\#(department)","membership":"\#(membership)"}"#)
    }

    @discardableResult
    package func addTheme(_ slug: String) throws -> String { try add(Theme.self, #"{"slug":"\#(slug)","title":"Thème \#(slug)"}"#) }

    @discardableResult
    package func addMooc(_ slug: String) throws -> String { try add(Mooc.self, #"{"slug":"\#(slug)","title":"MOOC \#(slug)"}"#) }

    @discardableResult
    package func addReferent(_ coop: String, _ family: String = "Muller", more: String = "") throws -> String {
        try add(
            Referent.self,
            #"{"coop_id":"\#(coop)","given_name":"Ana","family_name":"\#(family)","work_phone":"+33612345678","started_on":"2026-01-05"\#(more)}"#)
    }

    /// Stores a record as the operator and returns its id.
    @discardableResult
    package func add<R: Record>(_ type: R.Type, _ json: String) throws -> String {
        let draft = try Draft<R>(JSON.parse(Array(json.utf8)), for: .bringIn)
        return try federation.perform { (tx) throws(DomainError) in try R.store.create(draft, by: .operatorItself, in: tx) }.record.id.text
    }
}

/// Hands every request on, and notes what was asked and answered for the contract's check.
private final class Recorder: Application {
    private let app: App
    init(_ app: App) { self.app = app }

    func answer(_ request: Request) -> Answer { record(app.answer(request), request) }
    func completed(_ exchange: Exchange) { app.completed(exchange) }

    private func record(_ answer: Answer, _ request: Request) -> Answer {
        switch answer {
        case .now(let response):
            Exchanges.note(request, response)
            return answer
        case .later(let begin):
            return .later { [self] promise in
                begin(Promise { thunk in promise.keep { [self] in record(thunk(), request) } })
            }
        }
    }
}
