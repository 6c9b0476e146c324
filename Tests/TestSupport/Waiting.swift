import Foundation
import SQLite

// Tests share two threads, on which an `await` stands behind all other tests for as long as they last. So a test that waits for the server
// blocks its own thread, and what has to go on meanwhile runs on a thread of its own. Each wait has an end.

/// What a test waited for did not happen.
package struct NeverHappened: Error {
    let what: String

    package init(_ what: String) { self.what = what }
}

/// Blocks until something has happened that nothing announces.
///
/// - Throws: `NeverHappened` after a minute.
package func waitUntil(_ what: String, _ condition: () throws -> Bool) throws {
    let limit = MonotonicInstant.now.advanced(by: .seconds(60))
    while try !condition() {
        guard .now < limit else { throw NeverHappened(what) }
        usleep(500)
    }
}

/// Work that goes on, on a thread of its own, while the test does something else.
package final class Background<Outcome: Sendable>: Sendable {
    private let result = Monitor<Result<Outcome, any Error>?>(nil)

    package init(_ work: @escaping @Sendable () throws -> Outcome) {
        startThread { [result] in
            let outcome = Result { try work() }
            result.change { $0 = outcome }
        }
    }

    /// Blocks until it is done.
    ///
    /// - Throws: what it threw; `NeverHappened` after a minute.
    package func value() throws -> Outcome {
        guard result.wait(seconds: 60, until: { $0 != nil }), let outcome = result.withLock({ $0 }) else {
            throw NeverHappened("the end of work in the background")
        }
        return try outcome.get()
    }
}
