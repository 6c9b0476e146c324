import SQLite

/// One page of what changed for a caller since its cursor.
///
/// The rules are those of the wire protocol, tried as a model with random histories; `pos`, `base`, `had` and `seen` are its words.
package struct ChangesPage: Sendable {
    /// The entries, each a JSON object, with the separator between them, behind the opening.
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
        static let rows = "SELECT seq, type, id, doc, gone, entered FROM feed WHERE audience = ? AND seq > ? ORDER BY seq"
    }

    /// Rows of one seq that were looked at without giving an entry, before a page ends all the same.
    private static let patience = 4096

    /// Reads one page; the connection is inside one snapshot.
    ///
    /// - Parameters:
    ///   - cursor: nil to begin with nothing.
    ///   - layers: the caller's, most specific first, with their numbers.
    ///   - limit: the most entries that the page holds, at least 1.
    ///   - opening: what the entries are written behind, so that an answer need not copy them.
    ///   - separator: between entries: a comma, or a line feed.
    package init(
        after incoming: Cursor?, types: [RecordType], layers: [(audience: Audience, number: Int64)], epochs: Epochs, limit: Int,
        opening: StaticString = "", separator: UInt8, in connection: Connection
    ) throws(Failure) {
        entries = []
        // Room for a hundred documents of the usual size; the rest grows.
        entries.reserveCapacity(min(limit, 100) * 640)
        entries.append(literal: opening)
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

    /// Hands the entries over without a copy.
    package consuming func takeEntries() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &entries)
        return taken
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
            let source = merge.source
            let statement = source.statement
            let isLive = !statement.isNull(3)
            if isSettled, isLive, let rank = source.rank {
                if rank < best ?? .max, isWanted(statement) {
                    best = rank
                    entries.removeSubrange(start...)
                    appendPut(statement, rev: seq, layer: layers[rank].audience, separator)
                }
            } else if wasHeldBefore(source, isLive: isLive, seen: seen), isWanted(statement) {
                if record == nil { record = (statement.text(1), statement.text(2)) }
                if isLive ? source.place.had != nil : seq > source.place.base { isRemoved = true }
                if gone == nil { gone = statement.optionalText(4) }
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

    private func isWanted(_ statement: Statement) -> Bool {
        cursor.types.isEmpty || cursor.types.contains { $0.rawValue == statement.text(1) }
    }

    /// Whether the device can hold the record of the row at all: what entered an audience after the device had read it last,
    /// it need not be told to remove.
    private func wasHeldBefore(_ source: Merge.Source, isLive: Bool, seen: Int64) -> Bool {
        if let had = source.place.had { return source.statement.integer(5) <= had }
        return isLive || source.statement.integer(5) <= seen
    }

    /// Looks a record up in every layer that the caller has now.
    private mutating func appendResolved(
        _ type: String, _ id: String, _ layers: [(audience: Audience, number: Int64)], _ separator: UInt8, in connection: Connection
    ) throws(DatabaseError) -> Bool {
        guard let type = RecordType(rawValue: type),
            let rev = try connection.first("SELECT rev FROM \(type.rawValue) WHERE id = ?", [.text(id)], { $0.integer(0) })
        else { return false }
        for layer in layers {
            let statement = try connection.statement("SELECT seq, type, id, doc FROM feed WHERE audience = ? AND seq = ?")
            try statement.bind(1, .integer(layer.number))
            try statement.bind(2, .integer(rev))
            guard try statement.step() else { continue }
            defer { statement.reset() }
            guard !statement.isNull(3) else { continue }
            appendPut(statement, rev: rev, layer: layer.audience, separator)
            return true
        }
        return false
    }

    private mutating func appendPut(_ statement: Statement, rev: Int64, layer: Audience, _ separator: UInt8) {
        if count > 0 { entries.append(separator) }
        entries.append(literal: #"{"type":""#)
        statement.withBytes(1) { entries.append(contentsOf: $0) }
        entries.append(literal: #"","id":""#)
        statement.withBytes(2) { entries.append(contentsOf: $0) }
        entries.append(literal: #"","op":"put","rev":"#)
        entries.append(decimal: rev)
        entries.append(literal: #","layer":""#)
        entries.append(layer.letter)
        entries.append(literal: #"","doc":"#)
        statement.withBytes(3) { entries.append(contentsOf: $0) }
        entries.append(0x7D)
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
        struct Source {
            let statement: Statement
            let place: Cursor.Place
            /// The audience's place among the caller's layers; nil for one that is being left.
            let rank: Int?
            var seq: Int64
        }

        private var sources: [Source] = []
        private var current = 0

        init(_ places: [Int64: Cursor.Place], _ layers: [(audience: Audience, number: Int64)], in connection: Connection) throws(DatabaseError) {
            for (number, place) in places {
                // A statement an audience, because two scans of one would share their place.
                let statement = try connection.statement(SQL.rows + " -- \(sources.count)")
                try statement.bind(1, .integer(number))
                try statement.bind(2, .integer(place.pos))
                guard try statement.step() else { continue }
                let rank = place.had == nil ? layers.firstIndex { $0.number == number } : nil
                sources.append(Source(statement: statement, place: place, rank: rank, seq: statement.integer(0)))
            }
            choose()
        }

        var seq: Int64? { sources.isEmpty ? nil : sources[current].seq }
        /// Of the present row; only asked while there is one.
        var source: Source { sources[current] }

        mutating func advance() throws(DatabaseError) {
            if try sources[current].statement.step() {
                sources[current].seq = sources[current].statement.integer(0)
            } else {
                sources.remove(at: current)
            }
            choose()
        }

        private mutating func choose() {
            current = 0
            for index in sources.indices.dropFirst() where sources[index].seq < sources[current].seq { current = index }
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
