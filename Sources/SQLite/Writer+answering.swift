extension Writer {
    /// What was done, and what became of each part of it.
    struct Batch: Sendable {
        let jobs: [Job]
        let outcomes: [WriteFailure?]

        func finish() {
            for (job, outcome) in zip(jobs, outcomes) { job.finish(outcome) }
        }
    }

    /// Answers a crowd beside the writer, which has the next batch to do meanwhile; a tenth of its work otherwise.
    final class Answering: Sendable {
        private struct State {
            var batches: [Batch] = []
            var isClosing = false
            var isClosed = false
        }

        /// Below this, to wake the thread costs as much.
        private static let crowd = 8

        private let monitor = Monitor(State())

        init() {
            let monitor = monitor
            startThread {
                while let batches = Self.next(monitor) { for batch in batches { batch.finish() } }
                monitor.change(wakingAll: true) { $0.isClosed = true }
            }
        }

        private static func next(_ monitor: Monitor<State>) -> [Batch]? {
            monitor.when({ $0.isClosing || !$0.batches.isEmpty }) { state in
                defer { state.batches = [] }
                return state.batches.isEmpty ? nil : state.batches
            }
        }

        func answer(_ batch: Batch) {
            if batch.jobs.count < Self.crowd { batch.finish() } else { monitor.change { $0.batches.append(batch) } }
        }

        /// Answers what is left.
        func close() {
            monitor.change(wakingAll: true) { $0.isClosing = true }
            monitor.when({ $0.isClosed }) { _ in }
        }
    }
}
