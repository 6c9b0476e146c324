import Synchronization

/// What a callback was called with, in order.
final class Calls: Sendable {
    private let state = Mutex<[String]>([])
    func add(_ call: String) { state.withLock { $0.append(call) } }
    var all: [String] { state.withLock { $0 } }
}
