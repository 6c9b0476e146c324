import HTTP

/// What the headers of one request say about its length and its host, and whether that can be believed.
///
/// libmicrohttpd 0.9.75 takes the first of two Content-Lengths, prefers Transfer-Encoding to it, and reads an unknown coding
/// until the connection ends; a proxy in front may decide otherwise, which is how requests are smuggled. So whatever RFC 9112
/// section 6 lets us refuse is refused.
///
/// Some things it refuses before we are asked, always closing, but in HTML and in its own words: a malformed request line or
/// version (400, 505, or no answer where the method is missing), a line without colon, a Content-Length that is not a number
/// (also one with a space behind it, which the RFC allows) or exceeds 2^64 (413), a head that exceeds its memory (414, 431),
/// malformed chunks, and a chunk extension that exceeds its memory (500). Of these only what has a readable request line is
/// reported to the application, as `framing.library`.
struct Framing {
    private(set) var contentLength: UInt64?
    private(set) var chunked = false
    /// A body follows, whether or not it is framed well: what comes next on the connection is not a request.
    private(set) var announcesBody = false
    /// The client waits for `100 Continue` before it sends the body.
    private(set) var expectsContinue = false
    private var host: String?
    private var hosts = 0
    private var transferEncodings = 0
    private var fault: Refusal?

    /// Called for each header line, whose value has no white space around it.
    mutating func note(_ name: String, _ value: String) {
        // Names without interest are the rule, so the cheapest test comes first.
        switch name.utf8.count {
        case 4 where Headers.same(name, "host"): (host, hosts) = (value, hosts + 1)
        case 6 where Headers.same(name, "expect"): noteExpect(value)
        case 14 where Headers.same(name, "content-length"): noteLength(value)
        case 16 where Headers.same(name, "content-encoding"): found(.contentEncoding)
        case 17 where Headers.same(name, "transfer-encoding"):
            transferEncodings += 1
            chunked = Headers.same(value, "chunked")
            announcesBody = true
            if !chunked || transferEncodings > 1 { found(.transferEncoding) }
        default: break
        }
    }

    /// - Parameter authority: of an absolute target (`http://authority/path`), nil for the usual `/path`.
    func verdict(method: String, version: String, authority: String?, bodyLimit: Int) -> Refusal? {
        let old = version == "HTTP/1.0"
        if transferEncodings > 0, contentLength != nil || fault == .contentLength { return .bothLengths }
        if hosts != 1, hosts > 1 || !old { return .host }
        if let host, !Framing.isHost(host) { return .host }
        if let authority, !Headers.same(authority, host ?? "") { return .targetForm }
        if let fault { return fault }
        if chunked, old { return .transferEncoding }
        if announcesBody, ["GET", "HEAD", "DELETE", "TRACE", "CONNECT"].contains(method) { return .unexpectedBody }
        if let contentLength, contentLength > UInt64(bodyLimit) { return .bodySize }
        return nil
    }

    private mutating func noteLength(_ value: String) {
        let digits = value.utf8
        guard contentLength == nil, (1...19).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = UInt64(value)
        else { return found(.contentLength) }
        contentLength = length
        announcesBody = announcesBody || length > 0
    }

    private mutating func noteExpect(_ value: String) {
        // The library compares the first field only; two of them are as unknown as another word.
        if expectsContinue || !Headers.same(value, "100-continue") { found(.expectation) }
        expectsContinue = true
    }

    private mutating func found(_ refusal: Refusal) {
        // A length that lies outweighs what is merely unsupported.
        if fault == nil || refusal == .contentLength { fault = refusal }
    }

    /// `host [":" port]` of RFC 3986 section 3.2, without user information and not empty.
    static func isHost(_ text: String) -> Bool {
        var bytes = Substring(text).utf8
        if bytes.first == 0x5B {
            guard let end = bytes.firstIndex(of: 0x5D), end > bytes.index(after: bytes.startIndex) else { return false }
            let address = bytes[bytes.index(after: bytes.startIndex)..<end]
            guard address.allSatisfy({ isHex($0) || $0 == 0x3A || $0 == 0x2E }) else { return false }
            bytes = bytes[bytes.index(after: end)...]
        } else {
            let end = bytes.firstIndex(of: 0x3A) ?? bytes.endIndex
            guard end > bytes.startIndex, bytes[..<end].allSatisfy(isRegisteredName) else { return false }
            bytes = bytes[end...]
        }
        guard !bytes.isEmpty else { return true }
        let port = bytes.dropFirst()
        return bytes.first == 0x3A && port.count <= 5 && port.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isRegisteredName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x2D, 0x2E, 0x5F, 0x7E, 0x21, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x3B, 0x3D: true
        default: false
        }
    }
}

func isHex(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
}
