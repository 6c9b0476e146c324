import SQLite

/// One page of what changed for a caller since its cursor.
///
/// The rules are those of the wire protocol, tried as a model with random histories; `pos`, `base`, `had` and `seen` are its words.
package struct ChangesPage: Sendable {
    /// The entries, each a JSON object, with the separator between them.
    package private(set) var entries: [UInt8]
    package private(set) var count = 0
    /// The head of the snapshot that the page was read from.
    package let seq: Int64
    /// Whether the device, having stored the page, holds exactly what the caller may see at `seq`.
    package private(set) var isComplete = false
    package private(set) var cursor: Cursor

    package enum Failure: Error, Sendable {
        /// Tombstones that the device may not have heard of are gone.
        case belowFloor
        /// The device has seen a part of the history that a restore undid; what it holds beyond this seq, it should offer again.
        case forked(reofferAfter: Int64)
        case storage(DomainError)
    }

    private enum SQL {
        static let head = "SELECT seq, (SELECT seq FROM feed_floor) FROM history_head"
        static let rows = "SELECT place, \(FeedEntry.columns) FROM \(FeedEntry.join) WHERE place > ? AND place < ? ORDER BY place"
        static let details = "SELECT type, id, gone, entered FROM feed WHERE place = ?"
        static let entry = "SELECT \(FeedEntry.columns) FROM \(FeedEntry.join) WHERE place = ?"
    }

    /// Rows of one seq that were looked at without giving an entry, before a page ends all the same.
    private static let patience = 4096

    /// Reads one page; the connection is inside one snapshot.
    ///
    /// - Parameters:
    ///   - cursor: nil to begin with nothing.
    ///   - layers: the caller's, most specific first, with their numbers.
    ///   - limit: the most entries that the page holds, at least 1.
    ///   - separator: between entries: a comma, or a line feed.
    package init(
        after incoming: Cursor?, types: [RecordType], layers: [(audience: Audience, number: Int64)], epochs: Epochs, limit: Int,
        separator: UInt8, in connection: Connection
    ) throws(Failure) {
        entries = []
        // Room for a hundred documents of the usual size; the rest grows.
        entries.reserveCapacity(min(limit, 100) * 640)
        let (head, floor) = try Self.storing { () throws(DatabaseError) in
            try connection.first(SQL.head) { ($0.integer(0), $0.integer(1)) } ?? (0, 0)
        }
        seq = head
        cursor = incoming ?? Cursor(epoch: epochs.current, seen: head, types: types)
        switch epochs.standing(of: cursor.epoch, seen: cursor.seen) {
        case .current, .carriedOver: cursor.epoch = epochs.current
        case .forked(let seq): throw .forked(reofferAfter: seq)
        case .unknown: throw .forked(reofferAfter: 0)
        }
        if cursor.places.values.contains(where: { max($0.base, $0.pos) < floor }) { throw .belowFloor }
        adopt(layers.map(\.number), head: head)
        try Self.storing { () throws(DatabaseError) in
            try scan(layers, seen: incoming?.seen ?? 0, head: head, limit: limit, separator: separator, in: connection)
        }
    }

    /// The same page without the room that was kept for more entries.
    package var compact: ChangesPage {
        var page = self
        page.entries = entries.withUnsafeBufferPointer(Array.init)
        return page
    }

    /// What a page depends on beside the feed.
    package struct Place: Hashable, Sendable {
        let cursor: Cursor?
        let types: [RecordType]
        let layers: [Audience]
        let limit: Int

        package init(after cursor: Cursor?, types: [RecordType], layers: [Audience], limit: Int) {
            (self.cursor, self.types, self.layers, self.limit) = (cursor, types, layers, limit)
        }
    }

    /// Joins and leaves audiences, as the caller's rights are now.
    private mutating func adopt(_ held: [Int64], head: Int64) {
        for number in held {
            if let place = cursor.places[number] {
                // Regained while leaving: scanned again from 0, what was held before is known by `base`.
                if place.had != nil { cursor.places[number] = Cursor.Place(pos: 0, base: place.base, had: nil) }
            } else {
                cursor.places[number] = Cursor.Place(pos: 0, base: head, had: nil)
            }
        }
        for (number, place) in cursor.places where place.had == nil && !held.contains(number) {
            cursor.places[number] = Cursor.Place(pos: 0, base: max(place.base, place.pos), had: cursor.seen)
        }
    }

    private mutating func scan(
        _ layers: [(audience: Audience, number: Int64)], seen: Int64, head: Int64, limit: Int, separator: UInt8, in connection: Connection
    ) throws(DatabaseError) {
        // Where every held audience is behind a row's seq, the rows of that seq are all there is to know of the record.
        let settled = layers.compactMap { cursor.places[$0.number]?.pos }.max() ?? 0
        var merge = try Merge(cursor.places, layers, in: connection)
        defer { merge.close() }
        var consumed: Int64?
        var barren = 0
        while let seq = merge.seq {
            if count >= limit || barren >= Self.patience { break }
            if cursor.types.isEmpty, let last = try merge.appendRun(to: &entries, &count, limit: limit, beyond: settled, separator) {
                consumed = last
                continue
            }
            consumed = seq
            let before = count
            try readEntry(at: seq, &merge, layers, isSettled: seq > settled, seen: seen, separator, in: connection)
            barren = count == before ? barren + 1 : 0
        }
        isComplete = merge.seq == nil
        let reached = isComplete ? head : consumed ?? 0
        for (number, place) in cursor.places {
            if isComplete, place.had != nil {
                cursor.places[number] = nil
                continue
            }
            let pos = max(place.pos, reached)
            cursor.places[number] = Cursor.Place(pos: pos, base: max(place.base, pos), had: place.had)
        }
        cursor.seen = max(cursor.seen, head)
    }

    /// Consumes the rows of one seq, which all name one record, and writes the entry that they give, if any.
    private mutating func readEntry(
        at seq: Int64, _ merge: inout Merge, _ layers: [(audience: Audience, number: Int64)], isSettled: Bool, seen: Int64, _ separator: UInt8,
        in connection: Connection
    ) throws(DatabaseError) {
        let start = entries.count
        var best: Int?
        // What is only asked where no document of this seq is the answer.
        var record: (type: String, id: String)?
        var isRemoved = false
        var gone: String?
        while merge.seq == seq {
            let isLive = merge.isLive
            let row = isSettled && isLive && cursor.types.isEmpty && merge.rank != nil ? nil : try merge.details(in: connection)
            let isWanted = row.map { row in cursor.types.isEmpty || cursor.types.contains { $0.rawValue == row.type } } ?? true
            if isSettled, isLive, let rank = merge.rank {
                if isWanted, rank < best ?? .max {
                    if best != nil { entries.removeSubrange(start...) }
                    best = rank
                    if count > 0 { entries.append(separator) }
                    try merge.appendEntry(to: &entries)
                }
            } else if isWanted, let row, wasHeldBefore(merge.place, entered: row.entered, isLive: isLive, seen: seen) {
                record = record ?? (row.type, row.id)
                if isLive ? merge.place.had != nil : seq > merge.place.base { isRemoved = true }
                gone = gone ?? row.gone
            }
            try merge.advance()
        }
        if best != nil {
            count += 1
            return
        }
        guard let record else { return }
        if !isSettled, try appendResolved(record.type, record.id, layers, separator, in: connection) {
            count += 1
        } else if isRemoved {
            appendRemove(record.type, record.id, rev: seq, gone: gone ?? Feed.Gone.scope.text, separator)
            count += 1
        }
    }

    /// Whether the device can hold the record of the row at all: what entered an audience after the device had read it last,
    /// it need not be told to remove.
    private func wasHeldBefore(_ place: Cursor.Place, entered: Int64, isLive: Bool, seen: Int64) -> Bool {
        if let had = place.had { return entered <= had }
        return isLive || entered <= seen
    }

    /// Looks a record up in every layer that the caller has now.
    private mutating func appendResolved(
        _ type: String, _ id: String, _ layers: [(audience: Audience, number: Int64)], _ separator: UInt8, in connection: Connection
    ) throws(DatabaseError) -> Bool {
        guard let type = RecordType(rawValue: type),
            let rev = try connection.first("SELECT rev FROM \(type.rawValue) WHERE id = ?", [.text(id)], { $0.integer(0) })
        else { return false }
        for layer in layers {
            let statement = try connection.statement(SQL.entry)
            try statement.bind(1, .integer(Feed.place(layer.number, rev)))
            guard try statement.step() else { continue }
            defer { statement.reset() }
            guard !statement.isNull(0) else { continue }
            if count > 0 { entries.append(separator) }
            try FeedEntry.append(statement, 0, to: &entries)
            return true
        }
        return false
    }

    private mutating func appendRemove(_ type: String, _ id: String, rev: Int64, gone: String, _ separator: UInt8) {
        if count > 0 { entries.append(separator) }
        entries.append(literal: #"{"type":""#)
        entries.append(contentsOf: type.utf8)
        entries.append(literal: #"","id":""#)
        entries.append(contentsOf: id.utf8)
        entries.append(literal: #"","op":"remove","rev":"#)
        entries.append(decimal: rev)
        let parts = gone.split(separator: ":", maxSplits: 1)
        entries.append(literal: #","reason":""#)
        entries.append(contentsOf: (parts.first ?? "scope").utf8)
        if parts.count == 2 {
            entries.append(literal: #"","into":""#)
            entries.append(contentsOf: parts[1].utf8)
        }
        entries.append(literal: #""}"#)
    }

    private static func storing<Result>(_ body: () throws(DatabaseError) -> Result) throws(Failure) -> Result {
        do throws(DatabaseError) { return try body() } catch { throw .storage(DomainError(error)) }
    }

    /// The rows of several audiences in the order of their seqs, each audience from its own position.
    private struct Merge {
        // A class, because a copy for each look at a row would cost more than the row.
        private final class Source {
            let statement: Statement
            let number: Int64
            let place: Cursor.Place
            /// The audience's place among the caller's layers; nil for one that is being left.
            let rank: Int?
            var seq: Int64

            init(_ statement: Statement, number: Int64, place: Cursor.Place, rank: Int?) {
                self.statement = statement
                self.number = number
                self.place = place
                self.rank = rank
                seq = Feed.seq(at: statement.integer(0))
            }
        }

        /// What a row says beside its document.
        struct Details {
            let type: String
            let id: String
            let gone: String?
            let entered: Int64
        }

        private var sources: [Source] = []
        /// The one with the lowest seq; nil at the end of all.
        private var current: Source?

        init(_ places: [Int64: Cursor.Place], _ layers: [(audience: Audience, number: Int64)], in connection: Connection) throws(DatabaseError) {
            for (number, place) in places {
                // A statement an audience, because two scans of one would share their place.
                let statement = try connection.statement(SQL.rows + " -- \(sources.count)")
                try statement.bind(1, .integer(Feed.place(number, place.pos)))
                try statement.bind(2, .integer(Feed.place(number + 1, 0)))
                guard try statement.step() else { continue }
                let rank = place.had == nil ? layers.firstIndex { $0.number == number } : nil
                sources.append(Source(statement, number: number, place: place, rank: rank))
            }
            choose()
        }

        var seq: Int64? { current?.seq }

        // Of the present row; nothing where there is none.
        var isLive: Bool { current.map { !$0.statement.isNull(1) } ?? false }
        var rank: Int? { current?.rank }
        var place: Cursor.Place { current?.place ?? Cursor.Place(pos: 0, base: 0) }
        func appendEntry(to entries: inout [UInt8]) throws(DatabaseError) {
            if let current { try FeedEntry.append(current.statement, 1, to: &entries) }
        }

        /// Looked up apart, because most rows are sent as they are.
        func details(in connection: Connection) throws(DatabaseError) -> Details {
            guard let source = current else { preconditionFailure("details are asked of a row") }
            let details = try connection.first(SQL.details, [.integer(Feed.place(source.number, source.seq))]) {
                Details(type: $0.text(0), id: $0.text(1), gone: $0.optionalText(2), entered: $0.integer(3))
            }
            guard let details else { throw DatabaseError(code: 11, message: "a row is not where the scan has found it", sql: SQL.details) }
            return details
        }

        /// Appends the rows that only the present source has, one after the other, for as long as they are documents of a held
        /// audience beyond `settled`: then each is all there is to say of its record. Most of most pages is such a run.
        ///
        /// - Returns: the last seq consumed; nil where the present row is not of this kind.
        mutating func appendRun(
            to entries: inout [UInt8], _ count: inout Int, limit: Int, beyond settled: Int64, _ separator: UInt8
        ) throws(DatabaseError) -> Int64? {
            guard let source = current, source.rank != nil else { return nil }
            let others = sources.reduce(Int64.max) { $1 === source ? $0 : min($0, $1.seq) }
            let statement = source.statement
            var seq = source.seq
            var last: Int64?
            while count < limit, seq > settled, seq < others, !statement.isNull(1) {
                if count > 0 { entries.append(separator) }
                try FeedEntry.append(statement, 1, to: &entries)
                count += 1
                last = seq
                guard try statement.step() else {
                    sources.removeAll { $0 === source }
                    break
                }
                seq = Feed.seq(at: statement.integer(0))
            }
            source.seq = seq
            if last != nil { choose() }
            return last
        }

        mutating func advance() throws(DatabaseError) {
            guard let source = current else { return }
            if try source.statement.step() {
                source.seq = Feed.seq(at: source.statement.integer(0))
                if sources.count == 1 { return }
            } else {
                sources.removeAll { $0 === source }
            }
            choose()
        }

        private mutating func choose() {
            current = sources.first
            for source in sources.dropFirst() where source.seq < current?.seq ?? .max { current = source }
        }

        func close() { for source in sources { source.statement.reset() } }
    }
}

extension [UInt8] {
    package mutating func append(literal: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    package mutating func append(decimal value: Int64) { append(contentsOf: String(value).utf8) }
}
