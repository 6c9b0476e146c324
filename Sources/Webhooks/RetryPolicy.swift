import SQLite

/// What an answer means, and when a failed attempt is made again.
package enum RetryPolicy {
    package enum Verdict: Sendable, Equatable {
        case delivered
        case failed
        /// The receiver has too much to do (429, 502, 504).
        case slowDown
        /// The receiver wants nothing any more (410).
        case gone
    }

    /// - Parameters:
    ///   - status: nil where no answer came.
    ///   - isWhole: whether the answer came to its end, within bounds.
    package static func verdict(status: Int?, isWhole: Bool) -> Verdict {
        switch status {
        case .some(200..<300) where isWhole: .delivered
        case 410: .gone
        case 429, 502, 504: .slowDown
        default: .failed
        }
    }

    /// Seconds before each attempt, counted from the one before it.
    package static let delays: [Double] = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]

    /// Seconds until the next attempt; nil when there is none.
    ///
    /// - Parameters:
    ///   - attempts: those made so far, all of which failed.
    ///   - retryAfter: seconds that the receiver asks for, obeyed up to a day.
    ///   - chance: 0 to 1, so that many webhooks that failed together do not come back together.
    package static func delay(after attempts: Int, retryAfter: Int?, chance: Double) -> Double? {
        guard attempts < delays.count else { return nil }
        let jittered = delays[max(0, attempts)] * (0.8 + 0.4 * min(1, max(0, chance)))
        return max(jittered, Double(min(max(0, retryAfter ?? 0), 86_400)))
    }
}

/// How many requests one webhook may have under way, and when it is left alone: more while it answers well, fewer when it fails.
package struct Pace: Sendable, Equatable {
    /// A receiver at the other end of the continent answers some hundred messages a second with so many.
    static let most = 32
    private static let first = 4
    /// So many failures in a row are no accident.
    private static let patience = 4
    private static let longestSeconds: Int64 = 300

    private(set) var window = first
    private(set) var failures = 0
    private(set) var blockedUntil: MonotonicInstant?

    package init() {}

    package mutating func succeeded() {
        failures = 0
        blockedUntil = nil
        window = min(Self.most, window + 1)
    }

    package mutating func failed(_ verdict: RetryPolicy.Verdict, retryAfter: Int?, at now: MonotonicInstant) {
        failures += 1
        window = max(1, window / 2)
        guard verdict == .slowDown || failures >= Self.patience else { return }
        let seconds = retryAfter.map { Int64(min(max(1, $0), 86_400)) } ?? min(Self.longestSeconds, 1 << Int64(min(failures, 10)))
        blockedUntil = max(blockedUntil ?? now, now.advanced(by: .seconds(seconds)))
    }

    /// Somebody asks for an attempt by hand.
    package mutating func unblock() { blockedUntil = nil }

    /// How many more may begin now; only one where it failed to the end of its patience, to see whether it is back.
    package func free(flying: Int, at now: MonotonicInstant) -> Int {
        if let blockedUntil, blockedUntil > now { return 0 }
        return max(0, (failures >= Self.patience ? 1 : window) - flying)
    }
}
