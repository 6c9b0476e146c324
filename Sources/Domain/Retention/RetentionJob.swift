import SQLite

/// Runs the retention rules once a night, on a thread of its own: a long look keeps nobody waiting.
final class RetentionJob: Sendable {
    private struct State {
        /// The day of the last run.
        var night: Day?
        var isRunning = false
        var isStopping = false
    }

    private let state = Monitor(State())

    /// Begins if this is the first look after three in the morning in Paris, or after a start.
    ///
    /// - Parameters:
    ///   - run: asks now and then whether it may go on; nil where it could not be done, and the next look tries again.
    ///   - done: told what a run did, when another could begin.
    func begin(
        at now: Timestamp, _ run: @escaping @Sendable (_ goesOn: @escaping @Sendable () -> Bool) -> Retention.Report?,
        done: @escaping @Sendable (Retention.Report) -> Void
    ) {
        let (day, minutes) = Zone.paris.local(now)
        let night = minutes < 180 ? Day(daysSince1970: day.daysSince1970 - 1) : day
        let begins = state.change { state in
            if state.isRunning || state.isStopping || state.night == night { return false }
            (state.night, state.isRunning) = (night, true)
            return true
        }
        guard begins else { return }
        startThread { [state] in
            let report = run { state.withLock { !$0.isStopping } }
            state.change(wakingAll: true) { state in
                state.isRunning = false
                if report == nil { state.night = nil }
            }
            if let report { done(report) }
        }
    }

    /// Begins no more, and waits for what runs to come to a stop.
    func stop() {
        state.change { $0.isStopping = true }
        state.when({ !$0.isRunning }) { _ in }
    }
}
