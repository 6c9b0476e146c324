import CSQLite
import Glibc

/// A viecoop database file: one writer, and read-only connections for everybody else.
package final class Database: Sendable {
    package struct Settings: Sendable {
        /// The writer's page cache.
        package var cacheKiB = 65_536
        package var readers = 4
        package var readerCacheKiB = 8192
        package var queueLimit = 4096
        /// Steps of SQLite's virtual machine before a reading transaction is interrupted; some seconds of work.
        package var stepBudget = 200_000_000
        package init() {}
    }

    package let writer: Writer
    /// Names of the migrations that opening it has applied.
    package let migrated: [String]
    package let path: String
    private let readers: Monitor<[Reader]>
    private let settings: Settings

    /// SQLite's own version, as linked.
    package static var libraryVersion: String { String(cString: sqlite3_libversion()) }

    /// Opens or creates the file. Another's file, or a damaged one, is left as it is.
    ///
    /// - Parameter prepare: runs on the writer's connection before the first transaction.
    package init(
        path: String, settings: Settings = Settings(), migrations: [Migration], observer: any TransactionObserver,
        prepare: (Connection) throws(DatabaseError) -> Void = { _ in }
    ) throws(OpenError) {
        try Self.inspect(path)
        let connection: Connection
        do throws(DatabaseError) { connection = try Connection(path: path, mode: .readWrite) } catch { throw OpenError(error, path: path) }
        do throws(DatabaseError) {
            // Before the WAL, so that the file's own header says whose it is, whenever the process dies.
            if try connection.first("PRAGMA page_count", [], { $0.integer(0) }) == 0 {
                try connection.script("PRAGMA application_id = \(Connection.applicationID)")
            }
        } catch { throw OpenError(error, path: path) }
        try connection.configure(.readWrite, cacheKiB: settings.cacheKiB)
        migrated = try Migrator(connection: connection, path: path).run(migrations)
        var readers: [Reader] = []
        do throws(DatabaseError) {
            try prepare(connection)
            for _ in 0..<settings.readers { readers.append(Reader(try Connection(path: path, mode: .readOnly))) }
        } catch { throw OpenError(error, path: path) }
        for reader in readers { try reader.connection.configure(.readOnly, cacheKiB: settings.readerCacheKiB) }
        self.path = path
        self.settings = settings
        let pool = Monitor(readers)
        self.readers = pool
        nonisolated(unsafe) let owned = connection
        // Connections in use keep what they have until the next time.
        writer = Writer(owned, observer: observer, queueLimit: settings.queueLimit) {
            pool.withLock { for reader in $0 { sqlite3_db_release_memory(reader.connection.handle) } }
        }
    }

    /// Runs `body` in one snapshot, on a connection that nobody else uses meanwhile. Waits where all are in use.
    package func read<Result, Failure: Error>(_ body: (Connection) throws(Failure) -> Result) throws(Failure) -> Result {
        let reader = readers.when({ !$0.isEmpty }) { $0.removeLast() }
        defer { readers.change { $0.append(reader) } }
        return try reader.snapshot(budget: settings.stepBudget, body)
    }

    /// Bytes of the write-ahead log; 0 where there is none.
    package var walBytes: Int {
        var information = stat()
        return stat(path + "-wal", &information) == 0 ? Int(information.st_size) : 0
    }

    /// Finishes what is queued and closes the file, the WAL copied back.
    package func close() {
        readers.withLock { $0.removeAll() }
        writer.close()
    }

    /// Whether the file is viecoop's, or not yet there, told from its header alone, which holds beside a running server too.
    ///
    /// - Throws: `.foreign`, and `.notWritable` where it can't be read.
    package static func recognize(_ path: String) throws(OpenError) {
        var information = stat()
        guard stat(path, &information) == 0, information.st_size > 0 else { return }
        // How long the file must be is not asked: a running server may be about to lengthen it.
        try inspectHeader(path, size: .max)
    }

    /// Looks at the file without changing it, or anything beside it.
    private static func inspect(_ path: String) throws(OpenError) {
        let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let folder = directory.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : directory
        var information = stat()
        guard stat(folder, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else { throw .missingDirectory(folder) }
        guard access(folder, W_OK | X_OK) == 0 else { throw .notWritable(folder) }
        if let type = FileSystem.networkType(ofDirectory: folder) { throw .networkFileSystem(path: folder, type: type) }
        guard stat(path, &information) == 0, information.st_size > 0 else { return }
        guard access(path, W_OK) == 0 else { throw .notWritable(path) }
        try inspectHeader(path, size: Int(information.st_size))
        try inspectContent(path)
    }

    /// The header tells whose file it is (sqlite.org/fileformat2.html section 1.3), before SQLite may touch a WAL beside it.
    private static func inspectHeader(_ path: String, size: Int) throws(OpenError) {
        guard let file = fopen(path, "re") else { throw .notWritable(path) }
        defer { fclose(file) }
        var header = [UInt8](repeating: 0, count: 100)
        guard fread(&header, 1, 100, file) == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else { throw .foreign(path: path) }
        let id = header[68..<72].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        guard id == Connection.applicationID else { throw .foreign(path: path) }
        let pageSize = Int(header[16]) << 8 | Int(header[17])
        let pages = header[28..<32].reduce(0) { $0 << 8 | Int($1) }
        guard size >= pages * (pageSize == 1 ? 65_536 : pageSize) || access(path + "-wal", F_OK) == 0 else {
            throw .corrupt(path: path, detail: "it is shorter than its header says")
        }
    }

    private static func inspectContent(_ path: String) throws(OpenError) {
        do throws(DatabaseError) {
            let hasWAL = access(path + "-wal", F_OK) == 0
            let connection = try Connection(path: path, mode: hasWAL ? .readOnly : .immutable)
            let verdict = try connection.first("PRAGMA quick_check(1)") { $0.text(0) }
            guard verdict == "ok" else { throw DatabaseError(code: SQLITE_CORRUPT, message: verdict ?? "no answer", sql: nil) }
        } catch { throw OpenError(error, path: path) }
    }
}

/// A read-only connection and the steps that its present transaction may still take.
// Unchecked: it leaves the pool for one thread at a time.
private final class Reader: @unchecked Sendable {
    let connection: Connection
    private var rounds = 0
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

    func snapshot<Result, Failure: Error>(budget: Int, _ body: (Connection) throws(Failure) -> Result) throws(Failure) -> Result {
        rounds = budget / Int(Self.stepsARound)
        // Deferred: the snapshot is taken by the first read. A failure to begin shows at that read.
        try? connection.run("BEGIN")
        defer {
            rounds = .max
            try? connection.run("COMMIT")
        }
        return try body(connection)
    }
}
