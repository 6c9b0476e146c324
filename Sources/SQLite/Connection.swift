import CSQLite

/// One SQLite connection with its statement cache. Used by one thread at a time.
package final class Connection {
    package let handle: OpaquePointer
    private var statements: [StatementKey: Statement] = [:]
    private let underWay = Statement.UnderWay()
    /// Pages in the WAL after the last commit of this connection.
    var walPages = 0
    /// Set to false by the writer outside its own COMMIT: a statement that would commit by itself is refused.
    var mayCommit = true
    /// Whether a part of the writer's open transaction can be taken back by a savepoint of its own.
    package internal(set) var takesSavepoints = false
    /// Whether a part that had to be taken back without one has left something behind.
    var hasLeftovers = false

    package enum Mode: Sendable {
        case readWrite, readOnly
        /// Nobody else has the file open, and there is no WAL: read without making any file beside it.
        case immutable
    }

    /// Opens the file; pragmas are the business of the caller (`Database`).
    ///
    /// - Parameter vfs: SQLite's name for how files are reached; nil is the system's own.
    package init(path: String, mode: Mode, vfs: String? = nil) throws(DatabaseError) {
        _ = Self.configured
        var opened: OpaquePointer?
        let flags = (mode == .readWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX
        let code = mode == .immutable
            ? sqlite3_open_v2("file:\(path.uriEscaped)?immutable=1", &opened, flags | SQLITE_OPEN_URI, vfs)
            : sqlite3_open_v2(path.hasPrefix("file:") ? "./" + path : path, &opened, flags, vfs)  // never an address of SQLite's
        guard code == SQLITE_OK, let opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw DatabaseError(code: code, message: message, sql: nil)
        }
        handle = opened
        sqlite3_extended_result_codes(opened, 1)
        // Before anything else: whatever comes next may already have to wait for a lock.
        sqlite3_busy_timeout(opened, Self.busyMilliseconds)
    }

    /// For locks of other programs, such as a sqlite3 shell: within viecoop nobody waits for anybody's lock.
    static let busyMilliseconds: Int32 = 5000

    /// Once for the process, before the first connection.
    private static let configured: Void = {
        let code = CSQLite_disable_memory_statistics()
        precondition(code == SQLITE_OK, "SQLite was used before it was configured")
    }()

    deinit {
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    /// The statement for this SQL, prepared once and kept, with its former bindings still in place. It must not be in use
    /// already; left before its last row it is ended with the read, or with the writer's closure.
    package func statement(_ sql: String) throws(DatabaseError) -> Statement {
        let key = StatementKey(sql: sql)
        if let known = statements[key] { return known }
        let statement = try Statement(sql, on: handle, underWay)
        // Lists have as many statements as clients think of combinations; a bound keeps them from filling the memory.
        if statements.count >= 256 { statements.removeAll() }
        statements[key] = statement
        return statement
    }

    /// Runs a statement to its end, ignoring rows.
    package func run(_ sql: String, _ values: [Value] = []) throws(DatabaseError) {
        let statement = try statement(sql)
        try statement.bind(values)
        while try statement.step() {}
    }

    /// The rows of a statement, each made by `row`; the statement is closed before this returns.
    package func all<Element>(
        _ sql: String, _ values: [Value] = [], _ row: (Statement) throws(DatabaseError) -> Element
    ) throws(DatabaseError) -> [Element] {
        let statement = try statement(sql)
        try statement.bind(values)
        defer { statement.reset() }
        var elements: [Element] = []
        while try statement.step() { elements.append(try row(statement)) }
        return elements
    }

    /// The first row, or nil.
    package func first<Element>(
        _ sql: String, _ values: [Value] = [], _ row: (Statement) throws(DatabaseError) -> Element
    ) throws(DatabaseError) -> Element? {
        let statement = try statement(sql)
        try statement.bind(values)
        guard try statement.step() else { return nil }
        defer { statement.reset() }
        return try row(statement)
    }

    /// Runs a script of several statements without parameters.
    package func script(_ sql: String) throws(DatabaseError) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw DatabaseError(code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)), sql: sql)
        }
    }

    /// Ends every statement that was left before its last row, which would keep a snapshot, and refuse the next values.
    func endStatements() {
        guard underWay.count > 0 else { return }
        for statement in statements.values { statement.reset() }
    }

    /// Asks the writer to take the whole transaction back and to run it again with savepoints: there was none to take a part back.
    ///
    /// - Returns: what to throw.
    package func leavesSomethingBehind() -> DatabaseError {
        hasLeftovers = true
        return DatabaseError(code: SQLITE_ABORT, message: "run again with savepoints", sql: nil)
    }

    /// Rows that the last INSERT, UPDATE or DELETE touched.
    package var changes: Int { Int(sqlite3_changes64(handle)) }
    /// The same of all that this connection ever ran.
    package var totalChanges: Int64 { sqlite3_total_changes64(handle) }

    /// False while a transaction is open; true inside what should be one means that SQLite rolled it back by itself.
    package var isAutocommit: Bool { sqlite3_get_autocommit(handle) != 0 }
}

extension String {
    /// As a path in one of SQLite's file addresses (sqlite.org/uri.html).
    fileprivate var uriEscaped: String {
        reduce(into: "") { escaped, character in
            switch character {
            case "%": escaped += "%25"
            case "?": escaped += "%3f"
            case "#": escaped += "%23"
            default: escaped.append(character)
            }
        }
    }
}

/// SQL as a key: hashed by its length and a part of it, since to hash all of it costs more than to bind its values.
private struct StatementKey: Hashable {
    let sql: String

    func hash(into hasher: inout Hasher) {
        let utf8 = sql.utf8
        hasher.combine(utf8.count)
        utf8.withContiguousStorageIfAvailable { bytes in
            for eighth in 1..<8 where bytes.count >= 8 { hasher.combine(bytes[bytes.count / 8 * eighth]) }
        }
    }
}
