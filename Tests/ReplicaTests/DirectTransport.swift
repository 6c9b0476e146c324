import API
import HTTP
import JSON
import Replica
import SQLite
import TestSupport

/// Hands a replica's requests to the server's code in this process.
struct DirectTransport: Transport {
    let app: App
    let token: String

    func send(_ request: ReplicaRequest) throws -> ReplicaAnswer {
        let parts = request.path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var headers: Headers = ["Accept": "application/json", "Authorization": "Bearer \(token)"]
        if request.body != nil { headers.add("Content-Type", "application/json") }
        let response = try Self.settle(
            app.answer(
                Request(
                    method: request.method, path: String(parts[0]), query: parts.count == 2 ? String(parts[1]) : "", headers: headers, body: request.body ?? [])))
        guard case .bytes(let bytes) = response.body else { throw ReplicaError.unreadable("no plain body") }
        return ReplicaAnswer(status: response.status, body: bytes, retryAfter: response.headers["Retry-After"].flatMap { Int($0) }, requestID: request.id)
    }

    /// Blocks until the writer has done what the answer waits for.
    private static func settle(_ answer: Answer) throws -> Response {
        switch answer {
        case .now(let response): return response
        case .later(let begin):
            let kept = Monitor<Answer?>(nil)
            begin(Promise { thunk in
                let answer = thunk()
                kept.change { $0 = answer }
            })
            guard kept.wait(seconds: 60, until: { $0 != nil }), let answer = kept.withLock({ $0 }) else { throw NeverHappened("an answer") }
            return try settle(answer)
        }
    }
}
