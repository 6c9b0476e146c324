import SQLite

/// What a row of the feed shows of its record.
///
/// The record's entry stands in `document`, with all its members; an audience's row has a BLOB that says how its own is made of it: the place
/// of the layer's letter, and the letter; then by turns how many bytes follow that it sees, and how many that it does not. The last are
/// seen, and end with the entry, so that no other BLOB goes with it. The numbers are LEB128. A TEXT is an entry as it is: formerly
/// each row had its own.
package enum FeedEntry {
    /// What a statement has to select for a row of the feed joined with its record's document.
    package static let columns = "feed.entry, document.entry"
    package static let join = "feed LEFT JOIN document ON rev = seq"

    /// The entry as a pull sends it, of the two columns that begin with this one.
    static func append(_ row: Statement, _ column: Int, to bytes: inout [UInt8]) throws(DatabaseError) {
        guard row.isBlob(column) else { return row.append(column, to: &bytes) }
        let isWhole = row.withBytes(column) { cuts in
            row.withBytes(column + 1) { entry in
                guard var pieces = Pieces(cuts, of: entry) else { return false }
                bytes.append(contentsOf: entry[..<pieces.letter])
                bytes.append(pieces.layer)
                return pieces.forEach { bytes.append(contentsOf: $0) }
            }
        }
        if !isWhole { throw damaged }
    }

    /// The document alone.
    package static func document(_ row: Statement, _ column: Int) throws(DatabaseError) -> [UInt8] {
        guard row.isBlob(column) else { return row.withBytes(column, document(of:)) }
        var document: [UInt8] = []
        let isWhole = row.withBytes(column) { cuts in
            row.withBytes(column + 1) { entry in
                guard var pieces = Pieces(cuts, of: entry) else { return false }
                document.reserveCapacity(entry.count)
                var before = #"","doc":"#.utf8.count
                return pieces.forEach { piece in
                    document.append(contentsOf: piece.dropFirst(before))
                    before = 0
                }
            }
        }
        guard isWhole, document.popLast() != nil else { throw damaged }
        return document
    }

    /// What a BLOB says, read byte by byte: the file may be damaged.
    private struct Pieces {
        let letter: Int
        let layer: UInt8
        private let entry: UnsafeRawBufferPointer
        private let cuts: UnsafeRawBufferPointer
        private var position = 0

        init?(_ cuts: UnsafeRawBufferPointer, of entry: UnsafeRawBufferPointer) {
            (self.cuts, self.entry) = (cuts, entry)
            guard let letter = Self.varint(cuts, &position), letter + 16 < entry.count, position < cuts.count else { return nil }
            (self.letter, layer) = (letter, cuts[position])
            position += 1
        }

        /// The pieces behind the letter that are left.
        ///
        /// - Returns: false where the cuts are none of this entry.
        mutating func forEach(_ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
            var start = letter + 1
            while let seen = Self.varint(cuts, &position), start + seen <= entry.count {
                body(UnsafeRawBufferPointer(rebasing: entry[start..<(start + seen)]))
                start += seen
                if position == cuts.count { return start == entry.count }
                guard let hidden = Self.varint(cuts, &position), start + hidden <= entry.count else { return false }
                start += hidden
            }
            return false
        }

        private static func varint(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Int? {
            var value = 0
            for shift in stride(from: 0, to: 28, by: 7) {
                guard position < bytes.count else { return nil }
                let byte = bytes[position]
                position += 1
                value |= Int(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }
    }

    private static var damaged: DatabaseError {
        DatabaseError(code: 11, message: "a row of the feed and its document do not go together; viecoop feed rebuild mends them", sql: nil)
    }

    /// The document of an entry: everything between the first `"doc":`, which nothing in front of it can hold, and the last brace.
    private static func document(of entry: UnsafeRawBufferPointer) -> [UInt8] {
        // Byte by byte: a search for a slice in general costs more than all the rest of a read.
        var start = 0
        while start + 6 < entry.count {
            if entry[start] == UInt8(ascii: "\""), entry[start + 1] == UInt8(ascii: "d"), entry[start + 2] == UInt8(ascii: "o"),
                entry[start + 3] == UInt8(ascii: "c"), entry[start + 4] == UInt8(ascii: "\""), entry[start + 5] == UInt8(ascii: ":")
            {
                return Array(entry[(start + 6)..<(entry.count - 1)])
            }
            start += 1
        }
        return []
    }
}
