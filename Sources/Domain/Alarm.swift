import Glibc
import SQLite
import Synchronization

/// One thread that runs closures at their time: the ends of waits, and what is due.
package final class Alarm: Sendable {
    package typealias Ticket = UInt64

    private struct State {
        var nextTicket: Ticket = 1
        /// By deadline, the last one first, so that the next is cheap to take; cancelled ones stay until their turn or a clean-up.
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
        state.change { state in
            let ticket = state.nextTicket
            state.nextTicket += 1
            state.actions[ticket] = action
            // From the end that lasts longest, where most new ones belong.
            let place = state.order.firstIndex { $0.deadline <= deadline } ?? state.order.count
            state.order.insert((deadline, ticket), at: place)
            return ticket
        }
    }

    package func cancel(_ ticket: Ticket) {
        state.withLock { state in
            guard state.actions.removeValue(forKey: ticket) != nil else { return }
            if state.order.count > 2 * state.actions.count + 1024 { state.order.removeAll { state.actions[$0.ticket] == nil } }
        }
    }

    /// The deadlines that are set, the next one first.
    package var deadlines: [MonotonicInstant] {
        state.withLock { state in state.order.reversed().filter { state.actions[$0.ticket] != nil }.map { $0.deadline } }
    }

    /// Drops what is not yet due, and waits for the thread.
    package func stop() {
        state.change(wakingAll: true) { $0.isStopping = true }
        state.when({ $0.hasStopped }) { _ in }
    }

    private static func run(_ monitor: Monitor<State>) {
        while true {
            let next = monitor.when({ $0.isStopping || !$0.order.isEmpty }) { $0.isStopping ? nil : $0.order.last?.deadline }
            guard let next else { break }
            let isEarlier = monitor.wait(until: next) { $0.isStopping || $0.order.last.map { $0.deadline < next } ?? false }
            if isEarlier { continue }
            let now = MonotonicInstant.now
            let actions = monitor.withLock { state in
                var due: [@Sendable () -> Void] = []
                while let last = state.order.last, last.deadline <= now {
                    state.order.removeLast()
                    if let action = state.actions.removeValue(forKey: last.ticket) { due.append(action) }
                }
                return due
            }
            for action in actions { action() }
        }
        monitor.change(wakingAll: true) { state in
            state.actions.removeAll()
            state.hasStopped = true
        }
    }
}
