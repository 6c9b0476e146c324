import CSQLite

/// Told about each transaction of the writer, on the writer thread.
package protocol TransactionObserver: Sendable {
    func began(_ connection: Connection)
    func closureBegan(_ connection: Connection)
    func closureTakenBack(_ connection: Connection)
    /// The last chance to write something of the batch's own.
    func willCommit(_ connection: Connection) throws(DatabaseError)
    /// Called before anybody is answered.
    func committed()
    func rolledBack()
    /// Nothing was to be done for some seconds: what is kept for speed alone can go.
    func rests()
}

/// Why a closure's work is not in the database.
package enum WriteFailure: Error, Sendable {
    /// The closure threw; what it did was taken back, and the others of its batch stand.
    case refused(any Error)
    /// The database could not store it; nothing of it is there.
    case storage(DatabaseError)
}

/// Why a closure was not taken.
package enum QueueError: Error, Sendable { case full, closed }

/// The one thread that writes. It takes all closures that wait as one transaction, and answers them when that is on disk.
///
/// A closure that throws takes its own work back. Most throw before they write; so a batch begins without savepoints, for which
/// SQLite copies each page that is touched, and is run again with one for each closure where that turns out to be needed.
package final class Writer: Sendable {
    package struct Statistics: Sendable {
        package var commits = 0
        package var closures = 0
        package var lastBatch = 0
        /// Time spent in COMMIT, which is where the disk is waited for.
        package var commitSeconds = 0.0
        package var walPages = 0
    }

    private struct State {
        var queue: [Job] = []
        var isClosing = false
        var isClosed = false
        var statistics = Statistics()
    }

    /// One closure: `run` does its work and keeps the result, `finish` hands it on.
    final class Job: Sendable {
        let run: @Sendable (Connection) throws -> Void
        let finish: @Sendable (WriteFailure?) -> Void
        let kind: Kind
        init(_ kind: Kind, run: @escaping @Sendable (Connection) throws -> Void, finish: @escaping @Sendable (WriteFailure?) -> Void) {
            self.kind = kind
            self.run = run
            self.finish = finish
        }
    }

    package enum Kind: Sendable {
        case ordinary
        /// Takes back some of what it writes, in the ordinary course of things: it has savepoints from the start.
        case undoing
        /// Between two batches, outside any transaction, for what SQLite does only there; everybody's writes wait meanwhile.
        case alone
    }

    /// More would only make the first of a batch wait longer: the disk is waited for once already.
    private static let batchLimit = 512

    private let monitor = Monitor(State())
    private let limit: Int

    /// Takes the connection over; nobody else may use it from now on.
    init(_ connection: sending Connection, observer: any TransactionObserver, readers: Readers, settings: Database.Settings) {
        limit = settings.queueLimit
        let monitor = monitor
        let checkpoints = Checkpoints(bytes: settings.checkpointBytes, of: connection)
        let loop = Loop(connection: connection, observer: observer, readers: readers, monitor: monitor, checkpoints: checkpoints)
        startThread(stackBytes: 4 << 20) { loop.run() }
    }

    /// Queues a closure.
    ///
    /// - Parameters:
    ///   - body: may be run more than once, but what it did before is then taken back.
    ///   - done: called once the batch is on disk, or has failed; on the writer thread, or on the one that answers for it.
    package func submit<Result: Sendable>(
        as kind: Kind = .ordinary, _ body: @escaping @Sendable (Connection) throws -> Result, done: @escaping @Sendable (Swift.Result<Result, WriteFailure>) -> Void
    ) throws(QueueError) {
        let box = Box<Result>()
        let job = Job(
            kind, run: { box.value = try body($0) },
            finish: { failure in
                if let failure { return done(.failure(failure)) }
                guard let value = box.value else { preconditionFailure("a closure that did not fail has a result") }
                done(.success(value))
            })
        let refusal: QueueError? = monitor.change { state in
            if state.isClosing { return .closed }
            if state.queue.count >= limit { return .full }
            state.queue.append(job)
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Queues a closure and waits for it.
    ///
    /// - Throws: `QueueError`, `WriteFailure`.
    package func perform<Result: Sendable>(as kind: Kind = .ordinary, _ body: @escaping @Sendable (Connection) throws -> Result) throws -> Result {
        let answer = Monitor<Swift.Result<Result, WriteFailure>?>(nil)
        try submit(as: kind, body) { result in answer.change { $0 = result } }
        return try answer.when({ $0 != nil }) { result in
            guard let result else { preconditionFailure("waited for") }
            return try result.get()
        }
    }

    package var queueLength: Int { monitor.withLock { $0.queue.count } }
    package var statistics: Statistics { monitor.withLock { $0.statistics } }

    /// Finishes what is queued, refuses more, copies the WAL back and closes the connection.
    func close() {
        monitor.change(wakingAll: true) { $0.isClosing = true }
        monitor.when({ $0.isClosed }) { _ in }
    }

    // Unchecked: written by the writer thread before `finish` reads it, there or on the thread that answers.
    private final class Box<Value>: @unchecked Sendable { var value: Value? }

    // Unchecked: only the writer thread runs it.
    private final class Loop: @unchecked Sendable {
        private var connection: Connection?
        private let observer: any TransactionObserver
        private let readers: Readers
        private let monitor: Monitor<State>
        private let answering = Answering()
        private var checkpoints: Checkpoints
        private var hasWorked = true
        /// Batches that have savepoints from the start, because one had to be run again a short while ago: otherwise a client that
        /// brings this about again and again would have everybody's work done twice.
        private var cautiousBatches = 0

        init(connection: Connection, observer: any TransactionObserver, readers: Readers, monitor: Monitor<State>, checkpoints: Checkpoints) {
            self.checkpoints = checkpoints
            self.readers = readers
            self.connection = connection
            self.observer = observer
            self.monitor = monitor
            connection.mayCommit = false
        }

        func run() {
            while let connection {
                let isBusy = monitor.wait(seconds: 5) { $0.isClosing || !$0.queue.isEmpty }
                guard isBusy else {
                    rest(connection)
                    continue
                }
                let batch = monitor.withLock { state in
                    let isAlone = state.queue.first?.kind == .alone
                    let batch = isAlone ? Array(state.queue.prefix(1)) : Array(state.queue.prefix(Writer.batchLimit).prefix { $0.kind != .alone })
                    state.queue.removeFirst(batch.count)
                    return batch
                }
                if batch.isEmpty { break }
                hasWorked = true
                if batch[0].kind == .alone { runAlone(batch[0], connection) } else { process(batch, connection) }
                if checkpoints.isDue(connection) { readers.withoutIdleSnapshots { checkpoints.copy(connection) } }
            }
            if let connection { checkpoints.closing(connection) }
            connection = nil
            answering.close()
            monitor.change(wakingAll: true) { $0.isClosed = true }
        }

        private func runAlone(_ job: Job, _ connection: Connection) {
            connection.mayCommit = true
            defer { connection.mayCommit = false }
            do {
                defer { readers.committed() }
                try readers.withoutIdleSnapshots { try job.run(connection) }
            } catch {
                if !connection.isAutocommit { try? connection.run("ROLLBACK") }
                return job.finish((error as? DatabaseError).map { .storage($0) } ?? .refused(error))
            }
            job.finish(nil)
        }

        private func process(_ batch: [Job], _ connection: Connection) {
            do throws(DatabaseError) {
                let outcomes = try run(batch, connection)
                answering.answer(Batch(jobs: batch, outcomes: outcomes))
            } catch {
                // A full disk is the same for everybody, and so is another program's lock, which was waited for; anything else may
                // be one closure's fault.
                guard batch.count > 1, error.kind != .storage, error.kind != .busy else {
                    for job in batch { job.finish(.storage(error)) }
                    return
                }
                for job in batch { process([job], connection) }
            }
        }

        /// Runs the jobs as one transaction, a second time if the first way cannot take back what has to be.
        private func run(_ batch: [Job], _ connection: Connection) throws(DatabaseError) -> [WriteFailure?] {
            if cautiousBatches > 0 {
                cautiousBatches -= 1
            } else if !batch.contains(where: { $0.kind == .undoing }) {
                if let outcomes = try transaction(connection, { (outcomes) throws(DatabaseError) in try plain(batch, &outcomes, connection) }) { return outcomes }
                cautiousBatches = Self.caution
            }
            connection.takesSavepoints = true
            defer { connection.takesSavepoints = false }
            return try transaction(connection) { (outcomes) throws(DatabaseError) in
                for job in batch { outcomes.append(try savepoint(job, connection)) }
                return .commit
            } ?? []
        }

        private static let caution = 64
        private enum End { case commit, rollback, again }

        /// - Returns: for each job, why it was refused, or nil; nil instead of all where they have to be run again.
        /// - Throws: where nothing is stored.
        private func transaction(
            _ connection: Connection, _ body: (inout [WriteFailure?]) throws(DatabaseError) -> End
        ) throws(DatabaseError) -> [WriteFailure?]? {
            try connection.run("BEGIN IMMEDIATE")
            do throws(DatabaseError) {
                observer.began(connection)
                var outcomes: [WriteFailure?] = []
                let end = try body(&outcomes)
                guard end == .commit else {
                    try connection.run("ROLLBACK")
                    observer.rolledBack()
                    return end == .again ? nil : outcomes
                }
                try observer.willCommit(connection)
                let start = MonotonicInstant.now
                try commit(connection)
                let spent = MonotonicInstant.now.nanoseconds - start.nanoseconds
                observer.committed()
                monitor.withLock { state in
                    state.statistics.commits += 1
                    state.statistics.closures += outcomes.count
                    state.statistics.lastBatch = outcomes.count
                    state.statistics.commitSeconds += Double(spent) / 1e9
                    state.statistics.walPages = connection.walPages
                }
                return outcomes
            } catch {
                if !connection.isAutocommit { try? connection.run("ROLLBACK") }
                observer.rolledBack()
                throw error
            }
        }

        private func commit(_ connection: Connection) throws(DatabaseError) {
            connection.mayCommit = true
            defer {
                connection.mayCommit = false
                // Also where it says that it has failed: it may have gone through.
                readers.committed()
            }
            try connection.run("COMMIT")
        }

        /// Runs the jobs one after the other as long as those that throw have not written anything.
        private func plain(_ batch: [Job], _ outcomes: inout [WriteFailure?], _ connection: Connection) throws(DatabaseError) -> End {
            connection.hasLeftovers = false
            for job in batch {
                observer.closureBegan(connection)
                let before = connection.totalChanges
                var refusal: (any Error)?
                do {
                    // Left open they would refuse the next closure's values.
                    defer { connection.endStatements() }
                    try job.run(connection)
                } catch { refusal = error }
                try checkStillOpen(connection, after: refusal)
                if connection.hasLeftovers { return .again }
                outcomes.append(refusal.map { .refused($0) })
                guard refusal != nil else { continue }
                if connection.totalChanges != before { return batch.count == 1 ? .rollback : .again }
                observer.closureTakenBack(connection)
            }
            return .commit
        }

        private func savepoint(_ job: Job, _ connection: Connection) throws(DatabaseError) -> WriteFailure? {
            try connection.run("SAVEPOINT closure")
            observer.closureBegan(connection)
            do {
                // Left open they would refuse the next closure's values, and RELEASE.
                defer { connection.endStatements() }
                try job.run(connection)
            } catch {
                return .refused(try takeBack(error, connection))
            }
            do throws(DatabaseError) {
                try connection.run("RELEASE closure")
                return nil
            } catch {
                return .refused(try takeBack(error, connection))
            }
        }

        /// Undoes what the open savepoint's closure did, and returns why.
        private func takeBack(_ error: any Error, _ connection: Connection) throws(DatabaseError) -> any Error {
            try checkStillOpen(connection, after: error)
            try connection.run("ROLLBACK TO closure")
            try connection.run("RELEASE closure")
            observer.closureTakenBack(connection)
            return error
        }

        /// - Throws: where the whole transaction is gone, which a full disk can do in the middle of it.
        private func checkStillOpen(_ connection: Connection, after error: (any Error)?) throws(DatabaseError) {
            guard connection.isAutocommit else { return }
            if let error = error as? DatabaseError, error.kind == .storage { throw error }
            throw DatabaseError(code: SQLITE_FULL, message: "the transaction was rolled back by SQLite", sql: nil)
        }

        /// Nothing to do for some seconds: copies the WAL back and gives the page cache's memory away, until that is done.
        private func rest(_ connection: Connection) {
            readers.endIdleSnapshots()
            guard hasWorked else { return }
            observer.rests()
            hasWorked = !readers.withoutIdleSnapshots { checkpoints.resting(connection) }
            sqlite3_db_release_memory(connection.handle)
            readers.releaseMemory()
            malloc_trim(0)
        }
    }
}
