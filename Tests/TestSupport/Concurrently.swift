import Foundation
import Synchronization

/// Runs a body for each element, all at once, each on a thread of its own.
package enum Concurrently {
    /// - Throws: the first error that any of them threw, when all are done.
    package static func forEach<Element: Sendable>(_ elements: [Element], _ body: @escaping @Sendable (Element) throws -> Void) throws {
        let failure = Mutex<(any Error)?>(nil)
        let group = DispatchGroup()
        for element in elements {
            group.enter()
            Thread.detachNewThread {
                do { try body(element) } catch { failure.withLock { $0 = $0 ?? error } }
                group.leave()
            }
        }
        group.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// - Returns: what the body gave for each, in whatever order they came.
    package static func map<Element: Sendable, Outcome: Sendable>(
        _ elements: [Element], _ body: @escaping @Sendable (Element) throws -> Outcome
    ) throws -> [Outcome] {
        let outcomes = Mutex<[Outcome]>([])
        try forEach(elements) { element in
            let outcome = try body(element)
            outcomes.withLock { $0.append(outcome) }
        }
        return outcomes.withLock { $0 }
    }
}
