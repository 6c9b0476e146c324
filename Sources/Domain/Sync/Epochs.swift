import Crypto
import SQLite

/// The histories that cursors may name: the present one, and those that restores of backups have left behind.
package struct Epochs: Sendable {
    /// A history: it has what its parent had up to `fork`, and begins its own seqs with `first`.
    struct Row: Sendable, Equatable {
        let name: String
        let parent: String?
        let fork: Int64
        let first: Int64
    }

    package let current: String
    let rows: [Row]
    /// For each former history that shares a beginning with the present one, up to which seq it does.
    private let shared: [String: Int64]

    /// - Parameter rows: not empty.
    init(_ rows: [Row]) {
        guard let newest = Self.newest(of: rows) else { preconditionFailure("a database has an epoch") }
        self.rows = rows
        current = newest.name
        let present = Self.limits(from: newest, in: rows)
        var shared: [String: Int64] = [:]
        for row in rows where row.name != newest.name {
            // Both lines lead to the history from which they forked last; what both kept of it is the lower of the two.
            let common = Self.limits(from: row, in: rows).compactMap { name, limit in present[name].map { min($0, limit) } }.max()
            shared[row.name] = common
        }
        self.shared = shared
    }

    /// The history that was begun last: seqs never fall, so that it begins behind all others.
    static func newest(of rows: [Row]) -> Row? { rows.max { $0.first < $1.first } }

    /// The history and those that it comes from, each with the seq up to which it has what they had.
    private static func limits(from row: Row, in rows: [Row]) -> [String: Int64] {
        var limits = [row.name: Int64.max]
        var row = row
        var limit = Int64.max
        while let parent = rows.first(where: { $0.name == row.parent }), limits[parent.name] == nil {
            limit = min(limit, row.fork)
            limits[parent.name] = limit
            row = parent
        }
        return limits
    }

    /// Reads the lineage, and begins the first epoch in a new database.
    static func load(from connection: Connection) throws(DatabaseError) -> Epochs {
        let rows = try all(in: connection)
        if !rows.isEmpty { return Epochs(rows) }
        let first = Row(name: newName(), parent: nil, fork: 0, first: 1)
        try insert(first, in: connection)
        return Epochs([first])
    }

    /// The newest seq and the lineage of a database that may be empty, or of an older version.
    static func stored(in connection: Connection?) throws(DatabaseError) -> (head: Int64, epochs: [Row], isOlder: Bool) {
        guard let connection else { return (0, [], true) }
        func has(_ table: String) throws(DatabaseError) -> Bool {
            try connection.first("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", [.text(table)]) { _ in true } ?? false
        }
        guard try has("epoch") else { return (0, [], true) }
        return (try connection.first("SELECT seq FROM history_head") { $0.integer(0) } ?? 0, try all(in: connection), try !has("sighting"))
    }

    static func all(in connection: Connection) throws(DatabaseError) -> [Row] {
        try connection.all("SELECT name, parent, fork_seq, first_seq FROM epoch ORDER BY first_seq", []) {
            Row(name: $0.text(0), parent: $0.optionalText(1), fork: $0.integer(2), first: $0.integer(3))
        }
    }

    static func insert(_ row: Row, in connection: Connection) throws(DatabaseError) {
        try connection.run(
            "INSERT INTO epoch (name, parent, fork_seq, first_seq) VALUES (?, ?, ?, ?)",
            [.text(row.name), row.parent.map { .text($0) } ?? .null, .integer(row.fork), .integer(row.first)])
    }

    static func newName() -> String {
        Crypto.randomBytes(5).map { String(Array("abcdefghjkmnpqrstuvwxyz23456789")[Int($0) % 31]) }.joined()
    }

    package enum Standing: Sendable, Equatable {
        case current
        /// From a former epoch, but nothing that it has seen was undone.
        case carriedOver
        case forked(at: Int64)
        case unknown
    }

    /// Whether a cursor of `epoch` that has seen `seen` still stands on this history: every fork since must lie behind it.
    package func standing(of epoch: String, seen: Int64) -> Standing {
        if epoch == current { return .current }
        guard let limit = shared[epoch] else { return .unknown }
        return seen <= limit ? .carriedOver : .forked(at: limit)
    }
}
