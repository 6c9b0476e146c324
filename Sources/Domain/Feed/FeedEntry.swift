/// A document as a pull sends it, which is how the feed keeps it: the longest way of a byte is from the table into a page.
///
/// `{"type":"idea","id":"0197…","op":"put","rev":4190,"layer":"n","doc":{…}}`
package enum FeedEntry {
    static func wrap(_ document: [UInt8], type: RecordType, id: Identifier<Void>, rev: Int64, layer: Audience) -> [UInt8] {
        var entry: [UInt8] = []
        entry.reserveCapacity(document.count + 128)
        entry.append(literal: #"{"type":""#)
        entry.append(contentsOf: type.rawValue.utf8)
        entry.append(literal: #"","id":""#)
        entry.append(contentsOf: id.text.utf8)
        entry.append(literal: #"","op":"put","rev":"#)
        entry.append(decimal: rev)
        entry.append(literal: #","layer":""#)
        entry.append(layer.letter)
        entry.append(literal: #"","doc":"#)
        entry.append(contentsOf: document)
        entry.append(UInt8(ascii: "}"))
        return entry
    }

    /// The document of an entry: everything between the first `"doc":`, which nothing in front of it can hold, and the last brace.
    package static func document(of entry: UnsafeRawBufferPointer) -> [UInt8] {
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
