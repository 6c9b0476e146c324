import Glibc

/// Reads one HTTP/1.1 answer from a socket, its body in the pieces in which it arrives.
final class Answer {
    private let socket: Socket
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    private var start = 0
    private var end = 0

    init(_ socket: Socket) { self.socket = socket }

    /// Answers the status, after every piece of the body went to `take`.
    func read(_ take: (UnsafeBufferPointer<UInt8>) -> Void) throws(BenchError) -> Int {
        let status = try line().split(separator: " ")
        guard status.count > 1, let code = Int(status[1]) else { throw BenchError("The server does not speak HTTP.") }
        var length: Int?
        var chunked = false
        while case let field = try line(), !field.isEmpty {
            let parts = field.lowercased().split(separator: ":", maxSplits: 1)
            let value = parts.last.map { $0.filter { $0 != " " } } ?? ""
            if parts.first == "content-length" { length = Int(value) }
            if parts.first == "transfer-encoding" { chunked = value == "chunked" }
        }
        if chunked {
            while let size = Int(try line(), radix: 16), size > 0 {
                try piece(size, take)
                _ = try line()
            }
        } else {
            try piece(length ?? .max, take)
        }
        return code
    }

    /// Hands on `count` bytes, or what comes before the end of the connection if `count` is the greatest number.
    private func piece(_ count: Int, _ take: (UnsafeBufferPointer<UInt8>) -> Void) throws(BenchError) {
        var missing = count
        while missing > 0 {
            if start == end, try !fill() {
                if count == .max { return }
                throw BenchError("The server closed the connection inside an answer.")
            }
            let size = min(missing, end - start)
            buffer.withUnsafeBufferPointer { take(UnsafeBufferPointer(rebasing: $0[start..<start + size])) }
            start += size
            missing -= size
        }
    }

    private func line() throws(BenchError) -> String {
        var bytes: [UInt8] = []
        while true {
            if start == end, try !fill() { throw BenchError("The server closed the connection without an answer.") }
            let byte = buffer[start]
            start += 1
            if byte == 0x0A { return String(decoding: bytes, as: UTF8.self) }
            if byte != 0x0D { bytes.append(byte) }
        }
    }

    /// Reads more; false at the end of the connection.
    private func fill() throws(BenchError) -> Bool {
        let count = recv(socket.descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw BenchError("Could not read: \(String(cString: strerror(errno))).") }
        (start, end) = (0, count)
        return count > 0
    }
}
