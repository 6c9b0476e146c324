import Glibc
import JSON
import SQLite

/// Another system that is told by webhook: listens on this machine, keeps what comes, and answers as the test wants.
package final class Receiver: Sendable {
    package struct Message: Sendable {
        package let headers: [String: String]
        package let body: [UInt8]
        package let at: MonotonicInstant

        package var id: String { headers["webhook-id"] ?? "" }
        package var json: JSON { (try? JSON.parse(body)) ?? .null }
        package var type: String { json["type"]?.stringValue ?? "" }
        package var record: String { json["data"]?["id"]?.stringValue ?? "" }
        package var rev: Int64 { json["data"]?["rev"]?.integerValue ?? 0 }
    }

    package enum Reply: Sendable {
        /// With more header lines, such as `Retry-After: 1`.
        case status(Int, _ more: [String] = [], body: String = "")
        /// Nothing, until the other side has enough.
        case silence
        case close
        /// Bytes without an end.
        case flood
    }

    private struct State {
        var messages: [Message] = []
        var connections = 0
        var open: Set<Int32> = []
        var isOver = false
    }

    package let host: String
    package let port: UInt16
    private let listener: Int32
    private let state = Monitor(State())
    private let reply: @Sendable (Message, Int) -> Reply

    /// - Parameter reply: gets the message and how many came before it.
    package init(on host: String = "127.0.0.1", port: UInt16 = 0, _ reply: @escaping @Sendable (Message, Int) -> Reply = { _, _ in .status(204) }) throws {
        self.host = host
        self.reply = reply
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 512) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        listener = descriptor
        self.port = UInt16(bigEndian: address.sin_port)
        guard isListening else {
            close(listener)
            throw TestClient.Broken(reason: "no receiver on \(host):\(port)")
        }
        startThread { [listener, state, reply] in Self.accept(listener, state, reply) }
    }

    deinit {
        let open = state.withLock { state in
            state.isOver = true
            return state.open
        }
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in open { shutdown(connection, Int32(SHUT_RDWR)) }
    }

    package var url: String { "http://\(host):\(port)/hook" }
    package var messages: [Message] { state.withLock { $0.messages } }
    package var connections: Int { state.withLock { $0.connections } }

    /// Waits until the messages are as they should be.
    ///
    /// - Throws: `NeverHappened` after a minute.
    @discardableResult
    package func messages(_ what: String, seconds: Int = 60, until condition: @escaping @Sendable ([Message]) -> Bool) throws -> [Message] {
        guard state.wait(seconds: seconds, until: { condition($0.messages) }) else { throw NeverHappened("\(what); came: \(messages.count)") }
        return messages
    }

    // MARK: Its threads, which hold nothing of the receiver itself

    private static func accept(_ listener: Int32, _ state: Monitor<State>, _ reply: @escaping @Sendable (Message, Int) -> Reply) {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            if connection < 0, errno == EINTR || errno == ECONNABORTED { continue }
            guard connection >= 0 else { break }
            let isOver = state.change(wakingAll: true) { state in
                state.connections += 1
                state.open.insert(connection)
                return state.isOver
            }
            if isOver { shutdown(connection, Int32(SHUT_RDWR)) }
            startThread(stackBytes: 512 << 10) {
                serve(connection, state, reply)
                // Out of the set first: the number may be another connection's at once.
                state.withLock { _ = $0.open.remove(connection) }
                close(connection)
            }
        }
        close(listener)
    }

    private static func serve(_ connection: Int32, _ state: Monitor<State>, _ reply: (Message, Int) -> Reply) {
        var buffer: [UInt8] = []
        while let message = read(connection, &buffer) {
            let before = state.change(wakingAll: true) { state in
                state.messages.append(message)
                return state.messages.count - 1
            }
            switch reply(message, before) {
            case .status(let status, let more, let body):
                let lines = ["HTTP/1.1 \(status) X", "Content-Length: \(body.utf8.count)"] + more
                guard write(Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8), to: connection) else { return }
                if more.contains("Connection: close") { return }
            case .silence:
                var byte: UInt8 = 0
                while recv(connection, &byte, 1, 0) > 0 {}
                return
            case .close: return
            case .flood:
                guard write(Array("HTTP/1.1 200 OK\r\n\r\n".utf8), to: connection) else { return }
                let piece = [UInt8](repeating: 0x78, count: 16_384)
                while write(piece, to: connection) {}
                return
            }
        }
    }

    private static func write(_ bytes: [UInt8], to connection: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// The next request; nil where the connection is at its end.
    private static func read(_ connection: Int32, _ buffer: inout [UInt8]) -> Message? {
        var piece = [UInt8](repeating: 0, count: 8192)
        while true {
            if let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
                let lines = String(decoding: buffer[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n").dropFirst()
                var headers: [String: String] = [:]
                for line in lines {
                    guard let colon = line.firstIndex(of: ":") else { continue }
                    headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
                }
                let length = headers["content-length"].flatMap { Int($0) } ?? 0
                if buffer.count >= end.upperBound + length {
                    let body = Array(buffer[end.upperBound..<end.upperBound + length])
                    buffer.removeSubrange(..<(end.upperBound + length))
                    return Message(headers: headers, body: body, at: .now)
                }
            }
            let count = recv(connection, &piece, piece.count, 0)
            // Nor does it understand TLS, which begins with 0x16.
            guard count > 0, buffer.first ?? piece[0] != 0x16 else { return nil }
            buffer += piece[..<count]
        }
    }
}
