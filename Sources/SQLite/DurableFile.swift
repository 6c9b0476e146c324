import Glibc

/// Files that are there as a whole or not at all, whenever the process or the machine dies.
package enum DurableFile {
    /// Writes a file for nobody but this user, in place of one that may be there.
    package static func write(_ bytes: [UInt8], to path: String) throws(OpenError) {
        let part = path + ".part"
        let descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(part) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure(part) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw failure(part) }
        try move(part, to: path)
    }

    /// Waits until a file's content is on disk.
    package static func sync(_ path: String) throws(OpenError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }

    /// Gives a file another name, in place of what may have it, and waits until that is on disk.
    package static func move(_ path: String, to other: String) throws(OpenError) {
        guard rename(path, other) == 0 else { throw failure(other) }
        try sync(folder(of: other))
    }

    /// The folder that a path lies in.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The whole file; nil where there is none.
    package static func read(_ path: String) throws(OpenError) -> [UInt8]? {
        guard let file = fopen(path, "re") else {
            guard errno == ENOENT else { throw failure(path) }
            return nil
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        guard ferror(file) == 0 else { throw failure(path) }
        return bytes
    }

    /// What `errno` says about a path.
    package static func failure(_ path: String) -> OpenError { .storage(path: path, detail: String(cString: strerror(errno))) }
}
