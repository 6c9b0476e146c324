import Crypto
import Synchronization

/// Makes UUIDv7 ids (RFC 9562 section 5.7): time-ordered, so that each insert lands at the end of its index.
package final class IdentifierSource: Sendable {
    private struct State {
        var millisecond: Int64 = 0
        var counter: UInt64 = 0
        /// Random words, of which many are asked for at a time.
        var words: [UInt64] = []

        mutating func word() -> UInt64 {
            if words.isEmpty { words = Crypto.randomBytes(512).withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) } }
            return words.removeLast()
        }
    }
    private let state = Mutex(State())

    package init() {}

    /// Ids of one source rise strictly, also when the clock stands still or steps back.
    package func next<Of>(at now: Timestamp) -> Identifier<Of> {
        let (millisecond, counter, random) = state.withLock { state in
            let random = state.word()
            if now.milliseconds > state.millisecond {
                state.millisecond = now.milliseconds
                // Half of the 12 bits stay free, so that a millisecond has room for 2,048 ids and more before it is borrowed.
                state.counter = state.word() & 0x7FF
            } else {
                state.counter += 1
                if state.counter > 0xFFF {
                    state.millisecond += 1
                    state.counter = 0
                }
            }
            return (state.millisecond, state.counter, random)
        }
        let time = UInt64(truncatingIfNeeded: millisecond) & 0xFFFF_FFFF_FFFF
        return Identifier(
            high: time << 16 | 0x7000 | counter,
            low: random & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }
}
