import JSON

/// What a pull or a repair says of one record.
struct Entry {
    enum What {
        case put(rev: Int64, layer: String, doc: String)
        /// The reason is empty after a repair.
        case remove(reason: String)
    }

    let type: String
    let id: String
    let what: What

    init(_ json: JSON) throws {
        guard let type = json["type"]?.stringValue, let id = json["id"]?.stringValue else { throw ReplicaError.unreadable("an entry without type or id") }
        (self.type, self.id) = (type, id)
        switch json["op"]?.stringValue {
        case "put":
            guard let rev = json["rev"]?.integerValue, let layer = json["layer"]?.stringValue, let doc = json["doc"] else {
                throw ReplicaError.unreadable("an entry without rev, layer or doc")
            }
            what = .put(rev: rev, layer: layer, doc: doc.text)
        case "remove": what = .remove(reason: json["reason"]?.stringValue ?? "")
        default: throw ReplicaError.unreadable("an entry that is neither put nor remove")
        }
    }
}

/// A page of changes, or a repair.
struct Page {
    let place: LocalStore.Place
    let entries: [Entry]
    let isComplete: Bool

    init(_ answer: ReplicaAnswer) throws {
        let json = try answer.json()
        guard let epoch = json["epoch"]?.stringValue, !epoch.isEmpty, let seq = json["seq"]?.integerValue, let cursor = json["cursor"]?.stringValue,
            let changes = json["changes"]?.elements
        else { throw ReplicaError.unreadable("a page without epoch, seq, cursor or changes") }
        place = LocalStore.Place(epoch: epoch, cursor: cursor, seq: seq)
        entries = try changes.map { try Entry($0) }
        isComplete = json["complete"]?.boolValue ?? true
    }
}

extension ReplicaAnswer {
    func json() throws -> JSON {
        do {
            return try JSON.parse(body, limits: JSONLimits(depth: 40, members: 10_000_000))
        } catch { throw ReplicaError.unreadable("status \(status), and no JSON") }
    }

    /// A problem's stable code; empty where there is none.
    var code: String { (try? json())?["code"]?.stringValue ?? "" }
}

extension JSON {
    /// As JSON text, numbers with the characters they came with.
    package var text: String {
        var writer = JSONWriter()
        writer.value(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension String {
    /// For a query's value: what RFC 3986 does not call unreserved goes as %XX.
    var escapedForQuery: String {
        utf8.reduce(into: "") { text, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), 0x2D, 0x2E, 0x5F, 0x7E:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}
