import Glibc

/// Talks HTTP/1.1 to a server on loopback, one request a connection, without Foundation: a client that reads 100,000
/// records has to be cheaper than the server that sends them.
struct Client {
    let port: UInt16
    var token = ""

    /// A loopback port that is free now.
    static func freePort() throws(BenchError) -> UInt16 {
        let socket = try Socket()
        return try socket.bindToFreePort()
    }

    /// Sends a GET and leaves the answer unread; the socket closes when it is let go.
    func send(_ path: String, accept: String = "application/json") throws(BenchError) -> Socket {
        let socket = try Socket()
        try socket.connect(port)
        let authorization = token.isEmpty ? "" : "Authorization: Bearer \(token)\r\n"
        try socket.write(
            "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(authorization)Accept: \(accept)\r\nConnection: close\r\n\r\n")
        return socket
    }

    /// The body of a 200; nil when nobody listens.
    func get(_ path: String, accept: String = "application/json") throws(BenchError) -> [UInt8]? {
        guard let socket = try? send(path, accept: accept) else { return nil }
        var body: [UInt8] = []
        let answer = Answer(socket)
        let status = try answer.read { body.append(contentsOf: $0) }
        guard status == 200 else { throw BenchError("GET \(path) answered \(status): \(String(decoding: body, as: UTF8.self))") }
        return body
    }

    /// The JSON of what this creates or begins.
    func post(_ path: String, _ body: String, expecting expected: Int = 201) throws(BenchError) -> [UInt8] {
        try send("POST", path, body, expecting: expected)
    }

    /// Deletes a record, in whatever version it is.
    func delete(_ path: String) throws(BenchError) { _ = try send("DELETE", path, "", expecting: 204) }

    private func send(_ method: String, _ path: String, _ body: String, expecting expected: Int) throws(BenchError) -> [UInt8] {
        let socket = try Socket()
        try socket.connect(port)
        try socket.write(request(method, path, body))
        var answered: [UInt8] = []
        let status = try Answer(socket).read { answered.append(contentsOf: $0) }
        guard status == expected else { throw BenchError("\(method) \(path) answered \(status): \(String(decoding: answered, as: UTF8.self))") }
        return answered
    }

    func request(_ method: String, _ path: String, _ body: String) -> String {
        let content = body.isEmpty ? "" : "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
        return "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(token)\r\nIf-Match: *\r\n\(content)Connection: close\r\n\r\n\(body)"
    }

    /// Reads a 200 of lines and forgets them: how many there were, the last one, and how many bytes in all.
    func discardLines(_ path: String) throws(BenchError) -> (count: Int, last: [UInt8], bytes: Int) {
        var count = 0
        var bytes = 0
        var tail: [UInt8] = []
        let status = try Answer(send(path, accept: "application/x-ndjson")).read { piece in
            bytes += piece.count
            for byte in piece where byte == 0x0A { count += 1 }
            // The last line is a cursor and short.
            tail = (tail + piece.suffix(8192)).suffix(8192)
        }
        guard status == 200 else { throw BenchError("GET \(path) answered \(status).") }
        let last = tail.split(separator: 0x0A).last.map(Array.init) ?? []
        return (count, last, bytes)
    }
}

/// A TCP socket on loopback, closed with its last owner.
final class Socket {
    let descriptor: Int32

    init() throws(BenchError) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw BenchError("No socket: \(String(cString: strerror(errno))).") }
    }

    deinit { close(descriptor) }

    func connect(_ port: UInt16) throws(BenchError) {
        guard withLoopback(port, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
            throw BenchError("Could not connect to port \(port): \(String(cString: strerror(errno))).")
        }
    }

    func bindToFreePort() throws(BenchError) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withLoopback(0) { bind(descriptor, $0, $1) }
        let named = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard bound == 0, named == 0 else { throw BenchError("No free port: \(String(cString: strerror(errno))).") }
        return UInt16(bigEndian: address.sin_port)
    }

    func write(_ text: String) throws(BenchError) {
        let bytes = Array(text.utf8)
        // These requests fit into the socket's buffer, so one call takes all.
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw BenchError("Could not send: \(String(cString: strerror(errno))).")
        }
    }

    private func withLoopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
