import CSQLite

extension Connection {
    static let applicationID: Int64 = 0x7663_6F70  // "vcop"

    /// Sets what the design depends on, and reads each setting back.
    ///
    /// - Throws: `.setting` where SQLite kept another value.
    func configure(_ mode: Mode, cacheKiB: Int) throws(OpenError) {
        do throws(DatabaseError) {
            for (option, value, name) in [
                (SQLITE_DBCONFIG_DEFENSIVE, 1, "defensive"), (SQLITE_DBCONFIG_DQS_DML, 0, "dqs_dml"), (SQLITE_DBCONFIG_DQS_DDL, 0, "dqs_ddl"),
                (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, "trusted_schema"), (SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, "load_extension"),
            ] as [(Int32, Int32, String)] {
                guard CSQLite_db_config(handle, option, value) == SQLITE_OK else { throw DatabaseError(code: SQLITE_MISUSE, message: name, sql: nil) }
            }
            if mode == .readWrite { try pin("journal_mode", "wal") }
            try pin("synchronous", "2")
            try pin("foreign_keys", "1")
            try pin("secure_delete", "1")
            try pin("trusted_schema", "0")
            try pin("cell_size_check", "1")
            try pin("mmap_size", "0")
            try pin("temp_store", "2")
            try pin("cache_size", "-\(cacheKiB)")
            // Only the writer checkpoints, at moments of its own choosing: two connections that do can lose a WAL reset.
            try pin("wal_autocheckpoint", "0")
            if mode == .readOnly { try pin("query_only", "1") }
            if mode == .readWrite {
                countWALPages()
                watchCommits()
            }
        } catch {
            throw .setting(error.message)
        }
        // What a statement of ours needs, with room; input never reaches SQL text, this bounds a mistake.
        for (limit, value) in [
            (SQLITE_LIMIT_SQL_LENGTH, 100_000), (SQLITE_LIMIT_LENGTH, 64 * 1024 * 1024), (SQLITE_LIMIT_EXPR_DEPTH, 100), (SQLITE_LIMIT_ATTACHED, 0),
            (SQLITE_LIMIT_COMPOUND_SELECT, 20), (SQLITE_LIMIT_WORKER_THREADS, 0),
        ] as [(Int32, Int32)] { sqlite3_limit(handle, limit, value) }
    }

    /// Keeps `walPages` by SQLite's hook, which wal_autocheckpoint would take away again if it came later.
    private func countWALPages() {
        // Unretained: the hook goes with the connection, which this object owns.
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                if let context { Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().walPages = Int(pages) }
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// A full disk takes the whole transaction with it. A closure that goes on all the same would have each statement committed
    /// by itself, without the others of its batch, and be told that nothing was stored.
    private func watchCommits() {
        sqlite3_commit_hook(
            handle,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().mayCommit ? 0 : 1
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func pin(_ pragma: String, _ value: String) throws(DatabaseError) {
        try script("PRAGMA \(pragma) = \(value)")
        let stored = try first("PRAGMA \(pragma)", [], { $0.text(0) })
        guard stored == value else { throw DatabaseError(code: SQLITE_MISUSE, message: "\(pragma) is \(stored ?? "unknown"), not \(value)", sql: nil) }
    }
}
