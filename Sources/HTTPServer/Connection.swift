import CMicroHTTPD
import Glibc
import HTTP
import Synchronization
import Text

/// One client's connection, and the request that it is at: there is never more than one, the next is read when it is answered.
///
/// Everything outside `state` belongs to the library's thread that serves this socket, which calls in this order, for each
/// request: `began` (request line), `handle` (headers), `handle` per piece of body, `handle` (all read), again `handle` each
/// time a promise was kept, and `completed`.
// @unchecked: only `state` and constants are touched by more than one thread.
final class Connection: @unchecked Sendable {
    let descriptor: Int32
    let remote: String
    let handle: OpaquePointer
    let engine: Engine
    /// Always the same, so that pieces stay in order.
    let sender: LiveSender
    let state: Mutex<State>

    /// What the keeper and promises share with the HTTP thread.
    struct State {
        var phase = Phase.fresh
        var since: UInt64
        var waits = 0
        var rest = Rest.none
    }

    /// Where a live answer is; each has a number.
    enum Rest {
        case none
        case awake(answer: Int)
        case rung(answer: Int)
        case asleep(answer: Int)
        /// Asleep, and about to be asked again.
        case called(answer: Int)
    }

    var current = Current()
    private var ids = RequestIDs()

    /// The request in work.
    struct Current {
        var stage = Stage.head
        var started: UInt64 = 0
        var targetStart: UnsafePointer<CChar>?
        var target: Target?
        var request = Request(method: "", path: "")
        var received = 0
        /// What of `engine.bodyMemory` the body holds.
        var held = 0
        /// Bytes after this request must not run as another: an HTTP/1.0-style end, or a chunked body, of which the library
        /// reads line ends and trailers more leniently than a proxy in front may.
        var closes = false
        var status = 0
        var sent = 0
        var stream: Stream?
        /// Whether what is streamed to the client goes in chunks, which HTTP/1.0 does not have.
        var isChunked = false
        var route: String?
        var caller: String?
        var refusal: String?
        var cause: String?
    }

    enum Stage { case head, body, suspended, answered, refused }

    init(_ handle: OpaquePointer, engine: Engine) {
        self.handle = handle
        self.engine = engine
        descriptor = CMicroHTTPD_socket(handle)
        sender = engine.liveSenders[Int(descriptor.magnitude) % engine.liveSenders.count]
        remote = Socket.name(CMicroHTTPD_peer(handle))
        state = Mutex(State(since: now()))
    }

    /// The request line has arrived; `target` is as sent, which is the last time anybody sees it so.
    func began(_ target: UnsafePointer<CChar>) {
        let time = now()
        let bytes = UnsafeRawPointer(target).assumingMemoryBound(to: UInt8.self)
        current = Current(
            started: time, targetStart: target,
            target: Target(UnsafeBufferPointer(start: bytes, count: strlen(target)), limit: engine.settings.uriLimit))
        state.withLock { state in
            switch state.phase {
            case .expired: return
            case .fresh: break  // its deadline runs from the connection, or a client could take both
            default: state.since = time
            }
            state.phase = .head
        }
    }

    /// The library's handler, with the piece of body that is there; none at the beginning and at the end.
    func handle(
        method: UnsafePointer<CChar>, version: UnsafePointer<CChar>, body: UnsafePointer<CChar>?,
        count: UnsafeMutablePointer<Int>
    ) -> MHD_Result {
        let piece = UnsafeRawBufferPointer(start: body, count: count.pointee)
        count.pointee = 0
        switch current.stage {
        case .head: return admit(method: method, version: version)
        case .body: return piece.isEmpty ? run() : take(piece)
        case .suspended: return awake()
        // All of a refused body is here: nothing more to wait for.
        case .refused: return piece.isEmpty ? .NO : .YES
        case .answered: return .YES
        }
    }

    /// The headers are here: refuse, or read on. (An answer queued at this point would close the connection.)
    private func admit(method: UnsafePointer<CChar>, version: UnsafePointer<CChar>) -> MHD_Result {
        guard let start = current.targetStart, let target = current.target else { return .NO }
        let settings = engine.settings
        let head = Head(
            handle, method: method, target: start, targetBytes: target.count, version: version,
            lineLimit: settings.headerLines, byteLimit: settings.headerBytes)
        let name = String(cString: method)
        current.request = Request(
            method: name, path: target.path, query: target.query, headers: head.headers, remote: remote,
            id: ids.choose(head.headers["Request-Id"]))
        let version = String(cString: version)
        current.closes = head.framing.chunked
        current.isChunked = version == "HTTP/1.1"
        let fault =
            (target.refusal == .targetLength ? target.refusal : nil) ?? head.refusal ?? target.refusal
            ?? head.framing.verdict(
                method: name, version: version, authority: target.authority, bodyLimit: settings.bodyLimit)
            ?? (target.suits(name) ? nil : .targetForm)
        current.stage = .body
        if let fault {
            return refuse(fault, draining: head.framing.announcesBody && !head.framing.expectsContinue)
        }
        guard head.framing.announcesBody else { return .YES }
        // No more at once than a client can have sent in good faith: the length is only a promise.
        current.request.body.reserveCapacity(Int(min(head.framing.contentLength ?? 0, 64 << 10)))
        return enter(.body(received: 0), at: now()) ? .YES : .NO
    }

    private func take(_ piece: UnsafeRawBufferPointer) -> MHD_Result {
        current.received += piece.count
        guard current.received <= engine.settings.bodyLimit else { return refuse(.bodySize, draining: true) }
        guard hold(current.received) else { return refuse(.busy, draining: true) }
        current.request.body.append(contentsOf: piece)
        return enter(.body(received: current.received)) ? .YES : .NO
    }

