import JSON
import SQLite

/// The current document of every record, and what each audience sees of it, in the order of change. Every read is bytes out of it.
///
/// A live row's seq is its record's `rev`, in every audience at once, so that a record is found by (audience, rev) and the
/// table needs no second index over live rows. The two are one number in the table, a row's place.
package enum Feed {
    /// The key of an audience's row at `seq`: the audience's number above, the seq in the 44 bits below. The table refuses the
    /// negative place that an audience beyond the 524,287th would have.
    package static func place(_ audience: Int64, _ seq: Int64) -> Int64 { audience << 44 | seq }

    /// More would reach into the next audience.
    static var lastSeq: Int64 { 1 << 44 - 1 }

    static func seq(at place: Int64) -> Int64 { place & lastSeq }

    /// Where a former document went (`gone`): why a reader no longer sees the record.
    package enum Gone: Sendable, Equatable {
        case deleted, scope, erased
        case merged(into: String)

        package var text: String {
            switch self {
            case .deleted: "deleted"
            case .scope: "scope"
            case .erased: "erased"
            case .merged(let id): "merged:\(id)"
            }
        }
    }

    private enum SQL {
        static let move = "UPDATE feed SET place = ?, entry = ? WHERE place = ?"
        static let revive = "UPDATE feed SET place = ?, entry = ?, gone = NULL WHERE audience = ? AND id = ? AND type = ? AND entry IS NULL"
        static let insert = "INSERT INTO feed (place, type, id, entry, gone, entered) VALUES (?, ?, ?, ?, NULL, ?)"
        static let withdraw = "UPDATE feed SET place = ?, entry = NULL, gone = ? WHERE place = ?"
        static let former = "SELECT audience FROM feed WHERE id = ? AND type = ? AND entry IS NULL"
        static let rewrite = "UPDATE feed SET place = audience << 44 | ?, gone = ? WHERE id = ? AND type = ? AND entry IS NULL"
        static let document = "SELECT \(FeedEntry.columns) FROM \(FeedEntry.join) WHERE place = ?"
        static let render = "INSERT INTO document (rev, entry) VALUES (?, ?)"
        static let renderAgain = "UPDATE document SET rev = ?, entry = ? WHERE rev = ?"
        static let discard = "DELETE FROM document WHERE rev = ?"
        static let tombstone = "SELECT 1 FROM feed WHERE id = ? AND type = ? AND entry IS NULL LIMIT 1"
    }

    /// Writes a record's document and a row for each audience that sees it, and a NULL row once where it can no longer be read.
    ///
    /// - Parameters:
    ///   - former: the record as it was, at the rev that its rows have; nil when it is new.
    ///   - shown: the audiences that have a row of it at that rev; nil: the former record's readers.
    static func publish<R: Record>(_ record: R, replacing former: R?, shownIn shown: [Audience]? = nil, in tx: Transaction) throws(DatabaseError) {
        let rev = record.meta.rev
        let type = Value.text(R.type.rawValue)
        let entry = RecordEntry(of: record)
        tx.feed.note(R.type)
        let formerAudiences = shown ?? former?.readers.map(\.audience) ?? []
        // Those that had lost it before hear the new reason once more.
        if let former, former.absence != record.absence { try retell(R.type, record.meta.id, record.absence, at: rev, in: tx) }
        let readers = record.readers
        try keep(readers.isEmpty ? nil : entry, at: rev, formerly: former?.meta.rev, in: tx)
        for reader in readers {
            let row = Value.blob(entry.row(for: reader))
            let number = try tx.feed.touch(reader.audience, at: rev, in: tx.connection)
            if let former, formerAudiences.contains(reader.audience) {
                try tx.update(SQL.move, expecting: 1) { (statement) throws(DatabaseError) in
                    try statement.bind(1, .integer(place(number, rev)))
                    try statement.bind(2, row)
                    try statement.bind(3, .integer(place(number, former.meta.rev)))
                }
                continue
            }
            if former != nil {
                let revived = try tx.update(SQL.revive) { (statement) throws(DatabaseError) in
                    try statement.bind(1, .integer(place(number, rev)))
                    try statement.bind(2, row)
                    try statement.bind(3, .integer(number))
                    try statement.bind(4, record.meta.id)
                    try statement.bind(5, type)
                }
                if revived > 0 { continue }
            }
            try tx.update(SQL.insert, expecting: 1) { (statement) throws(DatabaseError) in
                try statement.bind(1, .integer(place(number, rev)))
                try statement.bind(2, type)
                try statement.bind(3, record.meta.id)
                try statement.bind(4, row)
                try statement.bind(5, .integer(rev))
            }
        }
        tx.published[R.type] = (record.meta.id, rev, entry, readers)
        guard let former else { return }
        let left = formerAudiences.filter { audience in !readers.contains { $0.audience == audience } }
        try withdraw(from: left, record.absence, at: rev, formerly: former.meta.rev, in: tx)
    }

    /// Takes a record out of every audience, and tells once more those that had lost it before.
    static func remove<R: Record>(_ record: R, _ gone: Gone, in tx: Transaction) throws(DatabaseError) {
        let rev = tx.nextSeq()
        tx.feed.note(R.type)
        try keep(nil, at: rev, formerly: record.meta.rev, in: tx)
        try retell(R.type, record.meta.id, gone, at: rev, in: tx)
        try withdraw(from: record.readers.map(\.audience), gone, at: rev, formerly: record.meta.rev, in: tx)
    }

    /// Puts the record's one document in the place of the former; nil: nobody sees any.
    private static func keep(_ entry: RecordEntry?, at rev: Int64, formerly former: Int64?, in tx: Transaction) throws(DatabaseError) {
        guard let entry else {
            if let former { try tx.connection.run(SQL.discard, [.integer(former)]) }
            return
        }
        if let former {
            let count = try tx.update(SQL.renderAgain) { (statement) throws(DatabaseError) in
                try statement.bind(1, .integer(rev))
                try statement.bind(2, utf8: entry.bytes)
                try statement.bind(3, .integer(former))
            }
            if count > 0 { return }
        }
        try tx.update(SQL.render, expecting: 1) { (statement) throws(DatabaseError) in
            try statement.bind(1, .integer(rev))
            try statement.bind(2, utf8: entry.bytes)
        }
    }

    private static func retell(_ type: RecordType, _ id: Identifier<Void>, _ gone: Gone, at rev: Int64, in tx: Transaction) throws(DatabaseError) {
        let record: [Value] = [.text(id.text), .text(type.rawValue)]
        let lost = try tx.connection.all(SQL.former, record) { $0.integer(0) }
        guard !lost.isEmpty else { return }
        try tx.connection.run(SQL.rewrite, [.integer(rev), .text(gone.text)] + record)
        for number in lost { tx.feed.touch(number: number, at: rev) }
    }

    private static func withdraw(from audiences: [Audience], _ gone: Gone, at rev: Int64, formerly: Int64, in tx: Transaction) throws(DatabaseError) {
        for audience in audiences {
            let number = try tx.feed.touch(audience, at: rev, in: tx.connection)
            try tx.update(SQL.withdraw, expecting: 1) { (statement) throws(DatabaseError) in
                try statement.bind([.integer(place(number, rev)), .text(gone.text), .integer(place(number, formerly))])
            }
        }
    }

    /// The document that these layers, most specific first, show of the record at `rev`; nil where none does.
    package static func document(
        rev: Int64, layers: [Audience], number: (Audience) -> Int64?, in connection: Connection
    ) throws(DatabaseError) -> (layer: Audience, bytes: [UInt8])? {
        for layer in layers {
            guard let number = number(layer) else { continue }
            let statement = try connection.statement(SQL.document)
            try statement.bind(1, .integer(place(number, rev)))
            guard try statement.step() else { continue }
            defer { statement.reset() }
            if !statement.isNull(0) { return (layer, try FeedEntry.document(statement, 0)) }
        }
        return nil
    }

    /// The audiences that have a number, with it, in the same order.
    ///
    /// - Parameter heads: may be a commit behind the snapshot. Then an audience that the commit has begun is looked up, since a
    ///   page without its rows would call itself complete at a seq that holds them.
    package static func numbered(
        _ audiences: [Audience], by heads: Heads.Snapshot, in connection: Connection
    ) throws(DatabaseError) -> [(audience: Audience, number: Int64)] {
        var numbered: [(audience: Audience, number: Int64)] = []
        for audience in audiences {
            if let entry = heads.entries[audience] {
                numbered.append((audience, entry.number))
            } else if let number = try connection.first("SELECT number FROM audience WHERE name = ?", [.text(audience.name)], { $0.integer(0) }) {
                numbered.append((audience, number))
            }
        }
        return numbered
    }

    /// Whether a record of this id was here once: deletion is final, and its id is not given again.
    static func hasTombstone(_ type: RecordType, _ id: String, in connection: Connection) throws(DatabaseError) -> Bool {
        try connection.first(SQL.tombstone, [.text(id), .text(type.rawValue)]) { _ in true } ?? false
    }
}
