import Crypto
import Glibc
import JSON
import SQLite

/// A copy of what one token may see, with an outbox: reads and writes work without a network, and `synchronize` makes both
/// sides equal when there is one.
///
/// This is the whole of a client. Whoever writes one for a phone finds each rule of the protocol in one place: pulling in
/// `Replica+pull.swift`, pushing in `Replica+push.swift`, mending in `Replica+repair.swift`, the file in `LocalStore.swift`.
/// Any call may be cut off at any moment, by the network or by the end of the process, and simply be made again.
package final class Replica {
    let store: LocalStore
    private let transport: any Transport
    private let ids: () -> String

    /// - Parameter ids: makes UUIDs; they need only be unique, so that a wrong clock does no harm.
    package init(store: LocalStore, transport: any Transport, ids: @escaping () -> String = Replica.newID) {
        self.store = store
        self.transport = transport
        self.ids = ids
    }

    // MARK: Reading and writing on the device

    /// Notes a change, to be pushed later; it shows at once.
    ///
    /// - Returns: the record's id.
    @discardableResult
    package func note(_ change: LocalChange) throws -> String { try store.transaction { try enqueue(change) } }

    /// All of them or, where one is none, none.
    package func note(_ changes: [LocalChange]) throws { try store.transaction { for change in changes { try enqueue(change) } } }

    @discardableResult
    private func enqueue(_ change: LocalChange) throws -> String {
        let (mid, id) = (ids(), change.id ?? ids())
        var json = JSONWriter()
        json.beginObject()
        json.member("mid", mid)
        json.member("type", change.type)
        json.member("id", id)
        json.member("op", change.operation.rawValue)
        if let to = change.to { json.member("to", to) }
        if change.operation != .create {
            // The version that the person had before their eyes: what others set after it is a conflict.
            json.key("base")
            json.integer(try store.record(change.type, id)?.rev ?? 0)
        }
        if let fields = change.fields {
            json.key("fields")
            json.value(fields)
        }
        json.endObject()
        guard json.bytes.count <= Self.pushBytes, (try? JSON.parse(json.bytes)) != nil else { throw ReplicaError.notAChange("it is too large to be sent") }
        try store.enqueue(mid: mid, type: change.type, id: id, mutation: String(decoding: json.bytes, as: UTF8.self))
        return id
    }

    /// The record as the person should see it: the server's, with what was done here on top. Nil where there is none.
    package func document(_ type: String, _ id: String) throws -> JSON? {
        try store.overlay(type, id).reduce(try store.record(type, id)?.doc) { doc, layer in Overlay.apply(layer.mutation, layer.result, to: doc) }
    }

    package func ids(of type: String) throws -> [String] { Set(try store.ids(of: type) + store.overlaidIDs(of: type)).sorted() }

    /// How much waits to be pushed.
    package var waiting: Int { get throws { try store.waitingCount() } }

    /// Which changes were refused or met somebody else's, until `hear` says that the person knows.
    package var notices: [Notice] { get throws { try store.notices() } }
    package func hear(_ notice: Notice) throws { try store.hear(notice.mid) }

    // MARK: Talking to the server

    /// Sends what was done here, and fetches what was done elsewhere.
    package func synchronize() throws {
        repeat {
            try push()
            try pull()
            // A restored server may want some of it again.
        } while try waiting > 0
    }

    /// - Throws: what is the same for every request: 401, 429 and 503, and no answer at all.
    func send(_ method: String, _ path: String, _ body: [UInt8]? = nil) throws -> ReplicaAnswer {
        let request = ReplicaRequest(method: method, path: path, body: body)
        let answer = try transport.send(request)
        // Somebody between has kept it. What it says may be true and newer than the copy, and still lack what this request would have
        // brought: it begins from another cursor.
        guard answer.requestID ?? request.id == request.id else { throw ReplicaError.unreachable("it is the answer to another request: a proxy keeps answers, or sets Request-Id itself") }
        switch answer.status {
        case 401:
            let wants = (try? answer.json())?["wipe"]?.boolValue ?? false
            if wants { try store.wipe() }
            throw ReplicaError.unauthorized(wiped: wants)
        case 429, 503: throw ReplicaError.busy(retryAfter: answer.retryAfter ?? 5)
        // Proxies say that the server is not there, or that nobody knows.
        case 502, 504: throw ReplicaError.unreachable("status \(answer.status)")
        default: return answer
        }
    }

    func refusal(_ answer: ReplicaAnswer) -> ReplicaError {
        .refused(status: answer.status, code: answer.code, detail: (try? answer.json())?["detail"]?.stringValue ?? "")
    }

    /// A UUIDv7 (RFC 9562 section 5.7).
    package static func newID() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = UInt64(max(0, now.tv_sec)) &* 1000 &+ UInt64(max(0, now.tv_nsec)) / 1_000_000
        var bytes = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> UInt64(40 - 8 * $0)) } + Crypto.randomBytes(10)
        bytes[6] = bytes[6] & 0x0F | 0x70
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef")
        return bytes.enumerated().reduce(into: "") { text, byte in
            if [4, 6, 8, 10].contains(byte.offset) { text.append("-") }
            text.append(digits[Int(byte.element >> 4)])
            text.append(digits[Int(byte.element & 15)])
        }
    }
}

/// A change laid over a document, as the server will do it if nobody else was there before.
enum Overlay {
    static func apply(_ mutation: JSON, _ result: JSON?, to doc: JSON?) -> JSON? {
        // What the server has kept of somebody else's is not ours to show.
        let lost = Set((result?["conflicts"]?.elements ?? []).compactMap { $0["field"]?.stringValue })
        let fields = (mutation["fields"]?.members ?? []).filter { !lost.contains($0.name) }
        switch mutation["op"]?.stringValue {
        case "create": return doc ?? .object([JSON.Member("id", mutation["id"] ?? .null)] + fields)
        case "delete": return nil
        case "transition": return doc.map { set(fields + (mutation["to"].map { [JSON.Member("status", $0)] } ?? []), in: $0) }
        default: return doc.map { set(fields, in: $0) }
        }
    }

    private static func set(_ fields: [JSON.Member], in doc: JSON) -> JSON {
        var members = doc.members ?? []
        for field in fields {
            if let index = members.firstIndex(where: { $0.name == field.name }) { members[index] = field } else { members.append(field) }
        }
        return .object(members)
    }
}
