import Dispatch
import SQLite
import TestSupport

/// The writer's thread, kept busy until `release`, so that what is queued meanwhile becomes one batch.
struct BusyWriter {
    private let gate = DispatchSemaphore(value: 0)

    /// - Parameter done: runs on the writer's thread after `release`, before what was queued meanwhile.
    init(_ test: TestDatabase, done: @escaping @Sendable () -> Void = {}) throws {
        let (gate, entered) = (gate, DispatchSemaphore(value: 0))
        try test.database.writer.submit({ _ in
            entered.signal()
            gate.wait()
        }) { _ in done() }
        entered.wait()
    }

    func release() { gate.signal() }
}

/// The answers of closures, in the order in which they came.
final class Answers: Sendable {
    private let monitor = Monitor<[String]>([])

    func keep(_ name: String) -> @Sendable (Result<Void, WriteFailure>) -> Void {
        { [monitor] result in
            let answer =
                switch result {
                case .success: "\(name) done"
                case .failure(.refused(let error)): "\(name) refused \(((error as? DatabaseError)?.kind).map { "\($0)" } ?? "\(type(of: error))")"
                case .failure(.storage(let error)): "\(name) storage \(error.kind)"
                }
            monitor.change { $0.append(answer) }
        }
    }

    func first(_ count: Int) -> [String] { monitor.when({ $0.count >= count }) { $0 } }
}
