import JSON
import SQLite

/// A record's entry as a pull sends it, rendered once with every field that somebody sees, and what of it each audience does not.
///
/// `{"type":"idea","id":"0197…","op":"put","rev":4190,"layer":"-","doc":{…}}`
struct RecordEntry {
    /// With a hyphen for the layer, which is each audience's own.
    let bytes: [UInt8]
    private let letterPlace: Int
    private let documentStart: Int
    /// Where each shown field's member ends, its comma in front; the first begins behind the head.
    private let ends: [Int]
    private let headEnd: Int

    init<R: Record>(of record: R) {
        let id = record.meta.id.text
        var json = JSONWriter(reserving: 1024)
        json.beginObject()
        json.member("type", R.type.rawValue)
        json.member("id", id)
        json.member("op", "put")
        json.key("rev")
        json.integer(record.meta.rev)
        json.member("layer", "-")
        letterPlace = json.bytes.count - 2
        json.key("doc")
        documentStart = json.bytes.count
        json.beginObject()
        json.member("id", id)
        json.key("rev")
        json.integer(record.meta.rev)
        headEnd = json.bytes.count
        var ends: [Int] = []
        ends.reserveCapacity(R.fields.count)
        for field in R.fields where field.access != .hidden {
            json.key(quoted: field.key)
            field.write(record, &json)
            ends.append(json.bytes.count)
        }
        json.member("created_at", record.meta.created.text)
        json.member("updated_at", record.meta.updated.text)
        json.endObject()
        json.endObject()
        self.ends = ends
        bytes = json.bytes
    }

    /// The document without the hidden fields.
    func document(hiding hidden: Redaction) -> [UInt8] {
        var document: [UInt8] = []
        document.reserveCapacity(bytes.count)
        var start = documentStart
        forEachCut(hidden) { cut in
            document += bytes[start..<cut.lowerBound]
            start = cut.upperBound
        }
        document += bytes[start..<(bytes.count - 1)]
        return document
    }

    /// What makes this the entry of an audience, as its row in the feed keeps it: see `FeedEntry`.
    func row(for reader: Reader) -> [UInt8] {
        var row: [UInt8] = []
        row.reserveCapacity(32)
        row.append(varint: letterPlace)
        row.append(reader.audience.letter)
        var end = letterPlace + 1
        forEachCut(reader.hidden) { cut in
            row.append(varint: cut.lowerBound - end)
            row.append(varint: cut.count)
            end = cut.upperBound
        }
        row.append(varint: bytes.count - end)
        return row
    }

    /// Whether a row of the feed, joined with its document, shows exactly this; nil where it shows nothing.
    func isShown(to reader: Reader, by row: Statement, _ column: Int) -> Bool? {
        if row.isNull(column) || row.isBlob(column) && row.isNull(column + 1) { return nil }
        if row.isBlob(column) { return row.blob(column) == self.row(for: reader) && row.blob(column + 1) == bytes }
        var entry = Array(bytes[..<documentStart])
        entry[letterPlace] = reader.audience.letter
        return row.blob(column) == entry + document(hiding: reader.hidden) + [UInt8(ascii: "}")]
    }

    /// What the hidden fields take up, from the left to the right; neighbours are one cut.
    private func forEachCut(_ hidden: Redaction, _ body: (Range<Int>) -> Void) {
        var start: Int?
        var end = headEnd
        for (isHidden, fieldEnd) in zip(hidden.isHidden, ends) {
            if isHidden {
                start = start ?? end
            } else if let cutStart = start {
                body(cutStart..<end)
                start = nil
            }
            end = fieldEnd
        }
        if let start { body(start..<end) }
    }
}

extension [UInt8] {
    /// Seven bits a byte, the lowest first (LEB128).
    fileprivate mutating func append(varint value: Int) {
        var rest = value
        while rest > 0x7F {
            append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
