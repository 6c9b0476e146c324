import Glibc
import SQLite

/// Goes back to a backup, as a new history: no seq is given a second time, tokens stay as they are now, and who was erased
/// stays erased.
package enum Restore {
    package struct Report: Sendable {
        package let epoch: String
        /// What the new history has of the old one: everything up to here.
        package let fork: Int64
        package let first: Int64
        /// The database that was there before.
        package let former: String?
        /// What somebody should know.
        package let notes: [String]
    }

    /// Where there is no high-water mark, nobody knows how many seqs were given out: more than these were not.
    private static let margin: Int64 = 1 << 32
    /// The new database is made ready in a folder of its own, and moved to its place as the last step.
    private static let staging = "restoring"

    /// Puts the backup in the place of the database, which is kept aside. Nobody may have the folder open.
    ///
    /// - Throws: `OpenError` (`.inUse` while a server runs).
    package static func run(_ file: String, into directory: String, at now: Timestamp, progress: (Int, Int) -> Void) throws -> Report {
        let lock = try Federation.lock(directory: directory)
        defer { withExtendedLifetime(lock) {} }
        guard Backup.isThere(file) else { throw Backup.Refusal(description: "\(file) is not there") }
        try Database.recognize(file, isWhole: true)
        var notes: [String] = []
        let mark = try? HighWater.read(in: directory)
        if mark == nil { notes.append("This folder does not know how far its server had come: seqs go on at least \(margin) further on.") }
        let former = Former(directory, &notes)

        let stage = directory + "/" + staging
        clear(stage)
        guard mkdir(stage, 0o700) == 0 else { throw DurableFile.failure(stage) }
        defer { clear(stage) }
        try DatabaseCopy.make(of: file, to: stage + "/viecoop.db", progress: progress) { (_) throws(DatabaseError) in }
        let row = try declare(in: stage, after: mark, and: former)
        try ErasureLedger(directory: stage).add(ErasureLedger(directory: directory).all() + (former?.erased ?? []))
        try settle(stage, former, at: now, &notes)
        let kept = try swap(directory, at: now)
        return Report(epoch: row.name, fork: row.fork, first: row.first, former: kept, notes: notes)
    }

    /// Begins a new history with the database that somebody has put into the folder.
    ///
    /// - Returns: nil where it is what the folder's server wrote last, so that there is nothing to do.
    package static func adopt(_ directory: String) throws -> Report? {
        let lock = try Federation.lock(directory: directory)
        defer { withExtendedLifetime(lock) {} }
        guard Backup.isThere(directory + "/viecoop.db") else {
            throw Backup.Refusal(description: "there is no database in \(directory) to adopt; viecoop restore FILE brings one")
        }
        var isKnown = true
        try Database.inspect(directory + "/viecoop.db", quickCheckBytes: .max) { (connection) throws(OpenError) in
            do throws(OpenError) {
                try HighWater.admit(connection, in: directory)
            } catch {
                guard case .undeclaredRestore = error else { throw error }
                isKnown = false
            }
        }
        guard !isKnown else { return nil }
        var notes: [String] = []
        let mark = try? HighWater.read(in: directory)
        if mark == nil { notes.append("The file highwater is missing: seqs go on at least \(margin) further on.") }
        let row = try declare(in: directory, after: mark, and: nil)
        try settle(directory, nil, at: .now(), &notes)
        return Report(epoch: row.name, fork: row.fork, first: row.first, former: nil, notes: notes)
    }

    // MARK: Steps

    /// What the database in the folder knows that the backup may not.
    private struct Former {
        var head: Int64 = 0
        var epochs: [Epochs.Row] = []
        var tokens: [Token] = []
        var erased: [ErasureLedger.Line] = []

        /// Nil where there is no database, or one that can't be read.
        init?(_ directory: String, _ notes: inout [String]) {
            let path = directory + "/viecoop.db"
            guard Backup.isThere(path) else { return nil }
            do {
                let connection = try Connection(path: path, mode: access(path + "-wal", F_OK) == 0 ? .readOnly : .immutable)
                let stored = try Epochs.stored(in: connection)
                (head, epochs) = (stored.head, stored.epochs)
                tokens = try TokenTable.all(in: connection)
                if !stored.isOlder { erased = try ErasureTable.all(in: connection).map(\.line) }
            } catch {
                notes.append("The former database can't be read: tokens are those of the backup. Revoke again what was revoked since.")
                return nil
            }
        }
    }

    /// Begins a new epoch in the folder's database, in one transaction, and then notes it in the folder.
    private static func declare(in directory: String, after mark: HighWater.Mark?, and former: Former?) throws -> Epochs.Row {
        let path = directory + "/viecoop.db"
        do {
            let connection = try Connection(path: path, mode: .readWrite)
            try connection.script("PRAGMA journal_mode = WAL")
            try connection.script("BEGIN IMMEDIATE")
            let stored = try Epochs.stored(in: connection)
            // By chance further on, so that two folders to which one backup is restored do not give out the same seqs.
            let known = mark.map { max($0.reserved, $0.committed) } ?? max(stored.head, former?.head ?? 0) + margin + Int64.random(in: 0..<margin)
            // One seq is left out: as the head, it is no other history's, not even where nothing was written between two restores.
            let head = max(known, stored.head, former?.head ?? 0) + 1
            let row = Epochs.Row(name: Epochs.newName(), parent: Epochs.newest(of: stored.epochs)?.name, fork: stored.head, first: head + 1)
            var epochs = stored.epochs
            for other in (mark?.epochs ?? []) + (former?.epochs ?? []) + [row] where !epochs.contains(where: { $0.name == other.name }) {
                try Epochs.insert(other, in: connection)
                epochs.append(other)
            }
            try connection.run("UPDATE history_head SET seq = ?", [.integer(head)])
            try connection.script("COMMIT")
            let next = HighWater.Mark(reserved: head, committed: head, epochs: epochs.sorted { $0.first < $1.first })
            try HighWater.write(next, to: directory)
            return row
        } catch let error as DatabaseError { throw OpenError(error, path: path) }
    }

    /// Opens the federation once: it brings the schema up to date and erases again who is in the ledger. Then tokens as they are now.
    private static func settle(_ directory: String, _ former: Former?, at now: Timestamp, _ notes: inout [String]) throws {
        var settings = Federation.Settings()
        settings.now = { now }
        // What is due is the server's business, once it runs.
        settings.keepsHouse = false
        let federation = try Federation(directory: directory, settings: settings)
        defer { federation.close() }
        let tokens = former?.tokens ?? []
        let lost = try federation.perform { (tx) throws(DomainError) in try TokenTable.bringBack(tokens, in: tx) }
        if lost > 0 { notes.append("\(lost) tokens are of co-ops that the backup does not have, and are gone.") }
        try federation.purgeNow()
    }

    /// - Returns: where the former database is now.
    private static func swap(_ directory: String, at now: Timestamp) throws -> String? {
        let (path, stage) = (directory + "/viecoop.db", directory + "/" + staging)
        try DurableFile.move(stage + "/erased", to: directory + "/erased")
        var kept: String?
        if Backup.isThere(path) {
            let name = directory + "/viecoop-before-\(now.text.filter { $0.isNumber || $0 == "T" }).db"
            // A log that stayed would be taken for the new database's.
            let isEmptied = (try? Connection(path: path, mode: .readWrite))?.emptyWAL() ?? false
            if !isEmptied, Backup.isThere(path + "-wal") { try DurableFile.move(path + "-wal", to: name + "-wal") }
            unlink(path + "-wal")
            unlink(path + "-shm")
            guard link(path, name) == 0 else { throw DurableFile.failure(name) }
            kept = name
        }
        try DurableFile.move(stage + "/viecoop.db", to: path)
        try DurableFile.move(stage + "/highwater", to: directory + "/highwater")
        return kept
    }

    private static func clear(_ folder: String) {
        for name in ["viecoop.db", "viecoop.db-wal", "viecoop.db-shm", "viecoop.db-journal", "highwater", "highwater.part", "erased", "lock"] {
            unlink(folder + "/" + name)
        }
        rmdir(folder)
    }
}
