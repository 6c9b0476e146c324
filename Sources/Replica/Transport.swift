/// How a replica reaches its server: a request there, an answer back. A protocol, so that a test can lose, repeat and delay what
/// passes.
package protocol Transport {
    /// - Throws: `ReplicaError.unreachable` where no whole answer came: nobody knows then whether the request arrived.
    func send(_ request: ReplicaRequest) throws -> ReplicaAnswer
}

package struct ReplicaRequest: Sendable {
    package let method: String
    /// With its query.
    package let path: String
    /// JSON; nil for none.
    package let body: [UInt8]?
    /// `Request-Id`, which the answer repeats.
    package let id: String

    package init(method: String, path: String, body: [UInt8]? = nil, id: String = Replica.newID()) {
        (self.method, self.path, self.body, self.id) = (method, path, body, id)
    }
}

package struct ReplicaAnswer: Sendable {
    package let status: Int
    package let body: [UInt8]
    /// Seconds that the server asks to wait.
    package let retryAfter: Int?
    /// The request that it says it answers; nil where it says nothing, as the answers of proxies.
    package let requestID: String?

    package init(status: Int, body: [UInt8], retryAfter: Int? = nil, requestID: String? = nil) {
        (self.status, self.body, self.retryAfter, self.requestID) = (status, body, retryAfter, requestID)
    }
}

/// Why a replica could not do what it was asked. What is in its store stays as it was, and the same call may be made again.
package enum ReplicaError: Error, Equatable {
    /// No answer. What was sent may have happened; sending it again is safe.
    case unreachable(String)
    /// The server has too much to do.
    case busy(retryAfter: Int)
    /// The token is no longer good. `wiped`: the server asked that this device forget everything, and it has.
    case unauthorized(wiped: Bool)
    /// An answer that this client can do nothing about.
    case refused(status: Int, code: String, detail: String)
    /// No answer of a viecoop server, or one that is older than what this device has.
    case unreadable(String)
    /// A change that is no JSON object, or too large to be sent.
    case notAChange(String)
    /// The file is not a replica's, or of a newer version.
    case foreignStore(String)
}

extension ReplicaError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreachable(let reason): "the server did not answer (\(reason)); try again later, nothing is lost"
        case .busy(let seconds): "the server is busy; try again in \(seconds) seconds, nothing is lost"
        case .unauthorized(wiped: true): "the token was revoked, and the copy was deleted as the server asked"
        case .unauthorized(wiped: false): "the server does not know the token, or no longer"
        case .refused(let status, let code, let detail): "the server answered \(status) \(code): \(detail)"
        case .unreadable(let what): "not an answer to go by: \(what)"
        case .notAChange(let what): "not a change: \(what)"
        case .foreignStore(let what): what
        }
    }
}
