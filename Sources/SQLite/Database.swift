import CSQLite
import Glibc
import Synchronization

/// A viecoop database file: one writer, and read-only connections for everybody else.
package final class Database: Sendable {
    package struct Settings: Sendable {
        /// The writer's page cache. Not large: where pages of a B-tree change places, SQLite lends one the number of the page
        /// at 1 GiB, which is never used, and the commit then walks the whole cache to see what lies beyond the end of the file. What falls out is
        /// still in the system's cache.
        package var cacheKiB = 16_384
        package var readers = 4
        package var readerCacheKiB = 8192
        package var queueLimit = 4096
        /// Steps of SQLite's virtual machine before a reading transaction is interrupted; some seconds of work.
        package var stepBudget = 200_000_000
        /// Up to this size the whole file is checked at every start: 0.6 s a GiB here, and 2 s where it has to come from the
        /// disk. Of a larger one only the header, the length and the schema.
        package var quickCheckBytes = 1 << 30
        /// The WAL's length from which on it is copied back into the file. Everybody's writes wait for that, a tenth of a second
        /// where it is 128 MiB, and to copy more at a time makes none of it cheaper.
        package var checkpointBytes = 16 << 20
        /// How SQLite reaches files, by the name under which it knows it; nil is the system's own.
        package var vfs: String?
        package init() {}
    }

    package let writer: Writer
    /// Names of the migrations that opening it has applied.
    package let migrated: [String]
    package let path: String
    private let readers: Readers
    private let isClosed = Atomic(false)

    /// SQLite's own version, as linked.
    package static var libraryVersion: String { String(cString: sqlite3_libversion()) }

    /// Opens or creates the file. Another's file, or a damaged one, is left as it is.
    ///
    /// - Parameters:
    ///   - admit: looks at what is there before anything is written; nil where there is nothing yet.
    ///   - prepare: runs on the writer's connection before the first transaction.
    package init(
        path: String, settings: Settings = Settings(), migrations: [Migration], observer: any TransactionObserver,
        admit: (Connection?) throws(OpenError) -> Void = { (_) throws(OpenError) in },
        prepare: (Connection) throws(DatabaseError) -> Void = { _ in }
    ) throws(OpenError) {
        try Self.inspect(path, quickCheckBytes: settings.quickCheckBytes, admit: admit)
        // Personal data: for nobody but the user that runs viecoop. SQLite gives the files beside it the same permissions.
        Glibc.close(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
        let connection: Connection
        do throws(DatabaseError) { connection = try Connection(path: path, mode: .readWrite, vfs: settings.vfs) } catch { throw OpenError(error, path: path) }
        do throws(DatabaseError) {
            // Before the WAL, so that the file's own header says whose it is, whenever the process dies. Documents
            // fill a page of 8 KiB better than SQLite's usual 4: a write gets a tenth cheaper.
            if try connection.first("PRAGMA page_count", [], { $0.integer(0) }) == 0 {
                try connection.script("PRAGMA page_size = 8192; PRAGMA application_id = \(Connection.applicationID)")
            }
        } catch { throw OpenError(error, path: path) }
        try connection.configure(.readWrite, cacheKiB: settings.cacheKiB)
        migrated = try Migrator(connection: connection, path: path).run(migrations)
        var connections: [Connection] = []
        do throws(DatabaseError) {
            try prepare(connection)
            for _ in 0..<settings.readers { connections.append(try Connection(path: path, mode: .readOnly, vfs: settings.vfs)) }
        } catch { throw OpenError(error, path: path) }
        for connection in connections { try connection.configure(.readOnly, cacheKiB: settings.readerCacheKiB) }
        self.path = path
        nonisolated(unsafe) let (owned, ownedToo) = (connection, connections)
        readers = Readers(ownedToo, stepBudget: settings.stepBudget)
        writer = Writer(owned, observer: observer, readers: readers, settings: settings)
    }

    /// Runs `body` in one snapshot, on a connection that nobody else uses meanwhile. Waits where all are in use.
    package func read<Result, Failure: Error>(_ body: (Connection) throws(Failure) -> Result) throws(Failure) -> Result { try readers.read(body) }

    /// Bytes of the write-ahead log; 0 where there is none.
    package var walBytes: Int {
        var information = stat()
        return stat(path + "-wal", &information) == 0 ? Int(information.st_size) : 0
    }

    /// Waits for reads that run, finishes what is queued and closes the file, the WAL copied back. A read that begins later
    /// waits for ever.
    package func close() {
        // While a reader has the file open, the last of the WAL can't go.
        if !isClosed.exchange(true, ordering: .acquiringAndReleasing) { readers.close() }
        writer.close()
    }
}
