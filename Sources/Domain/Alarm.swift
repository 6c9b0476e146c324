import Glibc
import SQLite
import Synchronization

/// One thread that runs closures at their time: the ends of waits, and what is due.
package final class Alarm: Sendable {
    package typealias Ticket = UInt64

    private struct State {
        var nextTicket: Ticket = 1
        /// By deadline, the next one first; cancelled ones stay until their turn or a clean-up.
        var order: [(deadline: MonotonicInstant, ticket: Ticket)] = []
        var actions: [Ticket: @Sendable () -> Void] = [:]
        var isStopping = false
        var hasStopped = false
    }

    private let state = Monitor(State())

    package init() {
        let state = state
        startThread { Alarm.run(state) }
    }

    /// Runs `action` on the alarm's thread at the deadline; it must be short.
    package func set(_ deadline: MonotonicInstant, _ action: @escaping @Sendable () -> Void) -> Ticket {
        let (ticket, isNext) = state.withLock { state in
            let ticket = state.nextTicket
            state.nextTicket += 1
            state.actions[ticket] = action
            // From the end that lasts longest, where most new ones belong.
            let place = state.order.lastIndex { $0.deadline <= deadline }.map { $0 + 1 } ?? 0
            state.order.insert((deadline, ticket), at: place)
            return (ticket, place == 0)
        }
        // For another one the thread need not get up: it looks at the next deadline each time.
        if isNext { state.change { _ in } }
        return ticket
    }

    package func cancel(_ ticket: Ticket) { cancel([ticket]) }

    package func cancel(_ tickets: [Ticket]) {
        state.withLock { state in
            for ticket in tickets { state.actions[ticket] = nil }
            if state.order.count > 2 * state.actions.count + 1024 { state.order.removeAll { state.actions[$0.ticket] == nil } }
        }
    }

    /// The deadlines that are set, the next one first.
    package var deadlines: [MonotonicInstant] {
        state.withLock { state in state.order.filter { state.actions[$0.ticket] != nil }.map { $0.deadline } }
    }

    /// Drops what is not yet due, and waits for the thread.
    package func stop() {
        state.change(wakingAll: true) { $0.isStopping = true }
        state.when({ $0.hasStopped }) { _ in }
    }

    private static func run(_ monitor: Monitor<State>) {
        while true {
            let next = monitor.when({ $0.isStopping || !$0.order.isEmpty }) { $0.isStopping ? nil : $0.order.first?.deadline }
            guard let next else { break }
            let isEarlier = monitor.wait(until: next) { $0.isStopping || $0.order.first.map { $0.deadline < next } ?? false }
            if isEarlier { continue }
            let now = MonotonicInstant.now
            let actions = monitor.withLock { state in
                let due = state.order.prefix { $0.deadline <= now }
                state.order.removeFirst(due.count)
                return due.compactMap { state.actions.removeValue(forKey: $0.ticket) }
            }
            for action in actions { action() }
        }
        monitor.change(wakingAll: true) { state in
            state.actions.removeAll()
            state.hasStopped = true
        }
    }
}
