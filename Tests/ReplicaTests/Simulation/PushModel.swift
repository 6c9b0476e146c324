import Domain
import JSON
@testable import Replica

/// The server's side of pushing, done again naively: who set which field when, and what was answered to which mid.
///
/// Exact for referents and sites; of other types it knows only that a mid has one result.
struct PushModel {
    struct Entry {
        let type: String
        var coop: String
        /// As JSON text.
        var values: [String: String]
        /// Who set a field, and who did anything to the record, with the seq. Nobody's token is empty.
        var setters: [String: [(seq: Int64, token: String)]]
        var touches: [(seq: Int64, token: String)]
        var isDeleted = false
    }

    /// What was sent, as the model sees it.
    struct Context {
        let token: String
        let caller: Caller
    }

    private static let fields = [
        "referent": ["given_name", "family_name", "job_title", "work_phone", "work_email"], "site": ["name", "workstations", "seats", "address"],
    ]

    private(set) var records: [String: Entry] = [:]
    /// By token and mid.
    private(set) var results: [String: (mutation: String, result: JSON, record: String)] = [:]
    /// Records of which nobody may know anything any more.
    private(set) var erased: Set<String> = []
    /// A co-op that was merged into another.
    private(set) var merged: Set<String> = []

    func alive(_ type: String) -> [String] { records.filter { $0.value.type == type && !$0.value.isDeleted }.keys.sorted() }

    // MARK: Judging a push

    /// - Returns: the checks that this push has shown.
    mutating func judge(_ mutation: JSON, _ result: JSON, by context: Context, isKnownAbsent: () throws -> JSON?) throws -> [Check] {
        let (mid, id, type) = (mutation.text("mid"), mutation.text("id"), mutation.text("type"))
        let status = result.text("status")
        guard ["applied", "merged", "duplicate", "conflict", "rejected"].contains(status) else { throw Divergence(.pushedOnce, "status \(status)") }
        let key = context.token + mid
        if let former = results[key] {
            guard former.result == result || erased.contains(id) else {
                throw Divergence(.pushedOnce, "\(mutation.text) was answered \(former.result.text), now \(result.text)")
            }
            return [.pushedOnce]
        }
        results[key] = (mutation.text, result, id)
        guard Self.fields[type] != nil, !erased.contains(id) else { return type == "nonsense" ? [.outboxesEmpty] : [] }
        return try judge(type, id, mutation, result, status, context, isKnownAbsent)
    }