    /// Whether there is memory for a body of so many bytes: nobody has shown a token yet. Small ones always fit, so that a few
    /// senders of large ones do not keep the others out.
    private func hold(_ bytes: Int) -> Bool {
        let more = max(0, bytes - engine.settings.smallBody) - current.held
        guard more > 0 else { return true }
        current.held += more
        return engine.bodyMemory.add(more, ordering: .relaxed).newValue <= engine.settings.bodyMemory
    }

    private func release() {
        engine.bodyMemory.subtract(current.held, ordering: .relaxed)
        current.held = 0
        current.request.body = []
    }

    /// Answers past the library and ends our side. `draining`: more of the body is under way, and closing with bytes unread
    /// would make the kernel reset the connection, which takes the answer away from the client.
    private func refuse(_ refusal: Refusal, draining: Bool) -> MHD_Result {
        guard enter(.lingering, at: now()) else { return .NO }
        let request = current.request
        let bytes = RawAnswer.bytes(
            refusal, language: Language(accepting: request.headers["Accept-Language"]),
            instance: request.path.utf8.count <= 1024 ? request.path : "", id: request.id, head: request.method == "HEAD")
        Socket.send(bytes, to: descriptor)
        (current.stage, current.status, current.sent, current.refusal) = (.refused, refusal.status, bytes.count, refusal.code)
        // The client may take its time to go.
        release()
        guard draining else { return .NO }
        Socket.finish(descriptor)
        return .YES
    }

    private func run() -> MHD_Result {
        guard enter(.running) else { return .NO }
        return settle(engine.application.answer(current.request))
    }

    /// The connection was resumed.
    private func awake() -> MHD_Result {
        let answer: (@Sendable () -> Answer)? = state.withLock { state in
            guard case .kept(let answer) = state.phase else { return nil }
            state.phase = .running
            return answer
        }
        guard let answer else { return .YES }
        return settle(answer())
    }

    private func settle(_ answer: Answer) -> MHD_Result {
        switch answer {
        case .now(let response): return queue(response)
        case .later(let work):
            guard let promise = suspend() else { return queue(stopped()) }
            work(promise)
            return .YES
        }
    }

    /// Suspends the connection before anybody can keep the promise; nil when the server is about to end.
    private func suspend() -> Promise? {
        current.stage = .suspended
        let wait: Int? = state.withLock { state in
            // `giveUp` looks at every connection after it set this, so either it sees the wait or the wait sees it.
            if engine.ending.load(ordering: .sequentiallyConsistent) { return nil }
            state.waits += 1
            state.phase = .waiting(wait: state.waits)
            engine.suspended.add(1, ordering: .relaxed)
            MHD_suspend_connection(handle)
            return state.waits
        }
        return wait.map { wait in Promise { [self] in resume(wait, with: $0) } }
    }

    /// Any thread. Only the first to keep promise number `wait` has an effect, so `handle` is alive: a suspended connection is
    /// never freed, and nobody else resumes it.
    func resume(_ wait: Int, with answer: @escaping @Sendable () -> Answer) {
        state.withLock { state in
            guard case .waiting(wait) = state.phase else { return }
            state.phase = .kept(answer)
            engine.suspended.subtract(1, ordering: .relaxed)
            // Under the lock: the daemon must not be stopped between these two.
            MHD_resume_connection(handle)
        }
    }

    private func queue(_ response: Response) -> MHD_Result {
        current.stage = .answered
        let closes = current.closes || response.closes || engine.stopping.load(ordering: .relaxed)
        (current.status, current.route, current.caller, current.cause) = (response.status, response.route, response.caller, response.cause)
        if case .bytes(let bytes) = response.body, current.request.method != "HEAD" { current.sent = bytes.count }
        guard let outgoing = Outgoing(response, id: current.request.id, closes: closes, for: self) else { return .NO }
        current.stream = outgoing.stream
        guard enter(.answering(acknowledged: 0), at: now()) else { return .NO }
        return MHD_queue_response(handle, UInt32(response.status), outgoing.handle)
    }

    private func stopped() -> Response {
        Refusal.stopping.problem.response(
            language: Language(accepting: current.request.headers["Accept-Language"]), instance: current.request.path)
    }

    /// The request has ended: answered, refused, or cut off.
    func completed() {
        let time = now()
        release()
        let expired: Int? = state.withLock { state in
            state.rest = .none
            if case .expired(let status) = state.phase { return status }
            state.phase = .idle
            state.since = time
            return nil
        }
        var exchange = Exchange(
            id: current.request.id, method: current.request.method, route: current.route, status: current.status,
            seconds: seconds(from: current.started, to: time), requestBytes: current.received,
            responseBytes: current.stream?.bytesRead ?? current.sent, remote: remote, caller: current.caller,
            refusal: current.refusal, cause: current.cause)
        if exchange.status == 0, let expired, expired != 0 {
            (exchange.status, exchange.refusal) = (expired, Refusal.timeout.code)
        } else if exchange.status == 0, case let status = Int(CMicroHTTPD_status(handle)), status != 0 {
            (exchange.status, exchange.refusal) = (status, "framing.library")
        }
        current = Current()
        engine.application.completed(exchange)
    }

    /// Changes the phase unless the keeper gave up meanwhile.
    private func enter(_ phase: Phase, at time: UInt64? = nil) -> Bool {
        state.withLock { state in
            if case .expired = state.phase { return false }
            state.phase = phase
            if let time { state.since = time }
            return true
        }
    }
}
