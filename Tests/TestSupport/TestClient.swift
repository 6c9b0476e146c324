import Foundation
import JSON

/// An answer as a test looks at it.
package struct TestAnswer: Sendable {
    package let status: Int
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package subscript(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    package var text: String { String(decoding: body, as: UTF8.self) }
    package func json() throws -> JSON { try JSON.parse(body, limits: JSONLimits(depth: 32, members: 1_000_000)) }
    /// The stable code of a problem.
    package var code: String? { (try? json())?["code"]?.stringValue }
    /// Pointers and codes of a problem's faults, such as `#/name text.length`.
    package var faults: [String] {
        ((try? json())?["errors"]?.elements ?? []).map { "\($0["pointer"]?.stringValue ?? "") \($0["code"]?.stringValue ?? "")" }
    }
    package var etag: String? { self["ETag"] }
}

/// The smallest HTTP client: one request, one connection, everything read to its end.
package enum TestClient {
    package struct Broken: Error { package let reason: String }

    package static func send(_ method: String, _ path: String, _ body: String?, _ headers: [(String, String)], port: UInt16) throws -> TestAnswer {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        return try parse(exchange(Array((text + "\r\n" + (body ?? "")).utf8), port: port), isHead: method == "HEAD")
    }

    /// Sends bytes as they are, and reads until the server closes.
    package static func exchange(_ bytes: [UInt8], port: UInt16) throws -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else { throw Broken(reason: "connect: \(String(cString: strerror(errno)))") }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { break }
            sent += count
        }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            received += buffer[..<count]
        }
        return received
    }

    private static func parse(_ bytes: [UInt8], isHead: Bool) throws -> TestAnswer {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { throw Broken(reason: "no answer: \(String(decoding: bytes.prefix(200), as: UTF8.self))") }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: String(parts[0]), value: parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { throw Broken(reason: "no status") }
        var body = Array(bytes[end.upperBound...])
        if headers.contains(where: { $0.name.lowercased() == "transfer-encoding" }) { body = try unchunk(body) }
        return TestAnswer(status: status, headers: headers, body: body)
    }

    private static func unchunk(_ bytes: [UInt8]) throws -> [UInt8] {
        var body: [UInt8] = []
        var rest = bytes[...]
        while let end = rest.firstRange(of: Array("\r\n".utf8)), let size = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16), size > 0 {
            let data = rest[end.upperBound...].prefix(size)
            guard data.count == size else { throw Broken(reason: "a chunk was cut off") }
            body += data
            rest = rest[(end.upperBound + size)...].dropFirst(2)
        }
        return body
    }
}
