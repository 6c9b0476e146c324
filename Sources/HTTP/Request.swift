/// A request as the server accepted it: framing already checked, body already read.
package struct Request: Sendable {
    /// The method's name as sent, upper case (`GET`); unknown ones are kept, so that the router can answer 501.
    package var method: String
    /// The target's path as sent, still percent-encoded, without the query: `/v1/coops/0197…`.
    package var path: String
    /// The query string as sent, without `?`; empty when there is none.
    package var query: String
    package var headers: Headers
    package var body: [UInt8]
    /// The peer's address as text (`127.0.0.1`, `::1`), or `unix` on a Unix socket.
    package var remote: String
    /// Taken from `Request-Id` if that was fit to log, else made by the server.
    package var id: String

    package init(
        method: String, path: String, query: String = "", headers: Headers = Headers(), body: [UInt8] = [],
        remote: String = "unix", id: String = ""
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.remote = remote
        self.id = id
    }
}

/// Header fields in the order sent; names are compared without case (RFC 9110 section 5.1).
package struct Headers: Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var fields: [(name: String, value: String)] = []

    package init() {}
    package init(dictionaryLiteral elements: (String, String)...) { fields = elements.map { ($0.0, $0.1) } }

    /// The first value of the field, or nil.
    package subscript(_ name: String) -> String? { fields.first { Headers.same($0.name, name) }?.value }

    /// Every value of the field, in order.
    package func all(_ name: String) -> [String] { fields.filter { Headers.same($0.name, name) }.map(\.value) }

    package mutating func reserve(_ count: Int) { fields.reserveCapacity(count) }

    package mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

    package mutating func set(_ name: String, _ value: String) {
        fields.removeAll { Headers.same($0.name, name) }
        fields.append((name, value))
    }

    /// Whether two names are the same but for the case of their ASCII letters.
    package static func same(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        // By hand: each request compares a dozen times, and `zip` showed in the profile.
        var others = right.utf8.makeIterator()
        for byte in left.utf8 {
            guard let other = others.next(), byte == other || lower(byte) == lower(other) else { return false }
        }
        return true
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
}
