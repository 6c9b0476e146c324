import CMicroHTTPD
import Glibc

/// A client that sends exactly the bytes it is given, right or wrong, and reads answers one at a time.
final class RawSocket {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// How the server ended the connection; nil while it is open.
    private(set) var end: End?

    enum End { case closed, reset }

    struct Failure: Error { let what: String }

    struct Answer {
        let status: Int
        let head: String
        let body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }

        /// The value of the first such field.
        func header(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name.lowercased() else { continue }
                return String(line[line.index(after: colon)...].drop { $0 == " " })
            }
            return nil
        }
    }

    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        descriptor = try RawSocket.open(AF_INET)
        if var receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        try connect(address)
    }

    init(port6 port: UInt16) throws {
        descriptor = try RawSocket.open(AF_INET6)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = in6addr_loopback
        try connect(address)
    }

    init(path: String) throws {
        descriptor = try RawSocket.open(AF_UNIX)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try connect(address)
    }

    deinit { close(descriptor) }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends all, or stops silently where the server closed: what it answered is then to be read.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Sends `text` every 10 ms until there is something to read: an answer, or the end.
    func drip(_ text: String) {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&watched, 1, 10) == 0 { send(text) }
    }

    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The next answer; interim ones are skipped. `head`: it answers a HEAD, so no body follows.
    func answer(head: Bool = false) throws -> Answer {
        let empty = try self.head()
        let (status, lines) = (empty.status, empty.head)
        if head || status == 204 || status == 304 { return empty }
        if empty.header("Transfer-Encoding") == "chunked" { return Answer(status: status, head: lines, body: try chunks()) }
        if let length = empty.header("Content-Length").flatMap({ Int($0) }) {
            return Answer(status: status, head: lines, body: try read(length))
        }
        return Answer(status: status, head: lines, body: readToEnd())
    }

    /// Only the head of the next answer.
    func head() throws -> Answer {
        let lines = try read(through: "\r\n\r\n")
        let parts = lines.split(separator: " ", maxSplits: 2)
        guard parts.count > 1, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
            throw Failure(what: "no status line: \(lines)")
        }
        return status < 200 ? try head() : Answer(status: status, head: lines, body: [])
    }

    /// All until the server closes.
    func readToEnd() -> [UInt8] {
        while fill() {}
        defer { buffer = [] }
        return buffer
    }

    func chunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try read(through: "\r\n")
            guard let size = Int(line.prefix { $0.isHexDigit }, radix: 16) else { throw Failure(what: "no chunk size: \(line)") }
            body += try read(size)
            _ = try read(through: "\r\n")
            if size == 0 { return body }
        }
    }

    func read(_ count: Int) throws -> [UInt8] {
        while buffer.count < count {
            guard fill() else { throw Failure(what: "ended (\(end.map { "\($0)" } ?? "time")) after \(buffer.count) of \(count) bytes") }
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    private func read(through mark: String) throws -> String {
        let mark = Array(mark.utf8)
        var start = 0
        while true {
            while start + mark.count <= buffer.count {
                if buffer[start..<start + mark.count].elementsEqual(mark) {
                    return String(decoding: try read(start + mark.count), as: UTF8.self)
                }
                start += 1
            }
            guard fill() else {
                throw Failure(what: "ended (\(end.map { "\($0)" } ?? "time")) in: \(String(decoding: buffer, as: UTF8.self))")
            }
        }
    }

    /// Reads what is there, waiting at most 20 s, which only a broken server needs.
    private func fill() -> Bool {
        guard end == nil else { return false }
        var piece = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &piece, piece.count, 0)
        if count > 0 {
            buffer += piece.prefix(count)
            return true
        }
        if count == 0 { end = .closed } else if errno == ECONNRESET || errno == EPIPE { end = .reset }
        return false
    }

    private static func open(_ family: Int32) throws -> Int32 {
        let descriptor = socket(family, Int32(CMicroHTTPD_SOCK_STREAM), 0)
        guard descriptor >= 0 else { throw Failure(what: "socket: \(errno)") }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    private func connect<Address>(_ address: Address) throws {
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard result == 0 else { throw Failure(what: "connect: \(errno)") }
    }
}
