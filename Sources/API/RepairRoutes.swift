import Domain
import HTTP
import JSON
import SQLite
import Text

/// Whether a device's copy is what it should be, and what is missing: instead of fetching all again.
struct RepairRoutes: Sendable {
    let federation: Federation
    /// More go by buckets.
    private static let most = 10_000

    var routes: [Route] {
        [
            .read("/v1/digest", digest),
            Route(method: "POST", template: "/v1/repair", needsToken: false, offers: ["application/json"], handler: .read(repair)),
        ]
    }

    // MARK: Digest

    private func digest(_ call: Call) throws -> Response {
        var types: [RecordType] = []
        for (name, value) in call.query {
            guard name == "types" else {
                throw Problem.parameter(name, code: "parameter.unknown", en: "`\(name)` is not known here; known is types.", fr: "`\(name)` est inconnu ici ; est connu types.")
            }
            types = try RecordType.list(value)
        }
        let heads = federation.heads.snapshot
        let place = ListPlace(path: call.request.path, query: types.map(\.rawValue).sorted().joined(separator: ","), format: "", layers: call.caller.layers)
        let page: ListPage
        if let known = federation.lists.value(for: place, at: heads) {
            page = known
        } else {
            let view = try view(of: types, call.caller, heads).view
            page = ListPage(body: document(view), next: nil)
            federation.lists.keep(page, bytes: page.body.count, for: place, at: heads)
        }
        return Response(status: 200, headers: ["Content-Type": "application/json", "Cache-Control": "private, no-cache"], body: page.body)
    }

    private func document(_ view: View) -> [UInt8] {
        var whole: [String: Digest] = [:]
        var buckets: [String: [UInt8: Digest]] = [:]
        for row in view.rows {
            whole[row.type, default: Digest()].add(row)
            buckets[row.type, default: [:]][row.bucket, default: Digest()].add(row)
        }
        var json = JSONWriter()
        json.beginObject()
        json.member("epoch", federation.epochs.current)
        json.key("seq")
        json.integer(view.seq)
        json.key("types")
        json.beginObject()
        for (type, digest) in whole.sorted(by: { $0.key < $1.key }) {
            json.key(type)
            json.beginObject()
            digest.write(to: &json)
            json.key("buckets")
            json.beginObject()
            for (bucket, digest) in (buckets[type] ?? [:]).sorted(by: { $0.key < $1.key }) {
                json.key(String(bucket, radix: 16))
                json.beginObject()
                digest.write(to: &json)
                json.endObject()
            }
            json.endObject()
            json.endObject()
        }
        json.endObject()
        json.endObject()
        return json.bytes
    }

    // MARK: Repair

    private struct Name: Hashable {
        let type: String
        let id: String
    }

    private struct Request {
        var types: [RecordType] = []
        /// The version that the device holds. A name that is none is a damage like any other: the device is told to remove it.
        var have: [Name: String] = [:]
        var bucket: UInt8?
        var cursor: Cursor?
    }

    private func repair(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let request = try read(call)
        let heads = federation.heads.snapshot
        return try federation.database.read { connection in
            let layers = try Feed.numbered(call.caller.layers, by: heads, in: connection)
            let view = try View(of: request.types, layers: layers, in: connection)
            let rows = request.bucket.map { bucket in view.rows.filter { $0.bucket == bucket } } ?? view.rows
            guard request.bucket != nil || max(rows.count, request.have.count) <= Self.most else { throw Problem.repairTooLarge(Self.most) }
            var missing = request.have
            var changes: [[UInt8]] = []
            for row in rows where missing.removeValue(forKey: Name(type: row.type, id: row.id)) != row.version {
                changes.append(try View.entry(of: row, in: connection))
            }
            for name in missing.keys.sorted(by: { ($0.type, $0.id) < ($1.type, $1.id) }) { changes.append(removal(name)) }
            var cursor =
                request.cursor ?? Cursor(epoch: federation.epochs.current, at: view.seq, types: request.types, audiences: layers.map { $0.number })
            cursor.seen = max(cursor.seen, view.seq)
            return response(changes, seq: view.seq, cursor: federation.seal(cursor, for: call.caller))
        }
    }

