import CSQLite

/// The read-only connections, for one thread at a time each.
///
/// A read leaves its snapshot open, and the next one on the same connection goes on in it: to begin and end one costs more than to look up a
/// record. It ends with the next commit, before the WAL is copied back, and after some seconds of rest.
final class Readers: Sendable {
    private struct State {
        /// The one used last comes last.
        var idle: [Reader] = []
        /// What a snapshot must not be older than.
        var commits = 0
        var mayKeepSnapshots = true

        func endIdleSnapshots() {
            for reader in idle { reader.endSnapshot() }
        }
    }

    private let monitor: Monitor<State>
    private let count: Int
    private let stepBudget: Int

    /// - Parameter stepBudget: of SQLite's virtual machine, for each read.
    init(_ connections: sending [Connection], stepBudget: Int) {
        count = connections.count
        self.stepBudget = stepBudget
        monitor = Monitor(State(idle: connections.map { Reader($0) }))
    }

    /// Runs `body` in one snapshot, which holds every commit that anybody has been told of. Waits where all connections are in use.
    func read<Result, Failure: Error>(_ body: (Connection) throws(Failure) -> Result) throws(Failure) -> Result {
        let (reader, commits) = monitor.when({ !$0.idle.isEmpty }) { ($0.idle.removeLast(), $0.commits) }
        defer {
            monitor.change { state in
                if state.commits != commits || !state.mayKeepSnapshots { reader.endSnapshot() }
                state.idle.append(reader)
            }
        }
        return try reader.read(after: commits, budget: stepBudget, body)
    }

    /// Called by the writer after each commit, before anybody hears of it.
    func committed() {
        monitor.withLock { state in
            state.commits += 1
            state.endIdleSnapshots()
        }
    }

    /// Called by the writer when it has rested: other programs may want to copy the WAL.
    func endIdleSnapshots() { monitor.withLock { $0.endIdleSnapshots() } }

    /// Called by the writer: runs `body` while no idle connection keeps a snapshot, which would keep the WAL from being copied back.
    func withoutIdleSnapshots<Result>(_ body: () throws -> Result) rethrows -> Result {
        monitor.withLock { state in
            state.mayKeepSnapshots = false
            state.endIdleSnapshots()
        }
        defer { monitor.withLock { $0.mayKeepSnapshots = true } }
        return try body()
    }

    /// Gives the memory of the page caches back; connections in use keep theirs until the next time.
    func releaseMemory() {
        monitor.withLock { state in
            for reader in state.idle { sqlite3_db_release_memory(reader.connection.handle) }
        }
    }

    /// Waits for reads that run and closes the connections. A read that begins later waits for ever.
    func close() {
        monitor.when({ $0.idle.count >= count }) { $0.idle.removeAll() }
    }
}

/// A read-only connection and the steps that its present read may still take.
// Unchecked: it leaves the pool for one thread at a time.
private final class Reader: @unchecked Sendable {
    let connection: Connection
    /// The commits that its snapshot holds, and maybe more; nil where none is open.
    private var snapshot: Int?
    private var rounds = Int.max
    private static let stepsARound: Int32 = 10_000

    init(_ connection: Connection) {
        self.connection = connection
        sqlite3_progress_handler(
            connection.handle, Self.stepsARound,
            { context in
                guard let context else { return 0 }
                let reader = Unmanaged<Reader>.fromOpaque(context).takeUnretainedValue()
                reader.rounds -= 1
                return reader.rounds < 0 ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func read<Result, Failure: Error>(after commits: Int, budget: Int, _ body: (Connection) throws(Failure) -> Result) throws(Failure) -> Result {
        rounds = budget / Int(Self.stepsARound)
        if snapshot != commits || connection.isAutocommit {
            endSnapshot()
            // Deferred: the snapshot is taken by the first statement. A failure to begin shows there.
            try? connection.run("BEGIN")
            snapshot = commits
        }
        defer {
            rounds = .max
            // A body that threw halfway through its rows.
            connection.endStatements()
        }
        do throws(Failure) { return try body(connection) } catch {
            endSnapshot()
            throw error
        }
    }

    func endSnapshot() {
        snapshot = nil
        if !connection.isAutocommit { try? connection.run("COMMIT") }
    }
}
