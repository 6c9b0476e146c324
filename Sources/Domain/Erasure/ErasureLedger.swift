import Glibc
import SQLite

/// The file `erased` beside the database: who was erased, by id, a line each. No backup holds it, so that one from before an
/// erasure does not bring the person back.
package struct ErasureLedger: Sendable {
    package struct Line: Sendable, Hashable {
        package let type: RecordType
        package let id: Identifier<Void>
    }

    private let path: String

    package init(directory: String) { path = directory + "/erased" }

    /// - Returns: none where there is no file. A last line that was cut off is none.
    package func all() throws(OpenError) -> [Line] {
        let text = String(decoding: try DurableFile.read(path) ?? [], as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let type = RecordType(rawValue: String(words[0])), let id = Identifier<Void>(words[1]) else { return nil }
            return Line(type: type, id: id)
        }
    }

    /// Appends what is not there yet, and waits until it is on disk.
    package func add(_ lines: [Line]) throws(OpenError) {
        var known = Set(try all())
        let new = lines.filter { known.insert($0).inserted }
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DurableFile.failure(path) }
        defer { close(descriptor) }
        guard !new.isEmpty else { return }
        // Behind a line that was cut off a new one begins.
        let bytes = Array(("\n" + new.map { "\($0.type.rawValue) \($0.id)\n" }.joined()).utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else { throw DurableFile.failure(path) }
        try DurableFile.sync(DurableFile.folder(of: path))
    }
}
