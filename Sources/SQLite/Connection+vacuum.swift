import CSQLite

extension Connection {
    /// Writes the whole file anew, so that nothing deleted is left in its free space: secure_delete alone leaves some. Then the
    /// WAL goes too. Outside any transaction, on the writer's connection only.
    ///
    /// - Returns: false where a reader still needs the WAL; the old bytes are there until `emptyWAL` has succeeded.
    package func vacuum() throws(DatabaseError) -> Bool {
        // VACUUM attaches a temporary file, which may be as large as the database: not in memory.
        sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 1)
        defer { sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0) }
        try script("PRAGMA temp_store = 1")
        defer { try? script("PRAGMA temp_store = 2") }
        try script("VACUUM")
        return emptyWAL()
    }

    /// Copies all of the WAL into the file and cuts it off; false where a reader is in the way.
    package func emptyWAL() -> Bool { Checkpoints.empty(self) }
}
