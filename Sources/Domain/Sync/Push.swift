import JSON
import SQLite
import Text

/// Takes what a device did while it was away: each mutation on its own, in order, by the same rules as a request, and each once,
/// however often it is sent.
package struct Push: Sendable {
    package let caller: Caller
    /// Makes the problem document of an error, in the device's language.
    private let problem: @Sendable (DomainError) -> [UInt8]

    package init(by caller: Caller, problem: @escaping @Sendable (DomainError) -> [UInt8]) {
        self.caller = caller
        self.problem = problem
    }

    /// How long a result is kept for a device that asks again.
    static let daysKept: Int64 = 90

    private enum SQL {
        static let find = "SELECT digest, result FROM push_result WHERE token_id = ? AND mid = ?"
        static let keep = "INSERT INTO push_result (token_id, mid, digest, result, type, id, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
        static let forgetRecord = "DELETE FROM push_result WHERE type = ? AND id = ?"
        static let forget = "DELETE FROM push_result WHERE created_ms < ?"
        static let others = "SELECT fields, action FROM history WHERE type = ? AND id = ? AND seq > ? AND token_id IS NOT ?"
    }

    /// The result of each, as JSON objects, in order.
    ///
    /// - Throws: only where nothing can be stored now: then nothing is, and the device sends it all again.
    package func run(_ mutations: [(json: JSON, parsed: Result<Mutation, DomainError>)], in tx: Transaction) throws(DomainError) -> [[UInt8]] {
        var results: [[UInt8]] = []
        for mutation in mutations {
            switch mutation.parsed {
            case .success(let mutation): results.append(try run(mutation, in: tx))
            case .failure(let error): results.append(rejection(Mutation.mid(of: mutation.json)?.text, nil, error))
            }
        }
        return results
    }

    private func run(_ mutation: Mutation, in tx: Transaction) throws(DomainError) -> [UInt8] {
        let token = caller.token?.value ?? .null
        let kept = try storing { () throws(DatabaseError) in
            try tx.connection.first(SQL.find, [token, mutation.mid.value]) { ($0.blob(0), $0.blob(1)) }
        }
        if let (digest, result) = kept {
            if digest == mutation.digest { return result }
            return rejection(mutation.mid.text, mutation, .invalid([
                Fault("#/mid", "mid.reused", en: "came with other content before; make a new mid for each thing done", fr: "a déjà servi avec un autre contenu ; créez un mid pour chaque action")
            ]))
        }
        let result: [UInt8]
        switch try tx.attempt({ () throws(DomainError) in try apply(mutation.type.record, mutation, in: tx) }) {
        case .success(let outcome): result = outcome
        case .failure(let error): result = rejection(mutation.mid.text, mutation, Self.disguised(error))
        }
        try storing { () throws(DatabaseError) in
            try tx.connection.run(
                SQL.keep,
                [
                    token, mutation.mid.value, .blob(mutation.digest), .text(String(decoding: result, as: UTF8.self)), .text(mutation.type.rawValue),
                    .text(mutation.id.text), .integer(tx.now.milliseconds),
                ])
        }
        return result
    }

    /// The results that show a record. A mutation that is repeated all the same meets the rules again.
    static func forget(_ type: RecordType, _ id: String, in connection: Connection) throws(DatabaseError) {
        try connection.run(SQL.forgetRecord, [.text(type.rawValue), .text(id)])
    }

    static func forget(in tx: Transaction) throws(DatabaseError) {
        try tx.connection.run(SQL.forget, [.integer(tx.now.adding(seconds: -daysKept * 86_400).milliseconds)])
    }

    /// Another's record is refused like one that is not there.
    private static func disguised(_ error: DomainError) -> DomainError {
        guard case .forbidden(code: "scope.not-yours", _) = error else { return error }
        return .notFound(type: "record")
    }

    // MARK: One mutation

    private func apply<R: Record>(_ type: R.Type, _ mutation: Mutation, in tx: Transaction) throws(DomainError) -> [UInt8] {
        let id = Identifier<R>(mutation.id)
        switch mutation.operation {
        case .create: return try create(type, mutation, in: tx)
        case .patch, .delete, .transition:
            // What the role may do to no record is refused before any is looked for, so that nobody learns which there are.
            try R.authorize(mutation.operation.action, by: caller)
            // So that a conflict shows what this push itself has brought about.
            if R.settlesAfterwards { try tx.publishPending() }
            guard let record = try R.store.find(id, in: tx.connection), record.isVisible(to: caller) else { return try gone(type, mutation, in: tx) }
            // Nor is anything said of another's record that its absence would not say.
            try record.authorize(Change(caller: caller, action: mutation.operation.action, old: record, given: []))
            switch mutation.operation {
            case .patch: return try patch(record, mutation, in: tx)
            case .delete: return try delete(record, mutation, in: tx)
            case .create, .transition: return try step(record, mutation, in: tx)
            }
        }
    }

    private func create<R: Record>(_ type: R.Type, _ mutation: Mutation, in tx: Transaction) throws(DomainError) -> [UInt8] {
        guard case .object(let members) = mutation.fields, !members.contains(where: { $0.name == "id" }) else {
            throw .invalid([Fault("#/fields/id", "field.read-only", en: "stands in the mutation itself", fr: "figure déjà dans la mutation")])
        }
        let draft = try Draft<R>(.object([JSON.Member("id", .string(mutation.id.text))] + members), for: .create)
        do throws(DomainError) {
            let created = try R.store.create(draft, by: caller, in: tx)
            return try result(created.isNew ? "applied" : "duplicate", of: created.record, mutation, in: tx)
        } catch {
            // The co-op endorses the idea already: what the device wanted is so.
            guard case .conflict(code: "endorsement.given", _, let members) = error,
                let other = members.first(where: { $0.name == "endorsement_id" }).flatMap({ Identifier<R>($0.json.dropFirst().dropLast()) }),
                let record = try R.store.find(other, in: tx.connection)
            else { throw error }
            return try result("duplicate", of: record, mutation, in: tx)
        }
    }

    /// A field that somebody else set since the device looked is a conflict, unless it is the same; the others go through.
    private func patch<R: Record>(_ record: R, _ mutation: Mutation, in tx: Transaction) throws(DomainError) -> [UInt8] {
        let draft = try Draft<R>(mutation.fields, for: .patch)
        let others = try changedByOthers(record, since: mutation.base, in: tx).fields
        var changed = record
        draft.apply(to: &changed)
        let conflicts = R.fields.filter { draft.given.contains($0.name) && others.contains($0.name) && !$0.isEqual(changed, record) }.map { $0.name }
        let accepted = draft.assignments.filter { !conflicts.contains($0.field) }
        // Whoever may not change it learns nothing from a conflict either: where nothing is accepted, the rules look all the same.
        try record.authorize(Change(caller: caller, action: .change, old: record, given: draft.given))
        let stored = try R.store.update(
            record.id, with: Draft(id: nil, assignments: accepted, echoed: draft.echoed), expecting: .any, by: caller, in: tx)
        if conflicts.isEmpty { return try result("applied", of: stored, mutation, in: tx) }
        return try result(accepted.isEmpty ? "conflict" : "merged", of: stored, mutation, conflicts: conflicts, in: tx)
    }

    private func delete<R: Record>(_ record: R, _ mutation: Mutation, in tx: Transaction) throws(DomainError) -> [UInt8] {
        if try changedByOthers(record, since: mutation.base, in: tx).any { return try result("conflict", of: record, mutation, conflicts: [], in: tx) }
        try R.store.delete(record.id, expecting: .any, by: caller, in: tx)
        return header("applied", mutation, id: mutation.id.text, rev: tx.lastSeq).closed
    }

    /// A step that the present state forbids is a conflict on `status`, or done already.
    private func step<R: Record>(_ record: R, _ mutation: Mutation, in tx: Transaction) throws(DomainError) -> [UInt8] {
        guard case .object(let members) = mutation.fields, let to = mutation.to else { return try result("conflict", of: record, mutation, in: tx) }
        do throws(DomainError) {
            try R.step(record.id, .object([JSON.Member("to", to)] + members), expecting: .any, by: caller, in: tx)
        } catch {
            guard case .conflict(code: "state.forbidden", _, let members) = error, let now = members.first(where: { $0.name == "status_now" })?.json else { throw error }
            if now == "\"\(to.stringValue ?? "")\"" { return try result("duplicate", of: record, mutation, in: tx) }
            return try result("conflict", of: record, mutation, conflicts: ["status"], in: tx)
        }
        return try result("applied", of: R.store.require(record.id, in: tx.connection), mutation, in: tx)
    }

    /// Deletion is final: what comes after it is a conflict for those who knew the record, and a refusal for all others.
    private func gone<R: Record>(_ type: R.Type, _ mutation: Mutation, in tx: Transaction) throws(DomainError) -> [UInt8] {
        let numbers = caller.layers.compactMap { tx.feed.number(of: $0) }
        let wasDeleted = try storing { () throws(DatabaseError) in
            try tx.connection.all("SELECT audience FROM feed WHERE id = ? AND type = ? AND entry IS NULL AND gone = 'deleted'", [.text(mutation.id.text), .text(R.type.rawValue)]) {
                $0.integer(0)
            }.contains { numbers.contains($0) }
        }
        guard wasDeleted else { throw .notFound(type: R.type.rawValue) }
        if mutation.operation == .delete { return header("duplicate", mutation, id: mutation.id.text, rev: tx.lastSeq).closed }
        var json = header("conflict", mutation, id: mutation.id.text, rev: tx.lastSeq)
        json.json.key("conflicts")
        json.json.beginArray()
        json.json.endArray()
        json.json.member("gone", "deleted")
        return json.closed
    }

    /// What others than this device changed of the record after the seq that it had seen.
    private func changedByOthers<R: Record>(_ record: R, since base: Int64, in tx: Transaction) throws(DomainError) -> (fields: Set<String>, any: Bool) {
        guard record.meta.ownRev > base else { return ([], false) }
        let rows = try storing { () throws(DatabaseError) in
            try tx.connection.all(SQL.others, [.text(R.type.rawValue), .text(record.meta.id.text), .integer(base), caller.token?.value ?? .null]) {
                ($0.text(0), $0.text(1))
            }
        }
        var fields: Set<String> = []
        for (names, action) in rows {
            // Who creates a record sets all of it.
            if action == Action.create.rawValue { fields.formUnion(R.fields.map(\.name)) }
            for name in names.split(separator: ",") { fields.insert(String(name)) }
        }
        return (fields, !rows.isEmpty)
    }

    // MARK: Results

    private struct Open {
        var json: JSONWriter
        var closed: [UInt8] {
            var json = json
            json.endObject()
            return json.bytes
        }
    }

    private func header(_ status: String, _ mutation: Mutation, id: String, rev: Int64) -> Open {
        var json = JSONWriter()
        json.beginObject()
        json.member("mid", mutation.mid.text)
        json.member("status", status)
        json.member("type", mutation.type.rawValue)
        json.member("id", id)
        json.key("rev")
        json.integer(rev)
        return Open(json: json)
    }

    private func result<R: Record>(
        _ status: String, of record: R, _ mutation: Mutation, conflicts: [String]? = nil, in tx: Transaction
    ) throws(DomainError) -> [UInt8] {
        var open = header(status, mutation, id: record.id.text, rev: record.meta.rev)
        guard let conflicts else { return open.closed }
        let shown = try R.store.document(of: record, for: caller, in: tx)?.bytes ?? Array("null".utf8)
        let server = (try? JSON.parse(shown)) ?? .null
        open.json.key("conflicts")
        open.json.beginArray()
        for name in conflicts {
            open.json.beginObject()
            open.json.member("field", name)
            open.json.key("yours")
            open.json.value(mutation.fields[name] ?? mutation.to ?? .null)
            open.json.key("server")
            open.json.value(server[name] ?? .null)
            open.json.endObject()
        }
        open.json.endArray()
        open.json.key("doc")
        open.json.raw(shown)
        return open.closed
    }

    private func rejection(_ mid: String?, _ mutation: Mutation?, _ error: DomainError) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("mid", mid)
        json.member("status", "rejected")
        json.member("type", mutation?.type.rawValue)
        json.member("id", mutation?.id.text)
        json.key("problem")
        json.raw(problem(error))
        json.endObject()
        return json.bytes
    }
}
