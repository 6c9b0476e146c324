/// Why a database cannot be used; the text says what is wrong and what to do next.
package enum OpenError: Error, Sendable, Equatable {
    case missingDirectory(String)
    case notWritable(String)
    /// SQLite, but not viecoop's, or no SQLite at all.
    case foreign(path: String)
    case corrupt(path: String, detail: String)
    /// Whole, but not what the server of this folder wrote last: a copy that somebody put there, or one that has lost its end.
    case undeclaredRestore(path: String, detail: String)
    case networkFileSystem(path: String, type: String)
    /// Another program holds SQLite's lock on the file.
    case locked(path: String)
    /// Another viecoop holds the folder's `lock`; the pid is nil when it cannot be read.
    case inUse(path: String, pid: Int32?)
    /// The file has a migration that this binary does not know.
    case newerSchema(migration: String)
    case editedMigration(String)
    /// A later migration was applied without this one.
    case missingMigration(String)
    case failedMigration(String, detail: String)
    /// SQLite did not take a setting that the design depends on.
    case setting(String)
    case storage(path: String, detail: String)
}

extension OpenError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missingDirectory(let path):
            "The folder \(path) does not exist. Create it (mkdir -p), or name another with --data."
        case .notWritable(let path):
            "\(path) cannot be written by this user. Give the user that runs viecoop the folder and all files in it (chown -R), or mount it read-write."
        case .foreign(let path):
            "\(path) is not a viecoop database. It was left as it is: move it away, or name another folder with --data."
        case .corrupt(let path, let detail):
            "\(path) is damaged (\(detail)). It was left as it is: copy the folder for examination, then run viecoop restore with the latest backup."
        case .undeclaredRestore(let path, let detail):
            "\(path) is not what this folder's server wrote last (\(detail)). It was left as it is. If you put it there on purpose, run viecoop restore --adopt; if not, run viecoop restore with the latest backup."
        case .networkFileSystem(let path, let type):
            "\(path) is on a network file system (\(type)), where SQLite's locks and shared memory cannot be relied on. Use a local disk."
        case .locked(let path):
            "\(path) is locked by another program. Close what has it open (a sqlite3 shell, a backup), then try again."
        case .inUse(let path, let pid):
            "\(path) is used by a running viecoop\(pid.map { " (process \($0))" } ?? ""). Stop it first, or use a command that talks to it."
        case .newerSchema(let migration):
            "The database was made by a newer viecoop (it has migration \(migration)). Install that version or a later one; older ones cannot read it."
        case .editedMigration(let name):
            "Migration \(name) was changed after it had been applied to this database. Use the binary that applied it, and put changes into a new migration."
        case .missingMigration(let name):
            "Migration \(name) comes before one that this database already has. Give it a later number."
        case .failedMigration(let name, let detail):
            "Migration \(name) failed (\(detail)); the database is as it was before it. Install the former version, and report this."
        case .setting(let detail):
            "SQLite did not accept a setting that viecoop depends on (\(detail)). Use Debian's libsqlite3, or one built with its options."
        case .storage(let path, let detail):
            "\(path) cannot be read or written (\(detail)). Look for a full or failing disk, then try again."
        }
    }

    /// What a refusal of SQLite means while a file is being opened.
    package init(_ error: DatabaseError, path: String) {
        switch error.kind {
        case .corrupt: self = .corrupt(path: path, detail: error.message)
        case .busy: self = .locked(path: path)
        default: self = .storage(path: path, detail: error.message)
        }
    }
}
