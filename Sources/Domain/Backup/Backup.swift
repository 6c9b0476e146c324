import Glibc
import SQLite

/// A copy of the federation in one file, made while it is written to.
package enum Backup {
    package struct Report: Sendable {
        package let head: Int64
        package let bytes: Int
    }

    /// Why a backup or a restore was not done; what was there is as it was.
    package struct Refusal: Error, CustomStringConvertible {
        package let description: String
    }

    /// Writes the copy to `file.part`, looks whether it is whole, and gives it its name.
    ///
    /// - Throws: `Refusal`, `OpenError`.
    package static func write(to file: String, of directory: String, progress: (Int, Int) -> Void) throws -> Report {
        let database = directory + "/viecoop.db"
        guard isThere(database) else { throw Refusal(description: "there is no database in \(directory); name the server's folder with --data") }
        try Database.recognize(database)
        // Somebody's diary, or the database itself, is not overwritten.
        if isThere(file) {
            guard !isSame(file, database) else { throw Refusal(description: "\(file) is the database itself; name another file") }
            do { try Database.recognize(file) } catch { throw Refusal(description: "\(file) is there and no backup; name another file, or move it away") }
        }
        // Where no server runs, none starts meanwhile.
        let lock: DataLock?
        do { lock = try DataLock(directory: directory) } catch OpenError.inUse { lock = nil }
        defer { withExtendedLifetime(lock) {} }
        let part = file + ".part"
        unlink(part)
        do {
            let head = try DatabaseCopy.make(of: database, to: part, progress: progress) { (connection) throws(DatabaseError) in
                try Epochs.stored(in: connection).head
            }
            let bytes = size(part)
            try DurableFile.move(part, to: file)
            return Report(head: head, bytes: bytes)
        } catch {
            unlink(part)
            throw error
        }
    }

    static func isThere(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0
    }

    private static func isSame(_ path: String, _ other: String) -> Bool {
        var (one, two) = (stat(), stat())
        return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino
    }

    private static func size(_ path: String) -> Int {
        var information = stat()
        return stat(path, &information) == 0 ? Int(information.st_size) : 0
    }
}
