import SQLite
import Synchronization

/// Clients that wait for news, by audience: a commit wakes those who may see what it changed, and nobody else.
package final class Waiters: Sendable {
    private struct Waiter {
        let audiences: [Audience]
        let token: Identifier<Token>?
        let alarm: Alarm.Ticket
        let wake: @Sendable () -> Void
    }

    private struct State {
        var next: UInt64 = 1
        var waiters: [UInt64: Waiter] = [:]
        var byAudience: [Audience: Set<UInt64>] = [:]
        var isClosed = false

        mutating func take(_ id: UInt64) -> Waiter? {
            guard let waiter = waiters.removeValue(forKey: id) else { return nil }
            for audience in waiter.audiences {
                byAudience[audience]?.remove(id)
                if byAudience[audience]?.isEmpty == true { byAudience[audience] = nil }
            }
            return waiter
        }
    }

    private let state = Mutex(State())
    private let alarm: Alarm

    package init(alarm: Alarm) { self.alarm = alarm }

    package var count: Int { state.withLock { $0.waiters.count } }

    /// Calls `wake` once, from some thread: at news for one of the audiences, at the deadline, or at the end of the token.
    ///
    /// The caller looks for news again after this returns, because they may have come just before.
    package func add(_ audiences: [Audience], token: Identifier<Token>?, until deadline: MonotonicInstant, wake: @escaping @Sendable () -> Void) -> UInt64? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            let id = state.next
            state.next += 1
            let ticket = alarm.set(deadline) { [self] in self.wake(id) }
            state.waiters[id] = Waiter(audiences: audiences, token: token, alarm: ticket, wake: wake)
            for audience in audiences { state.byAudience[audience, default: []].insert(id) }
            return id
        }
    }

    /// Wakes one waiter now; nothing happens if it was woken before.
    package func wake(_ id: UInt64) {
        guard let waiter = state.withLock({ $0.take(id) }) else { return }
        alarm.cancel(waiter.alarm)
        waiter.wake()
    }

    /// Forgets one waiter; nothing happens if it was woken before.
    package func cancel(_ id: UInt64) {
        guard let waiter = state.withLock({ $0.take(id) }) else { return }
        alarm.cancel(waiter.alarm)
    }

    /// Wakes those who see one of the audiences.
    func announce(_ audiences: Set<Audience>) {
        let woken = state.withLock { state in
            Set(audiences.flatMap { state.byAudience[$0] ?? [] })
        }
        for id in woken { wake(id) }
    }

    /// Wakes those who wait with this token, whose rights have changed.
    func announce(_ token: Identifier<Token>) {
        for id in state.withLock({ state in state.waiters.filter { $0.value.token == token }.map(\.key) }) { wake(id) }
    }

    /// Wakes everybody, and lets nobody wait any more.
    package func close() {
        let ids = state.withLock { state in
            state.isClosed = true
            return Array(state.waiters.keys)
        }
        for id in ids { wake(id) }
    }
}
