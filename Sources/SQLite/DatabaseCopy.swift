import CSQLite
import Glibc

/// A copy of a database as it is at one instant, taken beside whoever writes to it.
///
/// In one snapshot, which writers do not wait for; meanwhile the WAL can't begin again and grows. Measured with 1.1 GB under a
/// stream of writes: 2.6 s, and VACUUM INTO twice that with fewer writes a second.
package enum DatabaseCopy {
    /// 8 MiB a step.
    private static let pagesAStep: Int32 = 1024

    /// Copies `path` to `other`, which must not be there, and waits until it is on disk and found whole.
    ///
    /// - Parameter progress: pages done and pages in all, now and then.
    /// - Returns: what `read` gives of the copy.
    package static func make<Result>(
        of path: String, to other: String, progress: (Int, Int) -> Void = { _, _ in }, read: (Connection) throws(DatabaseError) -> Result
    ) throws(OpenError) -> Result {
        let descriptor = open(other, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DurableFile.failure(other) }
        close(descriptor)
        do throws(DatabaseError) { try copy(path, other, progress) } catch { throw OpenError(error, path: error.kind == .storage ? other : path) }
        try DurableFile.sync(other)
        var result: Result?
        try Database.inspect(other, quickCheckBytes: .max) { (connection) throws(OpenError) in
            guard let connection else { throw .corrupt(path: path, detail: "there is nothing in it") }
            do throws(DatabaseError) { result = try read(connection) } catch { throw OpenError(error, path: other) }
        }
        guard let result else { preconditionFailure("a copy that was admitted was read") }
        return result
    }

    private static func copy(_ path: String, _ other: String, _ progress: (Int, Int) -> Void) throws(DatabaseError) {
        let source = try Connection(path: path, mode: access(path + "-wal", F_OK) == 0 ? .readOnly : .immutable)
        let target = try Connection(path: other, mode: .readWrite)
        // A copy that is cut off is thrown away.
        try target.script("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        // The snapshot is held from here to the end; without it each write of another would begin the copy anew.
        try source.script("BEGIN; SELECT count(*) FROM sqlite_schema")
        guard let backup = sqlite3_backup_init(target.handle, "main", source.handle, "main") else { throw error(of: target) }
        var code = SQLITE_OK
        while code == SQLITE_OK {
            code = sqlite3_backup_step(backup, pagesAStep)
            let total = Int(sqlite3_backup_pagecount(backup))
            progress(total - Int(sqlite3_backup_remaining(backup)), total)
        }
        let end = sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE, end == SQLITE_OK else { throw error(of: target) }
    }

    private static func error(of connection: Connection) -> DatabaseError {
        DatabaseError(code: sqlite3_extended_errcode(connection.handle), message: String(cString: sqlite3_errmsg(connection.handle)), sql: nil)
    }
}
