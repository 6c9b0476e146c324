import JSON

/// Mending a copy that is not what it should be, by the difference alone.
extension Replica {
    /// More than so many records go bucket by bucket.
    private static let most = 10_000
    private static let buckets: Range<UInt8> = 0..<16

    /// Compares the copy with the server's digest, and mends the parts that differ.
    ///
    /// - Returns: how many buckets differed; 0 for a copy that was right.
    @discardableResult
    package func check() throws -> Int {
        var mended = 0
        for _ in 0..<8 {
            try pull()
            let answer = try send("GET", "/v1/digest")
            guard answer.status == 200 else { throw refusal(answer) }
            // Nothing may have come between the copy and the digest, or they are of two moments.
            guard try pull() == Pulled() else { continue }
            let differing = try differing(try answer.json())
            if differing.isEmpty { return mended }
            mended += differing.count
            try repair(differing, keeping: try store.place().cursor, kept: try store.place().seq)
        }
        throw ReplicaError.unreadable("changes come faster than they can be compared; check again later")
    }

    /// The buckets in which the copy has something else than the server.
    private func differing(_ digest: JSON) throws -> [UInt8] {
        var ours: [UInt8: [String: Digest]] = [:]
        for holding in try store.holdings() { ours[holding.bucket, default: [:]][holding.type, default: Digest()].add(holding.mark) }
        var theirs: [UInt8: [String: Digest]] = [:]
        for type in digest["types"]?.members ?? [] {
            for bucket in type.value["buckets"]?.members ?? [] {
                guard let number = UInt8(bucket.name, radix: 16), let count = bucket.value["count"]?.integerValue,
                    let sum = bucket.value["sum"]?.stringValue.flatMap({ UInt64($0, radix: 16) })
                else { throw ReplicaError.unreadable("a digest without count or sum") }
                theirs[number, default: [:]][type.name] = Digest(count: count, sum: sum)
            }
        }
        return Self.buckets.filter { ours[$0, default: [:]] != theirs[$0, default: [:]] }
    }

    private struct Digest: Equatable {
        var count: Int64 = 0
        var sum: UInt64 = 0

        mutating func add(_ mark: UInt64) {
            count += 1
            sum &+= mark
        }
    }

    /// Mends everything, and begins a new cursor: after a 410, or where the cursor is lost.
    ///
    /// - Parameter kept: what a restored server has lost nothing of, up to this seq.
    func repair(kept: Int64) throws {
        if try store.holdings().count <= Self.most {
            let answer = try ask(try store.holdings(), bucket: nil, cursor: nil)
            if answer.status == 200 { return try mend(try Page(answer), isWhole: true, kept: kept) }
            guard answer.status == 413 else { throw refusal(answer) }
        }
        try repair(Array(Self.buckets), keeping: nil, kept: kept)
    }

    /// Mends some buckets. Each answer is of its own moment, so the cursor stays at the first: what came in between is pulled again.
    private func repair(_ buckets: [UInt8], keeping cursor: String?, kept: Int64) throws {
        var cursor = cursor
        for bucket in buckets {
            let answer = try ask(try store.holdings().filter { $0.bucket == bucket }, bucket: bucket, cursor: cursor)
            guard answer.status == 200 else { throw refusal(answer) }
            let page = try Page(answer)
            cursor = page.place.cursor
            try mend(page, isWhole: bucket == buckets.last, kept: kept)
        }
    }

    private func ask(_ held: [Holding], bucket: UInt8?, cursor: String?) throws -> ReplicaAnswer {
        var json = JSONWriter(reserving: held.count * 80)
        json.beginObject()
        if let bucket { json.member("bucket", String(bucket, radix: 16)) }
        if let cursor { json.member("cursor", cursor) }
        json.key("have")
        json.beginArray()
        for holding in held {
            json.beginArray()
            for text in [holding.type, holding.id, holding.version] { json.string(text) }
            json.endArray()
        }
        json.endArray()
        json.endObject()
        return try send("POST", "/v1/repair", json.bytes)
    }

    /// - Parameter isWhole: whether this was the last part, so that pulls may go on from its cursor.
    private func mend(_ page: Page, isWhole: Bool, kept: Int64) throws {
        try store.transaction {
            let place = try store.place()
            guard page.place.seq >= place.seq else { throw ReplicaError.unreadable("the answer is older than what this device has") }
            for entry in page.entries { try store.take(entry) }
            if isWhole { try store.move(to: page.place, kept: kept) }
        }
        try store.removeTraces()
    }
}
