import Dispatch
import Synchronization

/// A thread that says what live answers have to say while their connections sleep; each connection has its own of several.
///
/// The library takes a turn of its own thread for each connection that is resumed, and another to suspend it again: with 1,000 of
/// them that are told the same, most of the time goes to threads that wake and wait for each other. Here it is one `send` each.
final class LiveSender: Sendable {
    private struct State {
        var rung: [(connection: Connection, answer: Int)] = []
        var isStopping = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    /// Until `stop`; on a thread of its own.
    func run() {
        while true {
            wake.wait()
            let (rung, isStopping) = state.withLock { state in
                defer { state.rung = [] }
                return (state.rung, state.isStopping)
            }
            for (connection, answer) in rung { connection.speak(answer) }
            if isStopping { return }
        }
    }

    /// Any thread.
    func add(_ connection: Connection, _ answer: Int) {
        let isFirst = state.withLock { state in
            state.rung.append((connection, answer))
            return state.rung.count == 1
        }
        if isFirst { wake.signal() }
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
    }
}