    private func removal(_ name: Name) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", name.type)
        json.member("id", name.id)
        json.member("op", "remove")
        json.endObject()
        return json.bytes
    }

    private func response(_ changes: [[UInt8]], seq: Int64, cursor: String) -> Response {
        var json = JSONWriter(reserving: changes.reduce(256) { $0 + $1.count + 1 })
        json.beginObject()
        json.member("epoch", federation.epochs.current)
        json.key("seq")
        json.integer(seq)
        json.member("cursor", cursor)
        json.key("changes")
        json.beginArray()
        for change in changes { json.raw(change) }
        json.endArray()
        json.endObject()
        return Response(status: 200, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: json.bytes)
    }

    /// - Throws: `.invalid` with every fault, 400 `cursor.invalid`.
    private func read(_ call: Call) throws -> Request {
        // What a device holds is three texts a record.
        let json = try call.json(limits: JSONLimits(members: 4 * Self.most + 100))
        guard case .object(let members) = json else { throw DomainError.invalid([Fault("#", "field.type", en: "must be an object", fr: "doit être un objet")]) }
        var request = Request()
        var faults = Faults()
        for member in members {
            switch member.name {
            case "types":
                for (index, element) in (member.value.elements ?? []).enumerated() {
                    guard let type = element.stringValue.flatMap({ RecordType(rawValue: $0) }) else {
                        faults.add("#/types/\(index)", "choice.unknown", en: "is no type of record", fr: "n'est pas un type d'enregistrement")
                        continue
                    }
                    request.types.append(type)
                }
            case "have":
                for (index, element) in (member.value.elements ?? []).enumerated() {
                    guard let parts = element.elements, parts.count == 3, let type = parts[0].stringValue, let id = parts[1].stringValue, let version = parts[2].stringValue
                    else {
                        faults.add("#/have/\(index)", "field.type", en: "must be [type, id, \"rev.layer\"]", fr: "doit être [type, id, \"rev.layer\"]")
                        continue
                    }
                    request.have[Name(type: type, id: id)] = version
                }
            case "bucket":
                guard let bucket = member.value.stringValue.flatMap({ $0.utf8.count == 1 ? UInt8($0, radix: 16) : nil }) else {
                    faults.add("#/bucket", "field.type", en: "must be one hex digit", fr: "doit être un chiffre hexadécimal")
                    continue
                }
                request.bucket = bucket
            case "cursor":
                guard let text = member.value.stringValue, let cursor = try? federation.unseal(text, for: call.caller), cursor.epoch == federation.epochs.current else {
                    throw Problem.repairCursor
                }
                request.cursor = cursor
            default: faults.add("#/" + member.name.pointerEscaped, "field.unknown", en: "is not known here", fr: "est inconnu ici")
            }
        }
        try faults.throwIfAny()
        return request
    }

    private func view(of types: [RecordType], _ caller: Caller, _ heads: Heads.Snapshot) throws -> (view: View, layers: [(audience: Audience, number: Int64)]) {
        try federation.database.read { connection in
            let layers = try Feed.numbered(caller.layers, by: heads, in: connection)
            return (try View(of: types, layers: layers, in: connection), layers)
        }
    }
}

extension Digest {
    fileprivate func write(to json: inout JSONWriter) {
        json.member("count", count)
        // As text: a number of 64 bits is more than JSON's readers hold.
        json.member("sum", String(sum, radix: 16))
    }
}

extension RecordType {
    /// - Throws: 400 for a name that is none.
    static func list(_ value: String) throws(Problem) -> [RecordType] {
        var types: [RecordType] = []
        for name in value.split(separator: ",", omittingEmptySubsequences: false) {
            guard let type = RecordType(rawValue: String(name)) else {
                let names = allCases.map(\.rawValue).joined(separator: ", ")
                throw .parameter("types", en: "`\(name)` is no type; types are \(names).", fr: "`\(name)` n'est pas un type ; les types sont \(names).")
            }
            types.append(type)
        }
        return types
    }
}

extension Problem {
    fileprivate static let repairCursor = Problem(
        400, "cursor.invalid", title: Bilingual(en: "Not a cursor of yours", fr: "Ce curseur n'est pas le vôtre"),
        detail: Bilingual(en: "Send the cursor that the first bucket's repair gave, or none.", fr: "Envoyez le curseur de la réparation du premier lot, ou aucun."),
        members: [("next", "\"/v1/repair\"")])

    fileprivate static func repairTooLarge(_ most: Int) -> Problem {
        Problem(
            413, "repair.too-large", title: Bilingual(en: "Too many records at once", fr: "Trop d'enregistrements à la fois"),
            detail: Bilingual(
                en: "Over \(most) records, repair bucket by bucket: \"bucket\": \"0\" to \"f\", each further one with the cursor of the first.",
                fr: "Au-delà de \(most) enregistrements, réparez lot par lot : \"bucket\": \"0\" à \"f\", chacun des suivants avec le curseur du premier."),
            members: [("maximum", String(most))])
    }
}
