import Domain
import Embedded
import Glibc
import HTTP
import JSON
import SQLite
import Text

/// The version of this program.
package enum Version { package static let text = "0.1.0" }

/// What operators, load balancers and newcomers ask.
struct OperationRoutes: Sendable {
    private let federation: Federation
    private let metrics: Metrics
    private let isControl: Bool
    private let openAPI = Embedded.openAPI.bytes

    init(_ federation: Federation, metrics: Metrics, isControl: Bool) {
        self.federation = federation
        self.metrics = metrics
        self.isControl = isControl
    }

    var routes: [Route] {
        [
            .read("/livez") { call in
                try call.takesNoQuery()
                return .json { $0.member("status", "alive") }
            },
            .wait("/readyz", ready),
            .read("/version") { call in
                try call.takesNoQuery()
                return .json { json in
                    json.member("version", Version.text)
                    json.member("sqlite", Database.libraryVersion)
                }
            },
            .read("/metrics", offers: ["text/plain"]) { call in
                try call.takesNoQuery()
                guard isControl || call.caller.role == .federationAdmin else {
                    throw call.caller.role == nil ? Problem.unauthorized() : Problem(DomainError.scopeMissing)
                }
                return Response(status: 200, headers: ["Content-Type": "text/plain; version=0.0.4; charset=utf-8"], body: Array(metrics.text(federation).utf8))
            },
            .read("/openapi.yaml", offers: ["application/yaml"]) { call in
                try call.takesNoQuery()
                return Response(status: 200, headers: ["Content-Type": "application/yaml", "Cache-Control": "no-cache"], body: openAPI)
            },
            .read("/docs", offers: ["text/html"]) { call in
                try call.takesNoQuery()
                return Response(
                    status: 200,
                    headers: ["Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": Docs.contentSecurityPolicy, "Cache-Control": "no-cache"],
                    body: Docs.embedded)
            },
        ]
    }

    /// Ready means that a write reaches the disk. Only the control socket hears the details.
    private func ready(_ call: Call) throws -> Answer {
        try call.takesNoQuery()
        return .later { promise in
            federation.write({ (tx) throws(DomainError) in
                try storing { () throws(DatabaseError) in try tx.connection.run("UPDATE history_head SET seq = seq") }
            }) { result in
                promise.keep {
                    // The probe's one page finds room in the WAL when nothing else does any more.
                    let hasRoom = freeBytes.map { $0 >= Self.leastRoom } ?? true
                    let isReady = if case .success = result { hasRoom } else { false }
                    var response = Response.json { json in
                        json.member("status", isReady ? "ready" : "not ready")
                        if isControl { details(&json) }
                    }
                    response.status = isReady ? 200 : 503
                    if !isReady { response.headers.add("Retry-After", "5") }
                    response.headers.set("Cache-Control", "no-store")
                    return .now(response)
                }
            }
        }
    }

    private static let leastRoom = 1 << 20

    /// On the database's disk; nil where it can't be told.
    private var freeBytes: Int? {
        var disk = statvfs()
        guard statvfs(federation.database.path, &disk) == 0 else { return nil }
        return Int(clamping: UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize)).partialValue)
    }

    private func details(_ json: inout JSONWriter) {
        json.member("disk_free_bytes", freeBytes ?? 0)
        json.member("wal_bytes", federation.database.walBytes)
        json.member("write_queue", federation.database.writer.queueLength)
        json.member("waiting_clients", federation.waiters.count)
        json.member("feed_head", Int(federation.heads.head))
        webhooks(&json)
        json.member("sqlite", Database.libraryVersion)
        json.member("version", Version.text)
    }

    private func webhooks(_ json: inout JSONWriter) {
        guard let health = try? federation.webhookHealth() else { return }
        let active = health.filter { $0.webhook.status == .active }
        json.key("webhooks")
        json.beginObject()
        json.member("active", active.count)
        json.member("disabled", health.count { $0.webhook.status == .disabled })
        json.member("failing", active.count { $0.webhook.failingSince != nil })
        json.member("lag_seconds", active.map { $0.lagSeconds(at: federation.now()) }.max() ?? 0)
        json.member("waiting", health.reduce(0) { $0 + $1.waiting })
        json.member("dead", health.reduce(0) { $0 + $1.dead })
        json.endObject()
    }
}

extension Response {
    static func json(_ write: (inout JSONWriter) -> Void) -> Response {
        var json = JSONWriter()
        json.beginObject()
        write(&json)
        json.endObject()
        return Response(status: 200, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: json.bytes)
    }
}
