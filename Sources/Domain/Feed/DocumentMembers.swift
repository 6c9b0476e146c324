import JSON

/// A record's members as JSON, rendered once and put together for each audience.
struct DocumentMembers {
    private let head: [UInt8]
    private let fields: [(name: String, json: [UInt8])]
    private let tail: [UInt8]

    init<R: Record>(of record: R) {
        var json = JSONWriter(reserving: 96)
        json.beginObject()
        json.member("id", record.meta.id.text)
        json.key("rev")
        json.integer(record.meta.rev)
        head = json.bytes
        fields = R.fields.compactMap { field in
            guard field.access != .hidden else { return nil }
            // A writer that has written something puts the comma in front by itself.
            var json = JSONWriter.continuing()
            json.key(field.name)
            field.write(record, &json)
            return (field.name, json.bytes)
        }
        var end = JSONWriter.continuing()
        end.member("created_at", record.meta.created.text)
        end.member("updated_at", record.meta.updated.text)
        end.endObject()
        tail = end.bytes
    }

    /// The document without the hidden fields.
    func document(hiding hidden: Set<String>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.count + tail.count + fields.reduce(0) { $0 + $1.json.count })
        bytes += head
        for field in fields where hidden.isEmpty || !hidden.contains(field.name) { bytes += field.json }
        bytes += tail
        return bytes
    }
}
