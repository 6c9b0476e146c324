import Glibc

/// A folder's `lock` file, held by one process at a time from `init` until this object goes or the process ends.
package final class DataLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `.inUse` with the holder's pid, `.missingDirectory`, `.notWritable`.
    package init(directory: String) throws(OpenError) {
        let path = directory + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            // Some file systems, such as /proc, say ENOENT where they make no file.
            var information = stat()
            throw stat(directory, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR ? .notWritable(directory) : .missingDirectory(directory)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.readPid(descriptor)
            close(descriptor)
            throw .inUse(path: directory, pid: holder)
        }
        // The file stays when the lock goes: removing it would let two processes lock two different files.
        self.descriptor = descriptor
        ftruncate(descriptor, 0)
        let line = Array("\(getpid())\n".utf8)
        pwrite(descriptor, line, line.count, 0)
    }

    deinit { close(descriptor) }

    private static func readPid(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Int32(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).prefix { $0 != "\n" })
    }
}
