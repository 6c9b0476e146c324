import Glibc
import SQLite

/// The file `highwater` beside the database: how far seqs have been given out, so that a database that is behind is noticed,
/// and a restored one never gives a seq a second time.
///
///     reserved  00000000000000065536     no seq beyond it was ever given out; on disk before one is
///     committed 00000000000000004211     the newest seq that was committed, or a little less after a power cut
///     epoch k3f9 - 0 1                   the lineage: name, parent, fork_seq, first_seq
///
/// Used by one thread at a time: whoever opens the database, then the writer.
// Unchecked: see the line above.
final class HighWater: @unchecked Sendable {
    /// What the file says.
    struct Mark: Sendable, Equatable {
        var reserved: Int64
        var committed: Int64
        var epochs: [Epochs.Row]

        /// The newest history that was begun here.
        var current: Epochs.Row? { Epochs.newest(of: epochs) }
    }

    private static let name = "highwater"
    /// One fsync for so many seqs.
    private static let block: Int64 = 65_536
    private static let digits = 20
    private static let reservedOffset = "reserved  ".utf8.count
    private static let committedOffset = reservedOffset + digits + "\ncommitted ".utf8.count

    private let path: String
    private var descriptor: Int32 = -1
    private(set) var reserved: Int64 = 0

    init(directory: String) { path = directory + "/" + Self.name }

    deinit { if descriptor >= 0 { close(descriptor) } }

    // MARK: Reading

    /// - Returns: nil where there is no such file.
    static func read(in directory: String) throws(OpenError) -> Mark? {
        let path = directory + "/" + name
        guard let bytes = try DurableFile.read(path) else { return nil }
        guard let mark = Mark(String(decoding: bytes, as: UTF8.self)) else {
            throw .undeclaredRestore(path: directory + "/viecoop.db", detail: "\(path), which would tell, makes no sense")
        }
        return mark
    }

    /// Compares the file with the database that it should belong to, before anything is written.
    ///
    /// - Parameter connection: nil where there is no database yet.
    /// - Throws: `.undeclaredRestore`.
    static func admit(_ connection: Connection?, in directory: String) throws(OpenError) {
        let path = directory + "/viecoop.db"
        let mark = try read(in: directory)
        let stored: (head: Int64, epochs: [Epochs.Row], isOlder: Bool)
        do throws(DatabaseError) { stored = try Epochs.stored(in: connection) } catch { throw .corrupt(path: path, detail: error.message) }
        guard let mark else {
            // Before the table of sightings came, there was no such file either.
            guard stored.head == 0 || stored.isOlder else {
                throw .undeclaredRestore(path: path, detail: "\(directory)/\(name), which would tell, is missing")
            }
            return
        }
        let newest = Epochs.newest(of: stored.epochs)
        if newest?.name == mark.current?.name, stored.head >= mark.committed { return }
        if stored.head == 0, mark.committed == 0 { return }
        // A restore that was declared, and cut off before this file was written.
        if let newest, newest.first > mark.reserved, stored.epochs.contains(where: { $0.name == mark.current?.name }) { return }
        throw .undeclaredRestore(
            path: path,
            detail: stored.head < mark.committed ? "it ends at \(stored.head), and \(mark.committed) was committed" : "it belongs to another history")
    }

    // MARK: Writing

    /// Opens the file for a database at `head`, or makes it.
    func open(head: Int64, epochs: [Epochs.Row]) throws(OpenError) {
        let mark = try Self.read(in: DurableFile.folder(of: path))
        reserved = mark?.reserved ?? 0
        if mark?.epochs != epochs || reserved < head {
            reserved = max(reserved, head + Self.block)
            try Self.write(Mark(reserved: reserved, committed: head, epochs: epochs), to: DurableFile.folder(of: path))
        }
        descriptor = Glibc.open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DurableFile.failure(path) }
    }

    /// Replaces the file.
    static func write(_ mark: Mark, to directory: String) throws(OpenError) {
        try DurableFile.write(Array(mark.text.utf8), to: directory + "/" + name)
    }

    /// Makes sure that `seq` may be given out, which costs an fsync once in a block.
    func reserve(_ seq: Int64) throws(DatabaseError) {
        guard seq > reserved else { return }
        let next = seq + Self.block
        guard put(next, at: Self.reservedOffset), fdatasync(descriptor) == 0 else {
            throw DatabaseError(code: 10, message: "\(path): \(String(cString: strerror(errno)))", sql: nil)
        }
        reserved = next
    }

    /// Notes a commit. Not waited for: a mark that is behind only notices less.
    func committed(_ seq: Int64) { _ = put(seq, at: Self.committedOffset) }

    private func put(_ number: Int64, at offset: Int) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.digits) { text in
            var rest = number
            for index in (0..<Self.digits).reversed() {
                text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            return pwrite(descriptor, text.baseAddress, Self.digits, off_t(offset)) == Self.digits
        }
    }
}

extension HighWater.Mark {
    fileprivate init?(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.split(separator: " ") }
        guard lines.count >= 3, lines.last == [], lines[0].count == 2, lines[0][0] == "reserved", lines[1].count == 2, lines[1][0] == "committed",
            let reserved = Int64(lines[0][1]), let committed = Int64(lines[1][1]), 0 <= committed, committed <= reserved
        else { return nil }
        var epochs: [Epochs.Row] = []
        for words in lines[2...].dropLast() {
            guard words.count == 5, words[0] == "epoch", let fork = Int64(words[3]), let first = Int64(words[4]) else { return nil }
            epochs.append(Epochs.Row(name: String(words[1]), parent: words[2] == "-" ? nil : String(words[2]), fork: fork, first: first))
        }
        self.init(reserved: reserved, committed: committed, epochs: epochs)
    }

    fileprivate var text: String {
        func padded(_ number: Int64) -> String {
            let digits = String(number)
            return String(repeating: "0", count: 20 - digits.count) + digits
        }
        let lines = epochs.map { "epoch \($0.name) \($0.parent ?? "-") \($0.fork) \($0.first)\n" }
        return "reserved  \(padded(reserved))\ncommitted \(padded(committed))\n" + lines.joined()
    }
}
