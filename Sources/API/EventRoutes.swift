import Domain
import HTTP
import SQLite
import Synchronization

/// `GET /v1/events`: pokes for who wants to hear of news at once. They say that there is something to pull, and nothing more.
struct EventRoutes: Sendable {
    let federation: Federation

    var routes: [Route] { [.read("/v1/events", offers: ["text/event-stream"], events)] }

    private func events(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let stream = EventStream(federation, call.caller, after: call.request.headers["Last-Event-ID"])
        return Response(
            status: 200,
            headers: ["Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"],
            body: .live { stream.next($0) })
    }
}

/// One client's pokes. However much happens while it is slow, one poke is all that it misses.
// Unchecked: one connection's pieces are asked for one after the other.
private final class EventStream: @unchecked Sendable {
    /// What keeps proxies from closing a connection on which nothing is said, and notices clients that have gone.
    private static let quiet = 15
    /// After which the client connects again, so that a server that is to stop, or a balancer, does not keep it for ever.
    private static let life = 600

    private let federation: Federation
    private let caller: Caller
    private let end = MonotonicInstant.now.advanced(by: .seconds(life))
    private var comment = MonotonicInstant.now
    /// The head that the client knows.
    private var known: Int64?
    private var watch: UInt64?
    /// When the alarm rings, which may be before there is something to say.
    private var alarm: (at: MonotonicInstant, ticket: Alarm.Ticket)?

    /// - Parameter last: the id of the last poke that the client has heard, if it says so.
    init(_ federation: Federation, _ caller: Caller, after last: String?) {
        self.federation = federation
        self.caller = caller
        known = last == nil ? head : last.flatMap { Int64($0) }
    }

    deinit {
        if let watch { federation.waiters.cancel(watch) }
        if let alarm { federation.alarm.cancel(alarm.ticket) }
    }

    /// Of the caller's audiences.
    private var head: Int64 {
        let heads = federation.heads.snapshot
        var head: Int64 = 0
        for layer in caller.layers { head = max(head, heads.entries[layer]?.head ?? 0) }
        return head
    }

    private func isOver(at now: MonotonicInstant) -> Bool {
        if let token = caller.token, !federation.tokens.isGood(token, at: federation.now()) { return true }
        return now >= end
    }

    func next(_ bell: Response.Bell) -> Response.Piece {
        let now = MonotonicInstant.now
        // Before the look: what comes in between rings the bell.
        if watch == nil { watch = federation.waiters.watch(caller.layers, token: caller.token, wake: bell.ring) }
        if watch == nil || federation.waiters.isClosed || isOver(at: now) { return .end }
        if let piece = news(at: now) { return piece }
        if alarm.map({ $0.at <= now }) ?? true {
            let instant = min(comment, end)
            alarm = (instant, federation.alarm.set(instant, bell.ring))
        }
        return .notYet
    }

    private func news(at now: MonotonicInstant) -> Response.Piece? {
        let head = head
        guard head != known || now >= comment else { return nil }
        comment = now.advanced(by: .seconds(Self.quiet))
        if head == known { return .bytes(Array(":\n\n".utf8)) }
        known = head
        return .bytes(Array("id: \(head)\nevent: poke\ndata: \(head)\n\n".utf8))
    }
}
