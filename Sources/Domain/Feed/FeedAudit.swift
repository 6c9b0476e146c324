import JSON
import SQLite

/// Holds the feed against the tables, which have the truth: what `viecoop feed verify` and `viecoop feed rebuild` do.
package enum FeedAudit {
    package struct Finding: Sendable, Equatable {
        package enum Fault: String, Sendable {
            /// An audience that reads the record has no document of it at the record's rev.
            case missing
            /// The document is not what the record's fields give now.
            case differs
            /// A row, or a document, of a record that does not exist, that the audience does not read, or that lies at another seq.
            case stray
            /// A NULL row beside the document.
            case double
        }

        /// As stored, as is the id; a question mark where a document does not say.
        package let type: String
        package let id: String
        /// As stored: `network`, `coop:0197…`; `document` for one that no row is made of.
        package let audience: String
        package let fault: Fault
    }

    /// Every place where the feed is not what the tables say, by type and id; nothing where all is well.
    package static func verify(in connection: Connection) throws(DomainError) -> [Finding] {
        try storing { () throws(DatabaseError) in
            var findings: [Finding] = []
            for type in RecordType.allCases {
                for (_, damage) in try damage(type.record, in: connection) { findings += damage.findings }
            }
            return try findings + strayDocuments(in: connection)
        }
    }

    /// Renders all documents again. A record whose documents differ, are missing or should not be there gets a new rev and goes
    /// through the ordinary publication, so that devices hear of it; NULL rows stay as they are. Rows with an entry of their own,
    /// as formerly, get the present form, of which nobody needs to hear.
    ///
    /// - Returns: how many records were mended.
    package static func rebuild(in tx: Transaction) throws(DomainError) -> Int {
        // What is only behind for a moment is not damaged.
        try tx.publishPending()
        var count = 0
        for type in RecordType.allCases { count += try mend(type.record, in: tx) }
        try storing { () throws(DatabaseError) in
            if try tx.connection.first(SQL.former, [], { _ in true }) ?? false {
                for type in RecordType.allCases { try reshape(type.record, in: tx) }
            }
            try tx.connection.run(SQL.documentsBeside)
        }
        return count
    }

    /// What is wrong with one record.
    private struct Damage {
        var findings: [Finding] = []
        var strays: [(audience: Int64, place: Int64)] = []
    }

    private enum SQL {
        static let audiences = "SELECT number, name FROM audience"
        static let row = "SELECT type, id, \(FeedEntry.columns) FROM \(FeedEntry.join) WHERE place = ?"
        static let gone = "SELECT audience FROM feed WHERE id = ? AND type = ? AND entry IS NULL"
        static let live = "SELECT place, audience, id FROM feed WHERE type = ? AND entry IS NOT NULL"
        static let withdraw = "UPDATE feed SET place = ?, entry = NULL, gone = ?, entered = min(entered, ?) WHERE place = ?"
        static let enteredOfGone = "SELECT min(entered) FROM feed WHERE audience = ? AND id = ? AND type = ? AND entry IS NULL"
        static let dropGone = "DELETE FROM feed WHERE audience = ? AND id = ? AND type = ? AND entry IS NULL"
        static let former = "SELECT 1 FROM feed WHERE typeof(entry) = 'text' LIMIT 1"
        static let reshape = "UPDATE feed SET entry = ? WHERE place = ? AND typeof(entry) = 'text'"
        static let document = "INSERT OR REPLACE INTO document (rev, entry) VALUES (?, ?)"
        static let made = "SELECT seq FROM feed WHERE typeof(entry) = 'blob'"
        static let documents = "SELECT rev, entry FROM document"
        static let documentsBeside = "DELETE FROM document WHERE rev NOT IN (\(made))"
        static let drop = "DELETE FROM feed WHERE place = ?"
        static let enter = "UPDATE feed SET entered = min(entered, ?) WHERE place = ?"
    }

    // MARK: Finding

    /// The damaged records of a type, in the order of their ids.
    private static func damage<R: Record>(_ type: R.Type, in connection: Connection) throws(DatabaseError) -> [(id: String, damage: Damage)] {
        let audiences = try connection.all(SQL.audiences) { ($0.integer(0), $0.text(1)) }
        let names = Dictionary(uniqueKeysWithValues: audiences)
        let numbers = Dictionary(uniqueKeysWithValues: audiences.map { ($0.1, $0.0) })
        var damaged: [String: Damage] = [:]
        var inPlace: Set<Int64> = []
        try R.store.forEach(in: connection) { (record) throws(DatabaseError) in
            let damage = try inspect(record, numbers, &inPlace, in: connection)
            if !damage.findings.isEmpty { damaged[record.meta.id.text] = damage }
        }
        let live = try connection.statement(SQL.live)
        defer { live.reset() }
        try live.bind(1, .text(R.type.rawValue))
        while try live.step() {
            let (place, audience, id) = (live.integer(0), live.integer(1), live.text(2))
            guard !inPlace.contains(place) else { continue }
            damaged[id, default: Damage()].strays.append((audience, place))
            damaged[id]?.findings.append(Finding(type: R.type.rawValue, id: id, audience: names[audience] ?? "?", fault: .stray))
        }
        return damaged.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func inspect<R: Record>(
        _ record: R, _ numbers: [String: Int64], _ inPlace: inout Set<Int64>, in connection: Connection
    ) throws(DatabaseError) -> Damage {
        let id = record.meta.id.text
        let entry = RecordEntry(of: record)
        let gone = try connection.all(SQL.gone, [.text(id), .text(R.type.rawValue)]) { $0.integer(0) }
        var damage = Damage()
        for reader in record.readers {
            let finding = { Finding(type: R.type.rawValue, id: id, audience: reader.audience.name, fault: $0) }
            guard let number = numbers[reader.audience.name],
                let isSame = try connection.first(
                    SQL.row, [.integer(Feed.place(number, record.meta.rev))],
                    { $0.text(0) == R.type.rawValue && $0.text(1) == id ? entry.isShown(to: reader, by: $0, 2) : nil }) ?? nil
            else {
                damage.findings.append(finding(.missing))
                continue
            }
            inPlace.insert(Feed.place(number, record.meta.rev))
            if !isSame { damage.findings.append(finding(.differs)) }
            if gone.contains(number) { damage.findings.append(finding(.double)) }
        }
        return damage
    }

    private static func strayDocuments(in connection: Connection) throws(DatabaseError) -> [Finding] {
        let made = Set(try connection.all(SQL.made) { $0.integer(0) })
        return try connection.all(SQL.documents) { row in
            guard !made.contains(row.integer(0)) else { return nil }
            let entry = try? JSON.parse(row.blob(1))
            let (type, id) = (entry?["type"]?.stringValue ?? "?", entry?["id"]?.stringValue ?? "?")
            return Finding(type: type, id: id, audience: "document", fault: .stray)
        }.compactMap { $0 }
    }

    // MARK: Mending

    private static func mend<R: Record>(_ type: R.Type, in tx: Transaction) throws(DomainError) -> Int {
        let damaged = try storing { () throws(DatabaseError) in try damage(type, in: tx.connection) }
        for (id, damage) in damaged {
            let record = try Identifier<R>(id).flatMap { (id) throws(DomainError) in try R.store.find(id, in: tx.connection) }
            let missing = Set(damage.findings.filter { $0.fault == .missing }.map(\.audience))
            let shown = Set(record?.readers.map(\.audience) ?? []).filter { !missing.contains($0.name) }
            try storing { () throws(DatabaseError) in try clear(damage, id, R.type, shown: shown, gone: record == nil ? .deleted : .scope, in: tx) }
            guard let record else { continue }
            try R.store.republish(record, shownIn: Array(shown), in: tx)
            try storing { () throws(DatabaseError) in try admitEarly(record, damage, in: tx) }
        }
        return damaged.count
    }

    /// Gives rows that show the record by an entry of their own the present form; all that differed is mended by now.
    private static func reshape<R: Record>(_ type: R.Type, in tx: Transaction) throws(DatabaseError) {
        try R.store.forEach(in: tx.connection) { (record) throws(DatabaseError) in
            let entry = RecordEntry(of: record)
            var count = 0
            for reader in record.readers {
                guard let number = tx.feed.number(of: reader.audience) else { continue }
                count += try tx.update(SQL.reshape) { (statement) throws(DatabaseError) in
                    try statement.bind([.blob(entry.row(for: reader)), .integer(Feed.place(number, record.meta.rev))])
                }
            }
            guard count > 0 else { return }
            try tx.update(SQL.document, expecting: 1) { (statement) throws(DatabaseError) in
                try statement.bind(1, .integer(record.meta.rev))
                try statement.bind(2, utf8: entry.bytes)
            }
        }
    }

    /// Where a row was lost, so was the seq at which the record entered the audience. Said too early, a device hears of a removal
    /// that it did not need; said too late, it never hears of one that it does.
    private static func admitEarly<R: Record>(_ record: R, _ damage: Damage, in tx: Transaction) throws(DatabaseError) {
        let rev = try R.store.rev(of: record.id, in: tx.connection) ?? 0
        for finding in damage.findings where finding.fault != .differs {
            guard let number = Audience(name: finding.audience).flatMap({ tx.feed.number(of: $0) }) else { continue }
            try tx.connection.run(SQL.enter, [.integer(1), .integer(Feed.place(number, rev))])
        }
    }

    /// Leaves one row an audience: the document at the record's rev, or else a NULL row, which publication brings back to life.
    private static func clear(
        _ damage: Damage, _ id: String, _ type: RecordType, shown: Set<Audience>, gone: Feed.Gone, in tx: Transaction
    ) throws(DatabaseError) {
        let kept = Set(shown.compactMap { tx.feed.number(of: $0) })
        for number in kept { try tx.connection.run(SQL.dropGone, [.integer(number), .text(id), .text(type.rawValue)]) }
        guard !damage.strays.isEmpty else { return }
        let seq = tx.nextSeq()
        for stray in damage.strays {
            if kept.contains(stray.audience) {
                try tx.connection.run(SQL.drop, [.integer(stray.place)])
                continue
            }
            let record: [Value] = [.integer(stray.audience), .text(id), .text(type.rawValue)]
            let entered = try tx.connection.first(SQL.enteredOfGone, record) { $0.optionalInteger(0) ?? .max } ?? .max
            try tx.connection.run(SQL.dropGone, record)
            try tx.connection.run(
                SQL.withdraw, [.integer(Feed.place(stray.audience, seq)), .text(gone.text), .integer(entered), .integer(stray.place)])
            tx.feed.touch(number: stray.audience, at: seq)
        }
    }
}
