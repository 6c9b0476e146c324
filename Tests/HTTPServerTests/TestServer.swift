import Dispatch
import Glibc
import HTTP
import HTTPServer
import Synchronization

/// A server on a free port, whose application records what reaches it.
final class TestServer: Sendable {
    let application: Recorder
    let server: Server
    var port: UInt16 { server.port }

    /// Deadlines are long unless a test is about them, since a busy machine must not fail the others.
    init(
        _ adjust: (inout ServerSettings) -> Void = { _ in },
        answer: @escaping @Sendable (Request) -> Answer = { .now(.text("\($0.method) \($0.path)?\($0.query) \($0.body.count)")) }
    ) throws {
        var settings = ServerSettings(listener: .tcp(host: "127.0.0.1", port: 0))
        settings.threads = 2
        settings.quietAtStop = 0.01
        // What a test is not about must not end it on a busy machine.
        (settings.headerDeadline, settings.idle, settings.writeStall) = (120, 120, 120)
        adjust(&settings)
        application = Recorder(answer)
        server = try Server(settings, application: application)
    }

    deinit { server.stop(grace: 0) }

    func connect() throws -> RawSocket { try RawSocket(port: port) }

    /// Sends on a new connection and reads the first answer.
    func ask(_ text: String, head: Bool = false) throws -> RawSocket.Answer {
        let client = try connect()
        client.send(text)
        return try client.answer(head: head)
    }
}

final class Recorder: Application {
    private let reply: @Sendable (Request) -> Answer
    private let seen = Mutex<(paths: [String], exchanges: [Exchange])>(([], []))
    private let ended = DispatchSemaphore(value: 0)

    init(_ reply: @escaping @Sendable (Request) -> Answer) { self.reply = reply }

    var paths: [String] { seen.withLock { $0.paths } }

    func answer(_ request: Request) -> Answer {
        seen.withLock { $0.paths.append(request.path) }
        return reply(request)
    }

    func completed(_ exchange: Exchange) {
        seen.withLock { $0.exchanges.append(exchange) }
        ended.signal()
    }

    /// The exchanges so far, as soon as there are `count`.
    func exchanges(_ count: Int) -> [Exchange] {
        while seen.withLock({ $0.exchanges.count }) < count {
            guard ended.wait(timeout: .now() + 20) == .success else { break }
        }
        return seen.withLock { $0.exchanges }
    }
}

/// Promises that a test keeps when it wants.
final class Promises: Sendable {
    private let open = Mutex<[Promise]>([])
    private let arrived = DispatchSemaphore(value: 0)

    func add(_ promise: Promise) {
        open.withLock { $0.append(promise) }
        arrived.signal()
    }

    /// The next one, as soon as a connection waits for it.
    func next() throws -> Promise {
        guard arrived.wait(timeout: .now() + 20) == .success else { throw RawSocket.Failure(what: "nobody waits") }
        return open.withLock { $0.removeFirst() }
    }
}

extension Response {
    static func text(_ text: String, status: Int = 200) -> Response {
        Response(status: status, headers: ["Content-Type": "text/plain"], body: Array(text.utf8))
    }
}

/// A request with the headers that every one needs.
func get(_ path: String, method: String = "GET", _ lines: String...) -> String {
    "\(method) \(path) HTTP/1.1\r\nHost: x\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
}

/// A name in the temporary folder that nobody else uses.
func temporaryPath(_ suffix: String) -> String { "/tmp/vc-\(getpid())-\(UInt64.random(in: 0...UInt64.max))\(suffix)" }
