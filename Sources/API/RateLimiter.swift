import SQLite
import Synchronization

/// Counts by address within a window of time; addresses that are quiet are forgotten.
final class RateLimiter: Sendable {
    private struct Window {
        let start: MonotonicInstant
        var count: Int
    }

    private let windows = Mutex<[String: Window]>([:])
    private let limit: Int
    private let windowSeconds: Int
    /// So that a flood of addresses does not fill the memory.
    private static let capacity = 10_000

    init(limit: Int, windowSeconds: Int) {
        self.limit = limit
        self.windowSeconds = windowSeconds
    }

    /// How many seconds the address has to wait; nil when it may go on.
    func blocked(_ address: String) -> Int? {
        let now = MonotonicInstant.now
        return windows.withLock { windows in
            guard let window = windows[address] else { return nil }
            let left = window.start.advanced(by: .seconds(windowSeconds)).nanoseconds - now.nanoseconds
            guard left > 0 else {
                windows[address] = nil
                return nil
            }
            return window.count >= limit ? Int(left / 1_000_000_000) + 1 : nil
        }
    }

    func count(_ address: String) {
        let now = MonotonicInstant.now
        windows.withLock { windows in
            if let window = windows[address], window.start.advanced(by: .seconds(windowSeconds)) > now {
                windows[address] = Window(start: window.start, count: window.count + 1)
                return
            }
            if windows.count >= Self.capacity { windows = windows.filter { $0.value.start.advanced(by: .seconds(windowSeconds)) > now } }
            if windows.count >= Self.capacity { windows.removeAll() }
            windows[address] = Window(start: now, count: 1)
        }
    }
}
