import CSQLite
import Glibc

extension Database {
    /// Whether the file is viecoop's, or not yet there, told from its header alone, which holds beside a running server too.
    ///
    /// - Parameter isWhole: that nobody writes to it. A running server may be about to lengthen its file.
    /// - Throws: `.foreign`, `.notWritable` where it can't be read, and `.corrupt` where it is whole and too short.
    package static func recognize(_ path: String, isWhole: Bool = false) throws(OpenError) {
        var information = stat()
        guard stat(path, &information) == 0, information.st_size > 0 else { return }
        try inspectHeader(path, size: isWhole ? Int(information.st_size) : .max)
    }

    /// Looks at the file without changing it, or anything beside it.
    ///
    /// - Parameter admit: looks at what is in it; nil where there is nothing yet.
    package static func inspect(
        _ path: String, quickCheckBytes: Int, admit: (Connection?) throws(OpenError) -> Void = { (_) throws(OpenError) in }
    ) throws(OpenError) {
        let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let folder = directory.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : directory
        var information = stat()
        guard stat(folder, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else { throw .missingDirectory(folder) }
        guard access(folder, W_OK | X_OK) == 0 else { throw .notWritable(folder) }
        if let type = FileSystem.networkType(ofDirectory: folder) { throw .networkFileSystem(path: folder, type: type) }
        // A command run as another user leaves files that SQLite would stumble over later.
        for path in [path, path + "-wal", path + "-shm"] where access(path, F_OK) == 0 && access(path, W_OK) != 0 { throw .notWritable(path) }
        let size = stat(path, &information) == 0 ? Int(information.st_size) : 0
        guard size > 0 else {
            // SQLite would take the log of a database that is gone for rubbish, and remove it.
            guard stat(path + "-wal", &information) != 0 || information.st_size == 0 else {
                throw .corrupt(path: path, detail: "it is missing or empty, but its log \(path)-wal is not")
            }
            return try admit(nil)
        }
        guard information.st_mode & S_IFMT == S_IFREG else { throw .foreign(path: path) }
        // Only while a file is being made has it a rollback journal: SQLite takes back what was cut off there, at opening.
        guard stat(path + "-journal", &information) != 0 || information.st_size == 0 else {
            try inspectHeader(path, size: .max)
            return try admit(nil)
        }
        try inspectHeader(path, size: size)
        try admit(inspectContent(path, whole: size <= quickCheckBytes))
    }

    /// The header tells whose file it is (sqlite.org/fileformat2.html section 1.3), before SQLite may touch a WAL beside it.
    private static func inspectHeader(_ path: String, size: Int) throws(OpenError) {
        // Closing it drops this process's locks on the file (fcntl(2)), which is why it must not be open here already.
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

    private static func inspectContent(_ path: String, whole: Bool) throws(OpenError) -> Connection {
        if whole { readAhead(path) }
        do throws(DatabaseError) {
            let hasWAL = access(path + "-wal", F_OK) == 0
            let connection = try Connection(path: path, mode: hasWAL ? .readOnly : .immutable)
            guard whole else {
                _ = try connection.first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) }
                return connection
            }
            if let damage = try connection.firstDamage() { throw DatabaseError(code: SQLITE_CORRUPT, message: damage, sql: nil) }
            return connection
        } catch { throw OpenError(error, path: path) }
    }

    /// Reads the file in its own order, so that the check, which visits it in the order of its trees, finds it in the system's
    /// cache: 5 times as fast from a cold disk.
    private static func readAhead(_ path: String) {
        guard let file = fopen(path, "re") else { return }
        defer { fclose(file) }
        setvbuf(file, nil, _IONBF, 0)
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while fread(&chunk, 1, chunk.count, file) == chunk.count {}
    }
}