    private mutating func judge(
        _ type: String, _ id: String, _ mutation: JSON, _ result: JSON, _ status: String, _ context: Context, _ isKnownAbsent: () throws -> JSON?
    ) throws -> [Check] {
        let rev = result["rev"]?.integerValue ?? 0
        let fields = mutation["fields"]?.members ?? []
        func expect(_ check: Check, _ expected: String...) throws {
            guard expected.contains(status) else {
                throw Divergence(check, "\(mutation.text) by \(context.caller.actor) is \(result.text), should be \(expected.joined(separator: " or ")); \(records[id].map { "\($0)" } ?? "no record")")
            }
        }
        if mutation.text("op") == "create" {
            let coop = mutation["fields"]?.text("coop_id") ?? ""
            guard context.maySet(coop), !merged.contains(coop) else {
                try expect(.nothingIsLearnt, "rejected", "duplicate")
                return [.nothingIsLearnt]
            }
            // Offered again after a restore that has not lost it, or after somebody has deleted it.
            guard records[id] == nil else { return [] }
            try expect(.pushedOnce, "applied")
            let mine = [(rev, context.token)]
            records[id] = Entry(
                type: type, coop: coop, values: Dictionary(uniqueKeysWithValues: fields.filter { $0.name != "coop_id" }.map { ($0.name, $0.value.text) }),
                setters: Dictionary(uniqueKeysWithValues: (Self.fields[type] ?? []).map { ($0, mine) }), touches: mine)
            return []
        }
        guard var entry = records[id] else {
            try expect(.nothingIsLearnt, "rejected", "conflict")
            return []
        }
        if entry.isDeleted {
            try expect(.deletionIsFinal, "rejected", mutation.text("op") == "delete" ? "duplicate" : "conflict")
            return [.deletionIsFinal]
        }
        guard context.maySet(entry.coop) else {
            try expect(.nothingIsLearnt, "rejected")
            guard let absent = try isKnownAbsent(), absent == result["problem"] else {
                throw Divergence(.nothingIsLearnt, "\(mutation.text) is refused otherwise than on an absent record: \(result.text)")
            }
            return [.nothingIsLearnt]
        }
        let base = mutation["base"]?.integerValue ?? 0
        func others(_ list: [(seq: Int64, token: String)]) -> Bool { list.contains { $0.seq > base && $0.token != context.token } }
        var shown: [Check] = []
        switch mutation.text("op") {
        case "patch":
            let lost = fields.filter { others(entry.setters[$0.name] ?? []) && entry.values[$0.name] != $0.value.text }.map(\.name)
            let accepted = fields.filter { !lost.contains($0.name) }
            try expect(.editsMerge, lost.isEmpty ? "applied" : accepted.isEmpty ? "conflict" : "merged")
            guard (result["conflicts"]?.elements ?? []).map({ $0.text("field") }).sorted() == lost.sorted() else {
                throw Divergence(.editsMerge, "\(mutation.text) loses \(lost), and is told \(result.text)")
            }
            if !lost.isEmpty || others(entry.touches) { shown.append(.editsMerge) }
            if fields.contains(where: { (entry.setters[$0.name] ?? []).contains { $0.seq > base && $0.token == context.token } }) { shown.append(.ownEditsAgree) }
            shown.append(.otherFieldsStay)
            for field in accepted where entry.values[field.name] != field.value.text {
                entry.values[field.name] = field.value.text
                entry.setters[field.name, default: []].append((rev, context.token))
                entry.touches.append((rev, context.token))
            }
        case "delete":
            try expect(.deletionIsFinal, others(entry.touches) ? "conflict" : "applied")
            entry.isDeleted = status == "applied"
            shown.append(.deletionIsFinal)
        default: if status == "applied" { entry.touches.append((rev, context.token)) }
        }
        records[id] = entry
        return shown
    }

    // MARK: What happens beside pushes

    mutating func erase(_ id: String) {
        erased.insert(id)
        records[id] = nil
        for key in results.filter({ $0.value.record == id }).map(\.key) { results[key] = nil }
    }

    /// What the merge has done is asked of the server's history: here only what follows from it is known.
    mutating func merge(_ coop: String, into target: String, touches: (String) throws -> [(seq: Int64, token: String)]) rethrows {
        merged.insert(coop)
        for (id, entry) in records where entry.coop == coop && !entry.isDeleted {
            records[id]?.coop = target
            records[id]?.touches = try touches(id)
        }
    }

    /// The state of a backup, but for what was erased since.
    mutating func restore(_ former: PushModel) {
        let erased = erased
        self = former
        for id in erased.sorted() { erase(id) }
    }

    // MARK: Comparing

    /// - Throws: where the server's tables have something else.
    func verify(_ check: Check, on server: SimulatedServer) throws {
        for (type, fields) in Self.fields {
            let rows = try server.rows("SELECT id, \(fields.joined(separator: ", ")) FROM \(type)") { row in
                (row.text(0), fields.indices.map { row.isNull(Int(Int32($0 + 1))) ? "" : row.text($0 + 1) })
            }
            let stored = Dictionary(uniqueKeysWithValues: rows)
            for (id, entry) in records where entry.type == type {
                guard let row = stored[id] else {
                    if entry.isDeleted { continue }
                    throw Divergence(check, "\(type) \(id) is lost: \(entry)")
                }
                guard !entry.isDeleted else { throw Divergence(.deletionIsFinal, "\(type) \(id) is there again") }
                for (field, value) in zip(fields, row) where (entry.values[field] ?? "null") != (value.isEmpty ? "null" : entry.values[field]?.first == "\"" ? JSON.string(value).text : value) {
                    // What the server fills in by itself is not the model's.
                    throw Divergence(check, "\(type) \(id) has \(field) \(value), should have \(entry.values[field] ?? "nothing")")
                }
            }
        }
    }
}

extension PushModel.Context {
    func maySet(_ coop: String) -> Bool { caller.role == .federationAdmin || caller.role == .coopManager && caller.coop?.text == coop }
}

extension JSON {
    /// A member's text; empty where there is none.
    func text(_ name: String) -> String { self[name]?.stringValue ?? "" }
}
