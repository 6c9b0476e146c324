import Crypto
import SQLite

/// What a caller sees at one moment, record by record without the documents: what a device's copy is held against.
package struct View: Sendable {
    package struct Row: Sendable {
        package let type: String
        package let id: String
        package let rev: Int64
        package let layer: Audience
        /// Where the entry is.
        let audience: Int64

        /// `4190.c`, as an ETag between its quotes.
        package var version: String { "\(rev).\(Unicode.Scalar(layer.letter))" }
        /// The first hex digit of SHA-256(type, NUL, id).
        package var bucket: UInt8 { Crypto.sha256(Array(type.utf8) + [0] + Array(id.utf8))[0] >> 4 }
    }

    /// The head of the snapshot.
    package let seq: Int64
    package let rows: [Row]

    private static let sql = "SELECT type, id, seq FROM feed WHERE place >= ? AND place < ? AND entry IS NOT NULL"
    private static let entry = "SELECT \(FeedEntry.columns) FROM \(FeedEntry.join) WHERE place = ?"

    /// - Parameters:
    ///   - types: empty for all.
    ///   - layers: the caller's, most specific first, with their numbers.
    package init(of types: [RecordType], layers: [(audience: Audience, number: Int64)], in connection: Connection) throws(DatabaseError) {
        seq = try connection.first("SELECT seq FROM history_head") { $0.integer(0) } ?? 0
        let wanted = Set(types.map(\.rawValue))
        // A live row's seq is its record's rev in every audience: what a more specific layer shows is known by it.
        var shown: Set<Int64> = []
        var rows: [Row] = []
        for (audience, number) in layers {
            let statement = try connection.statement(Self.sql)
            defer { statement.reset() }
            try statement.bind(1, .integer(Feed.place(number, 0)))
            try statement.bind(2, .integer(Feed.place(number + 1, 0)))
            while try statement.step() {
                let rev = statement.integer(2)
                guard shown.insert(rev).inserted else { continue }
                let type = statement.text(0)
                if wanted.isEmpty || wanted.contains(type) { rows.append(Row(type: type, id: statement.text(1), rev: rev, layer: audience, audience: number)) }
            }
        }
        self.rows = rows
    }

    /// Whether one of these audiences has seen the record and was told of its erasure.
    package static func isErased(_ type: String, _ id: String, for audiences: [Int64], in connection: Connection) throws(DatabaseError) -> Bool {
        try connection.all("SELECT audience FROM feed WHERE id = ? AND type = ? AND entry IS NULL AND gone = 'erased'", [.text(id), .text(type)]) { $0.integer(0) }
            .contains { audiences.contains($0) }
    }

    /// The entry of a row, as a pull sends it.
    package static func entry(of row: Row, in connection: Connection) throws(DatabaseError) -> [UInt8] {
        let statement = try connection.statement(entry)
        try statement.bind(1, .integer(Feed.place(row.audience, row.rev)))
        var entry: [UInt8] = []
        guard try statement.step() else { return entry }
        defer { statement.reset() }
        try FeedEntry.append(statement, 0, to: &entry)
        return entry
    }
}

/// How many records of a type there are, and the sum modulo 2⁶⁴ of the first 8 bytes of SHA-256(type, NUL, id, NUL, rev.layer):
/// equal on both sides, the copies are.
package struct Digest: Sendable, Equatable {
    package var count = 0
    package var sum: UInt64 = 0
    package init() {}

    package mutating func add(_ row: View.Row) {
        let hash = Crypto.sha256(Array(row.type.utf8) + [0] + Array(row.id.utf8) + [0] + Array(row.version.utf8))
        count += 1
        sum &+= hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
