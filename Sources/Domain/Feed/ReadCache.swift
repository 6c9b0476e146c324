import Synchronization

/// What was read from the feed since it last changed, for whoever asks the same before it changes again: a commit wakes all
/// devices that wait, and those with the same layers get the same page.
///
/// The key holds everything else that the value depends on, above all the reader's layers.
package final class ReadCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct State {
        var head: Int64 = 0
        var floor: Int64 = 0
        var bytes = 0
        var values: [Key: Value] = [:]
    }

    private let state = Mutex(State())
    private let capacity: Int
    /// What a key and its place in the table take beside the value, roughly.
    private static var overhead: Int { 256 }

    /// - Parameter capacity: bytes; where they are used up, everything is forgotten.
    init(capacity: Int) { self.capacity = capacity }

    package func value(for key: Key, at heads: Heads.Snapshot) -> Value? {
        state.withLock { $0.head == heads.head && $0.floor == heads.floor ? $0.values[key] : nil }
    }

    /// - Parameter heads: taken before the value was read, so that the value is at least as new, and is forgotten with the next
    ///   commit.
    package func keep(_ value: Value, bytes: Int, for key: Key, at heads: Heads.Snapshot) {
        let bytes = bytes + Self.overhead
        guard bytes <= capacity / 8 else { return }
        state.withLock { state in
            guard heads.head >= state.head, heads.floor >= state.floor else { return }
            if heads.head > state.head || heads.floor > state.floor || state.bytes + bytes > capacity {
                state = State(head: heads.head, floor: heads.floor)
            }
            if state.values.updateValue(value, forKey: key) == nil { state.bytes += bytes }
        }
    }
}
