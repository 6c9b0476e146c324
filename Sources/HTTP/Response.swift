/// What goes back to the client, before the server adds `Date`, `Content-Length` and `Request-Id`.
package struct Response: Sendable {
    package var status: Int
    package var headers: Headers
    package var body: Body
    /// The connection is closed after this answer, and bytes behind the request never run as another.
    package var closes = false
    /// The template of the route that answered (`/v1/coops/{id}`), for the log and the metrics; nil where none matched.
    package var route: String?
    /// Who asked, as an id that may be logged; nil without a token.
    package var caller: String?
    /// What went wrong in the server, for the log alone; without personal values.
    package var cause: String?

    package enum Body: Sendable {
        case bytes([UInt8])
        /// Pulled piece by piece on an HTTP thread until it returns nil; sent chunked.
        case stream(@Sendable () -> [UInt8]?)
        /// The same from a source that may have nothing to say for now: its connection then sleeps until the bell
        /// rings. It has to say something more often than the server's `writeStall`, or the client is taken for dead, and must not
        /// ring its own bell while it is asked.
        case live(@Sendable (Bell) -> Piece)
    }

    /// What a live source gives.
    package enum Piece: Sendable {
        case bytes([UInt8])
        case notYet
        case end
    }

    /// Wakes a sleeping connection, from any thread and as often as one likes: what comes together is heard once.
    package struct Bell: Sendable {
        package let ring: @Sendable () -> Void
        package init(_ ring: @escaping @Sendable () -> Void) { self.ring = ring }
    }

    package init(status: Int, headers: Headers = Headers(), body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = .bytes(body)
    }

    package init(status: Int, headers: Headers = Headers(), body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What an application gives for a request.
package enum Answer: Sendable {
    case now(Response)
    /// The server suspends the connection, then calls the closure, which must see to it that the promise is kept exactly once.
    case later(@Sendable (Promise) -> Void)
}

/// A response owed to a suspended connection.
package struct Promise: Sendable {
    private let resume: @Sendable (@escaping @Sendable () -> Answer) -> Void

    package init(_ resume: @escaping @Sendable (@escaping @Sendable () -> Answer) -> Void) { self.resume = resume }

    /// Resumes the connection from any thread; `answer` runs on an HTTP thread afterwards, and may ask to wait again.
    package func keep(_ answer: @escaping @Sendable () -> Answer) { resume(answer) }
}

/// What the server drives: everything above the socket.
package protocol Application: Sendable {
    /// Called on an HTTP thread. Must not block.
    func answer(_ request: Request) -> Answer
    /// Called after each exchange, also those that the server refused itself; for the log and the metrics.
    func completed(_ exchange: Exchange)
}

/// One request and its answer, without body, token or personal value.
package struct Exchange: Sendable {
    package var id: String
    package var method: String
    /// The route's template; nil where no route was reached, so that a secret in a path is not logged.
    package var route: String?
    /// 0 where the connection ended before there was an answer.
    package var status: Int
    package var seconds: Double
    /// Of the body, as far as it was read.
    package var requestBytes: Int
    /// Of the body, as far as it was made: a client that left early may have received less.
    package var responseBytes: Int
    package var remote: String
    package var caller: String?
    /// The code of the guard's refusal (`framing.content-length`), nil for a request that reached the application.
    package var refusal: String?
    /// What went wrong in the server, where that is why.
    package var cause: String?

    package init(
        id: String, method: String, route: String?, status: Int, seconds: Double, requestBytes: Int, responseBytes: Int,
        remote: String, caller: String?, refusal: String?, cause: String?
    ) {
        self.id = id
        self.method = method
        self.route = route
        self.status = status
        self.seconds = seconds
        self.requestBytes = requestBytes
        self.responseBytes = responseBytes
        self.remote = remote
        self.caller = caller
        self.refusal = refusal
        self.cause = cause
    }
}
