import SQLite
import Synchronization

/// Clients that wait for news, by audience: a commit wakes those who may see what it changed, and nobody else.
package final class Waiters: Sendable {
    private struct Waiter {
        let audiences: [Audience]
        let token: Identifier<Token>?
        /// Nil for who stays until it is cancelled.
        let alarm: Alarm.Ticket?
        let wake: @Sendable () -> Void
    }

    private struct State {
        var next: UInt64 = 1
        var waiters: [UInt64: Waiter] = [:]
        var byAudience: [Audience: Set<UInt64>] = [:]
        var isClosed = false

        mutating func add(_ waiter: Waiter) -> UInt64 {
            let id = next
            next += 1
            waiters[id] = waiter
            for audience in waiter.audiences { byAudience[audience, default: []].insert(id) }
            return id
        }

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
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Calls `wake` once, from some thread: at news for one of the audiences, at the deadline, or at the end of the token.
    ///
    /// The caller looks for news again after this returns, because they may have come just before.
    package func add(_ audiences: [Audience], token: Identifier<Token>?, until deadline: MonotonicInstant, wake: @escaping @Sendable () -> Void) -> UInt64? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            let id = state.next
            let ticket = alarm.set(deadline) { [self] in self.wake(id) }
            return state.add(Waiter(audiences: audiences, token: token, alarm: ticket, wake: wake))
        }
    }

    /// The same each time, until it is cancelled; `wake` is called once more at the end of all waiting.
    package func watch(_ audiences: [Audience], token: Identifier<Token>?, wake: @escaping @Sendable () -> Void) -> UInt64? {
        state.withLock { state in
            state.isClosed ? nil : state.add(Waiter(audiences: audiences, token: token, alarm: nil, wake: wake))
        }
    }

    /// Wakes one waiter now; nothing happens if it was woken before.
    package func wake(_ id: UInt64) {
        wake { _ in [id] }
    }

    /// Forgets one waiter; nothing happens if it was woken before.
    package func cancel(_ id: UInt64) {
        if let ticket = state.withLock({ $0.take(id) })?.alarm { alarm.cancel(ticket) }
    }

    /// Wakes those who see one of the audiences.
    func announce(_ audiences: Set<Audience>) {
        wake { state in Set(audiences.flatMap { state.byAudience[$0] ?? [] }) }
    }

    /// Wakes those who wait with this token, whose rights have changed.
    func announce(_ token: Identifier<Token>) {
        wake { state in state.waiters.filter { $0.value.token == token }.map(\.key) }
    }

    /// Wakes everybody, and lets nobody wait any more.
    package func close() {
        wake { state in
            state.isClosed = true
            return Array(state.waiters.keys)
        }
    }

    /// Takes all at once, because those who are woken come back at once to wait again.
    private func wake(_ choose: (inout State) -> some Sequence<UInt64>) {
        let woken = state.withLock { state in
            choose(&state).compactMap { id in
                guard let waiter = state.waiters[id], waiter.alarm == nil else { return state.take(id) }
                return waiter
            }
        }
        alarm.cancel(woken.compactMap(\.alarm))
        for waiter in woken { waiter.wake() }
    }
}
