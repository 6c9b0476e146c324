import CSQLite

/// Decides when the writer copies the WAL back into the file, and how hard it tries.
struct Checkpoints {
    /// What a try that waits for readers may cost the writers.
    private static let patienceMilliseconds: Int32 = 50

    private let limit: Int
    private var due: Int
    private var pagesBefore = 0

    /// - Parameter bytes: the WAL's length from which on it is copied back.
    init(bytes: Int, of connection: Connection) {
        // A database keeps the size of page with which it was made.
        let page = try? connection.first("PRAGMA page_size") { Int(truncatingIfNeeded: $0.integer(0)) }
        limit = max(1, bytes / (page ?? 4096))
        due = limit
    }

    /// Called after each batch, when everybody has been answered.
    mutating func isDue(_ connection: Connection) -> Bool {
        let pages = connection.walPages
        if pages < pagesBefore { due = limit }
        pagesBefore = pages
        return pages >= due
    }

    mutating func copy(_ connection: Connection) {
        let pages = connection.walPages
        // Where readers keep it from beginning again at its start, the next try comes a quarter later. Readers that overlap
        // all the time never leave the WAL all at once, so that it would grow for ever. RESTART waits until those that run
        // now are through; new ones may begin meanwhile, and read the file itself.
        guard pages >= 8 * limit else {
            due = pages + limit / 4
            Self.copy(connection, SQLITE_CHECKPOINT_PASSIVE)
            return
        }
        // Seldom, since each try that is in vain costs the writers the whole of that patience.
        due = pages + 2 * limit
        sqlite3_busy_timeout(connection.handle, Self.patienceMilliseconds)
        Self.copy(connection, SQLITE_CHECKPOINT_RESTART)
        sqlite3_busy_timeout(connection.handle, Connection.busyMilliseconds)
    }

    /// Called when nobody has written for a while.
    ///
    /// - Returns: false where a reader was in the way, so that it is worth another try.
    func resting(_ connection: Connection) -> Bool {
        connection.walPages == 0 || Self.copy(connection, SQLITE_CHECKPOINT_PASSIVE)
    }

    /// Called when nobody reads or writes any more.
    func closing(_ connection: Connection) { Self.copy(connection, SQLITE_CHECKPOINT_TRUNCATE) }

    /// Copies all of the WAL back and cuts it off.
    ///
    /// - Returns: false where a reader was in the way for longer than writers can wait.
    static func empty(_ connection: Connection) -> Bool {
        sqlite3_busy_timeout(connection.handle, patienceMilliseconds)
        defer { sqlite3_busy_timeout(connection.handle, Connection.busyMilliseconds) }
        return copy(connection, SQLITE_CHECKPOINT_TRUNCATE)
    }

    /// - Returns: whether all of the WAL is in the file now.
    @discardableResult
    private static func copy(_ connection: Connection, _ mode: Int32) -> Bool {
        var inWAL: Int32 = 0
        var copied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(connection.handle, nil, mode, &inWAL, &copied)
        return code == SQLITE_OK && copied == inWAL
    }
}
