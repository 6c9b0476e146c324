import Synchronization

/// Counts down from `start`, excluded, to 0; then nil.
final class Counter: Sendable {
    private let left: Atomic<Int>
    init(_ start: Int) { left = Atomic(start) }
    func next() -> Int? {
        let number = left.subtract(1, ordering: .relaxed).newValue
        return number >= 0 ? number : nil
    }
}
