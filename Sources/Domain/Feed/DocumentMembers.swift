import JSON

/// A record's members as JSON, rendered once into one buffer and put together for each audience.
struct DocumentMembers {
    private let bytes: [UInt8]
    /// Where each field's member ends, its comma in front; the first begins behind the head.
    private let fields: [(name: String, end: Int)]
    private let headEnd: Int

    init<R: Record>(of record: R) {
        var json = JSONWriter(reserving: 1024)
        json.beginObject()
        json.member("id", record.meta.id.text)
        json.key("rev")
        json.integer(record.meta.rev)
        headEnd = json.bytes.count
        var fields: [(name: String, end: Int)] = []
        fields.reserveCapacity(R.fields.count)
        for field in R.fields where field.access != .hidden {
            json.key(field.name)
            field.write(record, &json)
            fields.append((field.name, json.bytes.count))
        }
        json.member("created_at", record.meta.created.text)
        json.member("updated_at", record.meta.updated.text)
        json.endObject()
        self.fields = fields
        bytes = json.bytes
    }

    /// The document without the hidden fields.
    func document(hiding hidden: Set<String>) -> [UInt8] {
        if hidden.isEmpty { return bytes }
        var document: [UInt8] = []
        document.reserveCapacity(bytes.count)
        var start = 0
        var end = headEnd
        for field in fields {
            if hidden.contains(field.name) {
                document += bytes[start..<end]
                start = field.end
            }
            end = field.end
        }
        document += bytes[start...]
        return document
    }
}
