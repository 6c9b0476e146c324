import Crypto
import SQLite

/// The histories that cursors may name: the present one, and those that restores of backups have left behind.
package struct Epochs: Sendable {
    package let current: String
    /// For each former epoch, the seq at which its successor forked off.
    private let forks: [(epoch: String, seq: Int64)]

    /// Reads the lineage, and begins the first epoch in a new database.
    static func load(from connection: Connection) throws(DatabaseError) -> Epochs {
        let rows = try connection.all("SELECT name, parent, fork_seq FROM epoch", []) { ($0.text(0), $0.optionalText(1), $0.integer(2)) }
        guard var current = rows.first(where: { row in !rows.contains { $0.1 == row.0 } }) else {
            let name = Crypto.randomBytes(5).map { String(Array("abcdefghjkmnpqrstuvwxyz23456789")[Int($0) % 31]) }.joined()
            try connection.run("INSERT INTO epoch (name, parent, fork_seq, first_seq) VALUES (?, NULL, 0, 1)", [.text(name)])
            return Epochs(current: name, forks: [])
        }
        let name = current.0
        var forks: [(String, Int64)] = []
        while let parent = current.1, let row = rows.first(where: { $0.0 == parent }) {
            forks.append((parent, current.2))
            current = row
        }
        return Epochs(current: name, forks: forks)
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
        guard let depth = forks.firstIndex(where: { $0.epoch == epoch }) else { return .unknown }
        let lowest = forks[...depth].map(\.seq).min() ?? 0
        return seen <= lowest ? .carriedOver : .forked(at: lowest)
    }
}
