import HTTP

/// Where a connection is, as the threads that share it need to know: libmicrohttpd's, the keeper's and a promise's.
enum Phase {
    /// Accepted; the first request line has not arrived.
    case fresh
    /// Between two requests.
    case idle
    /// A request line has arrived, the headers not yet.
    case head
    case body(received: Int)
    /// The application is at work on the HTTP thread.
    case running
    /// Suspended, until promise number `wait` is kept.
    case waiting(wait: Int)
    /// Resumed; the HTTP thread is about to ask for the answer.
    case kept(@Sendable () -> Answer)
    /// An answer is on its way; the client has acknowledged so much when last looked at, at `since`.
    case answering(acknowledged: UInt64)
    /// Refused in the middle: what still arrives is dropped, so that the client gets to read the refusal.
    case lingering
    /// The keeper gave up on it and shut the socket down; the HTTP thread must not answer any more.
    case expired(status: Int)
}

/// What the keeper has to do about a connection.
enum Verdict: Equatable {
    case leave
    /// Nothing was asked, so nothing is answered.
    case close
    /// The request did not arrive in time: 408, then close.
    case timeout
}

extension Phase {
    /// - Parameters: `age` in seconds since the phase began or, for an answer, since the client last acknowledged a byte;
    ///   `heard` tells whether a fresh connection has sent anything yet.
    func verdict(age: Double, stopping: Bool, settings: ServerSettings, heard: () -> Bool) -> Verdict {
        switch self {
        case .fresh:
            if age > settings.headerDeadline { return heard() ? .timeout : .close }
            return stopping && age > settings.quietAtStop ? .close : .leave
        case .idle: return age > (stopping ? min(settings.idle, settings.quietAtStop) : settings.idle) ? .close : .leave
        case .head: return age > settings.headerDeadline ? .timeout : .leave
        case .body(let received): return age > settings.bodyGrace + Double(received) / settings.bodyRate ? .timeout : .leave
        case .answering: return age > settings.writeStall ? .close : .leave
        case .lingering: return age > settings.linger ? .close : .leave
        case .running, .waiting, .kept, .expired: return .leave
        }
    }
}
