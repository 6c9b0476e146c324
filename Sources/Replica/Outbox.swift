import JSON
import SQLite

/// Something that a person did on this device.
package struct LocalChange: Sendable {
    package enum Operation: String, Sendable { case create, patch, delete, transition }

    package let type: String
    /// Nil for a new record, which then gets one.
    package let id: String?
    package let operation: Operation
    package let fields: JSON?
    /// The state to go to.
    package let to: String?

    package init(_ operation: Operation, _ type: String, _ id: String? = nil, fields: JSON? = nil, to: String? = nil) {
        (self.operation, self.type, self.id, self.fields, self.to) = (operation, type, id, fields, to)
    }

    /// `{"op": "patch", "type": "referent", "id": "…", "fields": {…}}`, with `to` for a transition.
    package init(_ json: JSON) throws {
        let known = ["op", "type", "id", "fields", "to"]
        guard let members = json.members, members.allSatisfy({ known.contains($0.name) }), let type = json["type"]?.stringValue,
            let operation = json["op"]?.stringValue.flatMap(Operation.init)
        else { throw ReplicaError.notAChange("it needs `type` and `op` (create, patch, delete or transition), and may have id, fields, to") }
        let (id, fields, to) = (json["id"], json["fields"], json["to"])
        guard id == nil || id?.stringValue != nil, to == nil || to?.stringValue != nil, id != nil || operation == .create, fields == nil || fields?.members != nil else {
            throw ReplicaError.notAChange("`id` and `to` are texts, `fields` is an object, and only a creation goes without id")
        }
        self.init(operation, type, id?.stringValue, fields: fields, to: to?.stringValue)
    }
}

/// What became of a change, where the person should know: it was refused, or somebody else had changed the same.
package struct Notice: Sendable {
    package let mid: String
    /// What was sent.
    package let mutation: JSON
    /// `{"status": "conflict", "conflicts": […], "doc": …}` or `{"status": "rejected", "problem": …}`, as the server said it.
    package let result: JSON
}

extension LocalStore {
    /// Acknowledged changes that are kept, for the day when a restored server has lost some of them.
    private static let kept: Int64 = 5000

    struct Queued {
        let number: Int64
        let mid: String
        let mutation: String
    }

    func enqueue(mid: String, type: String, id: String, mutation: String) throws {
        try connection.run("INSERT INTO outbox (mid, type, id, mutation) VALUES (?, ?, ?, ?)", [.text(mid), .text(type), .text(id), .text(mutation)])
    }

    /// What has no result yet, in the order in which it was done.
    func waiting(atMost count: Int) throws -> [Queued] {
        try connection.all("SELECT number, mid, mutation FROM outbox WHERE result IS NULL ORDER BY number LIMIT ?", [.integer(Int64(count))]) {
            Queued(number: $0.integer(0), mid: $0.text(1), mutation: $0.text(2))
        }
    }

    func waitingCount() throws -> Int { Int(try connection.first("SELECT count(*) FROM outbox WHERE result IS NULL") { $0.integer(0) } ?? 0) }

    /// - Returns: false for a mid that nobody waits for.
    func acknowledge(_ mid: String, _ result: JSON, checkpoint: Int64) throws -> Bool {
        let status = result["status"]?.stringValue ?? ""
        let row = try connection.first("SELECT id FROM outbox WHERE mid = ? AND result IS NULL", [.text(mid)]) { $0.text(0) }
        guard let id = row else { return false }
        // What was refused is not shown any longer; nor is a record that exists under another id, which the pull brings.
        let liesOver = (status == "applied" || status == "merged" || status == "duplicate") && result["id"]?.stringValue == id
        let isPlain = status == "applied" || status == "duplicate"
        try connection.run(
            "UPDATE outbox SET result = ?, checkpoint = ?, lies_over = ?, is_heard = ? WHERE mid = ?",
            [.text(result.text), .integer(checkpoint), .integer(liesOver ? 1 : 0), .integer(isPlain ? 1 : 0), .text(mid)])
        return true
    }

    /// The copy is complete at this seq: it shows by itself what was acknowledged up to there.
    func settle(at seq: Int64) throws {
        try connection.run("UPDATE outbox SET lies_over = 0 WHERE lies_over = 1 AND checkpoint <= ?", [.integer(seq)])
        try connection.run(
            "DELETE FROM outbox WHERE lies_over = 0 AND is_heard = 1 AND result IS NOT NULL AND number <= (SELECT max(number) FROM outbox) - ?", [.integer(Self.kept)])
    }

    /// A restored server may have lost what it acknowledged after `seq`: that waits again, under the same mids, so that what it has not
    /// lost happens no second time.
    func reoffer(after seq: Int64) throws {
        try connection.run(
            """
            UPDATE outbox SET result = NULL, checkpoint = NULL, lies_over = 1, is_heard = 0
            WHERE checkpoint > ? AND result ->> 'status' IN ('applied', 'merged', 'duplicate')
            """, [.integer(seq)])
    }

    // MARK: What is shown

    /// The changes that lie over a record, oldest first, each with its result if there is one.
    func overlay(_ type: String, _ id: String) throws -> [(mutation: JSON, result: JSON?)] {
        try connection.all("SELECT mutation, result FROM outbox WHERE type = ? AND id = ? AND lies_over = 1 ORDER BY number", [.text(type), .text(id)]) {
            ($0.text(0), $0.optionalText(1))
        }.map { (try JSON.parse(Array($0.utf8)), try $1.map { try JSON.parse(Array($0.utf8)) }) }
    }

    func overlaidIDs(of type: String) throws -> [String] {
        try connection.all("SELECT DISTINCT id FROM outbox WHERE type = ? AND lies_over = 1", [.text(type)]) { $0.text(0) }
    }

    // MARK: What the person should know

    package func notices() throws -> [Notice] {
        try connection.all("SELECT mid, mutation, result FROM outbox WHERE is_heard = 0 AND result IS NOT NULL ORDER BY number") { ($0.text(0), $0.text(1), $0.text(2)) }
            .map { Notice(mid: $0, mutation: try JSON.parse(Array($1.utf8)), result: try JSON.parse(Array($2.utf8))) }
    }

    func hear(_ mid: String) throws { try connection.run("UPDATE outbox SET is_heard = 1 WHERE mid = ?", [.text(mid)]) }
}
