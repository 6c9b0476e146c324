import Domain
import Glibc
import HTTP
import JSON
import SQLite

/// One JSON line a request, gathered and written by a thread of its own, so that no request waits for a terminal or a pipe.
package final class AccessLog: Sendable {
    package enum Level: String, Sendable, CaseIterable {
        case all, errors, off
    }

    private struct State {
        var lines: [UInt8] = []
        var dropped = 0
        var isClosing = false
        var isClosed = false
    }

    /// What waits to be written at most; beyond it lines are dropped and counted, since requests matter more.
    private static let capacity = 4 << 20

    /// How long lines are gathered: to wake the thread and write for each one costs more than most answers do.
    private static let gathering = Duration.milliseconds(10)

    private let monitor = Monitor(State())
    private let level: Level

    /// - Parameter descriptor: where lines go, standard error by default.
    package init(level: Level, descriptor: Int32 = STDERR_FILENO) {
        self.level = level
        let monitor = monitor
        startThread { AccessLog.run(monitor, descriptor) }
    }

    func write(_ exchange: Exchange) {
        guard level == .all || (level == .errors && (exchange.status >= 500 || exchange.status == 0)) else { return }
        var json = JSONWriter(reserving: 256)
        json.beginObject()
        json.member("time", Timestamp.now().text)
        json.member("request_id", exchange.id)
        json.member("method", exchange.method)
        json.member("route", exchange.route)
        json.member("status", exchange.status)
        json.member("microseconds", Int(exchange.seconds * 1_000_000))
        json.member("bytes_in", exchange.requestBytes)
        json.member("bytes_out", exchange.responseBytes)
        json.member("remote", exchange.remote)
        json.member("token_id", exchange.caller)
        if let refusal = exchange.refusal { json.member("refusal", refusal) }
        if let cause = exchange.cause { json.member("cause", cause) }
        json.endObject()
        append(json.bytes)
    }

    /// Something about the server itself, in the same stream.
    package func note(_ message: String, _ details: [(String, String)] = []) {
        var json = JSONWriter()
        json.beginObject()
        json.member("time", Timestamp.now().text)
        json.member("message", message)
        for (name, value) in details { json.member(name, value) }
        json.endObject()
        append(json.bytes)
    }

    private func append(_ line: [UInt8]) {
        let wasEmpty = monitor.withLock { state in
            guard state.lines.count + line.count < Self.capacity else {
                state.dropped += 1
                return false
            }
            let wasEmpty = state.lines.isEmpty
            state.lines += line
            state.lines.append(0x0A)
            return wasEmpty
        }
        if wasEmpty { monitor.change { _ in } }
    }

    /// Writes what is left.
    package func close() {
        monitor.change(wakingAll: true) { $0.isClosing = true }
        monitor.when({ $0.isClosed }) { _ in }
    }

    private static func run(_ monitor: Monitor<State>, _ descriptor: Int32) {
        while true {
            monitor.when({ $0.isClosing || !$0.lines.isEmpty }) { _ in }
            _ = monitor.wait(until: .now.advanced(by: gathering)) { $0.isClosing }
            let (lines, isClosing) = monitor.withLock { state in
                defer { state.lines.removeAll(keepingCapacity: state.lines.count < 65_536) }
                return (state.lines, state.isClosing)
            }
            var rest = lines[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 || errno == EINTR else { break }
                rest = rest.dropFirst(max(0, count))
            }
            if isClosing { break }
        }
        monitor.change(wakingAll: true) { $0.isClosed = true }
    }
}
