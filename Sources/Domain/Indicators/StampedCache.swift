import Synchronization

/// Values that hold for as long as their stamp does. Bounded: where it is full, everything is forgotten.
package final class StampedCache<Key: Hashable & Sendable, Stamp: Equatable & Sendable, Value: Sendable>: Sendable {
    private let values = Mutex<[Key: (stamp: Stamp, value: Value)]>([:])
    private let limit: Int

    package init(limit: Int) { self.limit = limit }

    package func value(for key: Key, at stamp: Stamp) -> Value? {
        values.withLock { values in values[key].flatMap { $0.stamp == stamp ? $0.value : nil } }
    }

    package func keep(_ value: Value, for key: Key, at stamp: Stamp) {
        values.withLock { values in
            if values.count >= limit { values.removeAll() }
            values[key] = (stamp, value)
        }
    }
}
