import Domain
import HTTP

/// One method at one address, and what answers it.
package final class Route: Sendable {
    /// What a write leaves to say once it is on disk.
    package typealias Write = @Sendable (Transaction) throws(DomainError) -> Outcome

    enum Handler: Sendable {
        /// Runs on the HTTP thread.
        case read(@Sendable (Call) throws -> Response)
        /// Checks the request on the HTTP thread; what it returns runs on the writer, and is answered after the commit.
        case write(@Sendable (Call) throws -> Write)
        /// Decides itself when to answer.
        case wait(@Sendable (Call) throws -> Answer)
    }

    package let method: String
    package let template: String
    /// Whether a caller without token gets 401 before anything else.
    let needsToken: Bool
    /// Media types that it can answer with, the first by default.
    let offers: [String]
    let handler: Handler
    /// What a write's answer gets in the end, also where it is repeated: what must not be kept.
    let finishing: (@Sendable (Outcome, Call) -> Outcome)?

    init(
        method: String, template: String, needsToken: Bool, offers: [String], handler: Handler, finishing: (@Sendable (Outcome, Call) -> Outcome)? = nil
    ) {
        self.method = method
        self.template = template
        self.needsToken = needsToken
        self.offers = offers
        self.handler = handler
        self.finishing = finishing
    }

    static func read(
        _ template: String, needsToken: Bool = false, offers: [String] = ["application/json"], _ handler: @escaping @Sendable (Call) throws -> Response
    ) -> Route {
        Route(method: "GET", template: template, needsToken: needsToken, offers: offers, handler: .read(handler))
    }

    static func wait(_ template: String, offers: [String] = ["application/json"], _ handler: @escaping @Sendable (Call) throws -> Answer) -> Route {
        Route(method: "GET", template: template, needsToken: false, offers: offers, handler: .wait(handler))
    }

    static func write(_ method: String, _ template: String, _ handler: @escaping @Sendable (Call) throws -> Write) -> Route {
        Route(method: method, template: template, needsToken: true, offers: ["application/json"], handler: .write(handler))
    }
}

/// What a write did, for the answer.
package struct Outcome: Sendable {
    var status: Int
    var etag: String?
    var location: String?
    var body: [UInt8] = []
    /// The record that the body shows.
    var record: (type: RecordType, id: String)?
    /// The answer to the same request before, under its Idempotency-Key.
    var isReplay = false

    init(status: Int, etag: String? = nil, location: String? = nil, body: [UInt8] = [], record: (type: RecordType, id: String)? = nil) {
        self.status = status
        self.etag = etag
        self.location = location
        self.body = body
        self.record = record
    }

    var response: Response {
        var response = Response(status: status, body: body)
        if !body.isEmpty { response.headers.add("Content-Type", "application/json") }
        if let etag { response.headers.add("ETag", etag) }
        if let location { response.headers.add("Location", location) }
        if isReplay { response.headers.add("Idempotency-Replayed", "true") }
        response.headers.add("Cache-Control", "private, no-cache")
        return response
    }
}
