import JSON
import SQLite
import Text

/// The table of one type of record: all its SQL, and the writes that go through the rules and out to the feed.
///
/// A class, because a copy of so many strings, for each use of it, costs more than most of them do.
package final class Store<R: Record>: Sendable {
    private let select: String
    private let selectByID: String
    private let insert: String
    private let delete: String
    package let table: String
    /// Where the state stands among the fields, for types that have states.
    let statusIndex: Int?
    /// The fields by name.
    let fields: [String: Field<R>]
    /// Those of them that a client has to give.
    let required: [String]
    /// What documents show beside the fields of the type, and those.
    let shown: Set<String>

    package init() {
        table = R.type.rawValue
        statusIndex = R.fields.firstIndex { $0.name == "status" }
        fields = Dictionary(uniqueKeysWithValues: R.fields.map { ($0.name, $0) })
        required = R.fields.filter(\.isRequired).map(\.name)
        shown = Set(R.shownFields.map { $0.name }).union(["id", "rev", "created_at", "updated_at"])
        let columns = ["rev", "own_rev", "created_ms", "updated_ms"] + R.fields.map { "\"\($0.name)\"" } + (R().searchText == nil ? [] : ["search"])
        select = "SELECT id, \(columns.joined(separator: ", ")) FROM \(table)"
        selectByID = select + " WHERE id = ?"
        insert = "INSERT INTO \(table) (id, \(columns.joined(separator: ", "))) VALUES (?\(String(repeating: ", ?", count: columns.count)))"
        delete = "DELETE FROM \(table) WHERE id = ?"
    }

    // MARK: Reading

    package func find(_ id: Identifier<R>, in connection: Connection) throws(DomainError) -> R? {
        try storing { () throws(DatabaseError) in try load(id, in: connection) }
    }

    func load(_ id: Identifier<R>, in connection: Connection) throws(DatabaseError) -> R? { try connection.first(selectByID, [id.value], record) }

    package func require(_ id: Identifier<R>, in connection: Connection) throws(DomainError) -> R {
        guard let found = try find(id, in: connection) else { throw .notFound(type: R.type.rawValue) }
        return found
    }

    /// The records where a condition on columns holds, in the order of their ids; with a limit, the first ones.
    package func all(where condition: String = "1", _ values: [Value] = [], limit: Int? = nil, in connection: Connection) throws(DomainError) -> [R] {
        let end = limit.map { " LIMIT \($0)" } ?? ""
        return try storing { () throws(DatabaseError) in try connection.all("\(select) WHERE \(condition) ORDER BY id\(end)", values, record) }
    }

    /// The first record of a co-op or other owner where a condition holds, in the order of their ids.
    package func first<Of>(where condition: String, _ id: Identifier<Of>, in connection: Connection) throws(DomainError) -> R? {
        try storing { () throws(DatabaseError) in try connection.first("\(select) WHERE \(condition) ORDER BY id LIMIT 1", [id.value], record) }
    }

    /// Whether the caller sees the record, or the one that has taken its place.
    package func isKnown(_ id: Identifier<R>, to caller: Caller, in tx: Transaction) throws(DomainError) -> Bool {
        guard let record = try find(id, in: tx.connection) else { return false }
        if record.isVisible(to: caller) { return true }
        guard let replacement = record.replacement else { return false }
        return try find(replacement, in: tx.connection)?.isVisible(to: caller) ?? false
    }

    /// Hands over every record, in the order of their ids, without holding more than one.
    func forEach(in connection: Connection, _ body: (R) throws(DatabaseError) -> Void) throws(DatabaseError) {
        let statement = try connection.statement(select + " ORDER BY id")
        defer { statement.reset() }
        while try statement.step() { try body(record(statement)) }
    }

    /// The seq of the record's last change, by which the feed finds its documents; nil where there is no such record.
    package func rev(of id: Identifier<R>, in connection: Connection) throws(DatabaseError) -> Int64? {
        try connection.first("SELECT rev FROM \(table) WHERE id = ?", [id.value]) { $0.integer(0) }
    }

    /// The id of the record with this slug, for types that have one.
    package func find(slug: String, in connection: Connection) throws(DomainError) -> Identifier<R>? {
        try storing { () throws(DatabaseError) in
            try connection.first("SELECT id FROM \(table) WHERE slug = ?", [.text(slug)]) { Identifier<R>($0.text(0)) } ?? nil
        }
    }

    // MARK: Writing

    package struct Created: Sendable {
        package let record: R
        /// False where the same id with the same content was there already.
        package let isNew: Bool
    }

    /// - Throws: `.invalid`, `.forbidden`, `.conflict` (`id.taken` and the type's own rules).
    package func create(_ draft: Draft<R>, by caller: Caller, in tx: Transaction) throws(DomainError) -> Created {
        try Coop.checkStillWrites(caller, in: tx)
        if let id = draft.id {
            // A device may offer it again that has not heard of it, or that outlives a restore.
            guard try storing({ () throws(DatabaseError) in try ErasureTable.find(id.text, in: tx.connection) }) == nil else { throw .recordErased }
            if let existing = try find(id, in: tx.connection) {
                guard let shown = try document(of: existing, for: caller, in: tx), draft.repeated(of: existing, shownAs: shown.bytes) == draft.given else {
                    throw .idTaken()
                }
                return Created(record: existing, isNew: false)
            }
            guard try storing({ () throws(DatabaseError) in try !Feed.hasTombstone(R.type, id.text, in: tx.connection) }) else { throw .idTaken() }
        }
        var record = R()
        draft.apply(to: &record)
        record.meta.id = Identifier(draft.id ?? tx.newID())
        let change = Change<R>(caller: caller, action: .create, old: nil, given: draft.given)
        try record.prepare(change, in: tx)
        try record.authorize(change)
        record.meta.created = tx.now
        try write(&record, change, in: tx)
        return Created(record: try settled(record, in: tx), isNew: true)
    }

    /// Changes what the patch names. A patch that changes nothing takes no seq.
    package func update(
        _ id: Identifier<R>, with patch: Draft<R>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> R {
        try modify(id, .change, given: meant(by: patch, for: id, by: caller, in: tx), expecting: expected, by: caller, in: tx) { (record, shown) throws(DomainError) in
            if !patch.echoed.isEmpty { try patch.checkEchoes(against: (try? JSON.parse(shown)) ?? .null) }
            patch.apply(to: &record)
        }
    }

    /// The fields that a patch is about: those that the role may set, and others unless they came back as the caller sees them.
    private func meant(by patch: Draft<R>, for id: Identifier<R>, by caller: Caller, in tx: Transaction) throws(DomainError) -> Set<String> {
        guard let role = caller.role, let writable = R.fields(for: role), !patch.given.isSubset(of: writable) else { return patch.given }
        let (record, shown) = try visible(id, to: caller, in: tx)
        return patch.given.subtracting(patch.repeated(of: record, shownAs: shown.bytes).subtracting(writable))
    }

    /// The one way in which a stored record changes: visible, permitted, not stale, then `body`, the rules, the row, the feed.
    func modify(
        _ id: Identifier<R>, _ action: Action, given: Set<String>, expecting expected: Expectation, by caller: Caller, evenIfReplaced: Bool = false,
        in tx: Transaction, _ body: (inout R, _ shown: [UInt8]) throws(DomainError) -> Void
    ) throws(DomainError) -> R {
        try Coop.checkStillWrites(caller, in: tx)
        // What others have changed of it in this batch comes first, and by itself.
        if R.settlesAfterwards { try tx.publishPending() }
        let (old, shown) = try visible(id, to: caller, in: tx)
        if !evenIfReplaced { try old.checkNotReplaced(for: caller, in: tx) }
        let change = Change(caller: caller, action: action, old: old, given: given)
        try old.authorize(change)
        try expected.check(old.meta, seenAs: shown.layer)
        var record = old
        try body(&record, shown.bytes)
        try record.prepare(change, in: tx)
        guard !record.hasFields(of: old) else { return old }
        try write(&record, change, in: tx)
        return try settled(record, in: tx)
    }

    private func settled(_ record: R, in tx: Transaction) throws(DomainError) -> R {
        guard R.settlesAfterwards else { return record }
        try tx.publishPending()
        return try require(record.id, in: tx.connection)
    }

    /// Changes a record because a rule says so: what the change of another record, or the clock, brings about.
    @discardableResult
    func amend(
        _ old: R, _ action: Action, by caller: Caller, in tx: Transaction, _ body: (inout R) throws(DomainError) -> Void
    ) throws(DomainError) -> R {
        var record = old
        try body(&record)
        guard !record.hasFields(of: old) else { return old }
        try write(&record, Change(caller: caller, action: action, old: old, given: [], isConsequence: true), in: tx)
        return record
    }

    /// Renders a record's documents again because something they show, but that is not its own, has changed.
    ///
    /// - Parameter shown: where its documents are, if the feed has been damaged and they are not where `old` would be read.
    func republish(_ old: R, as record: R? = nil, shownIn shown: [Audience]? = nil, in tx: Transaction) throws(DomainError) {
        try storing { () throws(DatabaseError) in _ = try renew(old, as: record ?? old, shownIn: shown, in: tx) }
    }

    /// What `republish` does, for those who go on with the record and with the database's own errors.
    ///
    /// - Returns: the record at its new seq.
    func renew(_ old: R, as record: R, shownIn shown: [Audience]? = nil, in tx: Transaction) throws(DatabaseError) -> R {
        var record = record
        record.meta.rev = tx.nextSeq()
        try change(old, to: record, in: tx)
        try Feed.publish(record, replacing: old, shownIn: shown, in: tx)
        return record
    }

    /// Makes sure that the caller may do away with a record, and has seen it as it is now.
    package func require(_ id: Identifier<R>, expecting expected: Expectation, for caller: Caller, in tx: Transaction) throws(DomainError) {
        let (record, shown) = try visible(id, to: caller, in: tx)
        try record.authorize(Change(caller: caller, action: .delete, old: record, given: []))
        try expected.check(record.meta, seenAs: shown.layer)
    }

    package func delete(_ id: Identifier<R>, expecting expected: Expectation, by caller: Caller, in tx: Transaction) throws(DomainError) {
        try Coop.checkStillWrites(caller, in: tx)
        let (record, shown) = try visible(id, to: caller, in: tx)
        try record.checkNotReplaced(for: caller, in: tx)
        let change = Change(caller: caller, action: .delete, old: record, given: [])
        try record.authorize(change)
        try expected.check(record.meta, seenAs: shown.layer)
        try record.checkDeletable(by: caller, in: tx)
        do throws(DatabaseError) {
            tx.feed.queues.forget(record)
            try tx.connection.run(delete, [id.value])
            try Feed.remove(record, .deleted, in: tx)
            try History.note(change, rev: tx.lastSeq, of: record, in: tx)
        } catch {
            guard error.kind == .foreignKey else { throw DomainError(error) }
            throw .conflict(
                code: "record.in-use",
                Bilingual(
                    en: "Other records refer to this \(R.type.rawValue); change or delete them first.",
                    fr: "D'autres enregistrements s'y rapportent (\(R.type.rawValue)) ; modifiez-les ou supprimez-les d'abord."))
        }
        try record.removed(in: tx)
    }

    /// What the caller sees of the record now; nil where it sees nothing.
    package func document(of record: R, for caller: Caller, in tx: Transaction) throws(DomainError) -> (layer: Audience, bytes: [UInt8])? {
        if let published = tx.published[R.type], published.id == record.meta.id, published.rev == record.meta.rev {
            let readers = caller.layers.lazy.compactMap { layer in published.readers.first { $0.audience == layer } }
            return readers.first.map { ($0.audience, published.entry.document(hiding: $0.hidden)) }
        }
        return try storing { () throws(DatabaseError) in
            try Feed.document(rev: record.meta.rev, layers: caller.layers, number: tx.feed.number, in: tx.connection)
        }
    }

    private func visible(_ id: Identifier<R>, to caller: Caller, in tx: Transaction) throws(DomainError) -> (R, (layer: Audience, bytes: [UInt8])) {
        guard let record = try find(id, in: tx.connection) else { throw .notFound(type: R.type.rawValue) }
        guard let shown = try document(of: record, for: caller, in: tx) else {
            try record.checkNotReplaced(for: caller, in: tx)
            throw .notFound(type: R.type.rawValue)
        }
        return (record, shown)
    }

    private func write(_ record: inout R, _ change: Change<R>, in tx: Transaction) throws(DomainError) {
        record.meta.rev = tx.nextSeq()
        record.meta.ownRev = record.meta.rev
        record.meta.updated = tx.now
        do throws(DatabaseError) {
            if let old = change.old { try self.change(old, to: record, in: tx) } else { try add(record, in: tx) }
            try Feed.publish(record, replacing: change.old, in: tx)
            try History.note(change, rev: record.meta.rev, of: record, in: tx)
        } catch {
            try explain(error, record, in: tx)
        }
        try record.stored(change, in: tx)
    }

    private func add(_ record: R, in tx: Transaction) throws(DatabaseError) {
        tx.feed.queues.forget(record)
        let meta = record.meta
        try tx.update(insert, expecting: 1) { (statement) throws(DatabaseError) in
            try statement.bind(1, meta.id)
            try statement.bind(2, .integer(meta.rev))
            try statement.bind(3, .integer(meta.ownRev))
            try statement.bind(4, .integer(meta.created.milliseconds))
            try statement.bind(5, .integer(meta.updated.milliseconds))
            var index = 6
            for field in R.fields {
                try field.bind(record, statement, index)
                index += 1
            }
            if let text = record.searchText { try statement.bind(index, .text(text.folded)) }
        }
    }

    /// Names the columns that differ only: SQLite then leaves the indexes over the others alone, and their foreign keys unchecked.
    private func change(_ old: R, to record: R, in tx: Transaction) throws(DatabaseError) {
        tx.feed.queues.forget(old)
        var sql = "UPDATE \(table) SET rev = ?, own_rev = ?, updated_ms = ?"
        var values = [record.meta.rev, record.meta.ownRev, record.meta.updated.milliseconds].map { Value.integer($0) }
        for field in R.fields where !field.isEqual(old, record) {
            sql += ", \"\(field.name)\" = ?"
            values.append(field.column(record))
        }
        if let text = record.searchText, text != old.searchText {
            sql += ", search = ?"
            values.append(.text(text.folded))
        }
        try tx.connection.run(sql + " WHERE id = ?", values + [.text(record.meta.id.text)])
    }

    /// Says which field a broken rule of the schema is about.
    private func explain(_ error: DatabaseError, _ record: R, in tx: Transaction) throws(DomainError) -> Never {
        switch error.kind {
        case .foreignKey:
            var faults = Faults()
            for field in R.fields {
                // A list's column is no id; whoever links its elements checks them.
                guard let target = field.target, field.cell == .text, case .text(let id) = field.column(record) else { continue }
                let exists = try storing { () throws(DatabaseError) in
                    try tx.connection.first("SELECT 1 FROM \(target.rawValue) WHERE id = ?", [.text(id)]) { _ in true } ?? false
                }
                if !exists { faults.addUnknownReference("#/\(field.name)", target) }
            }
            try faults.throwIfAny()
            throw DomainError(error)
        case .unique:
            let column = R.fields.map(\.name).last { error.message.contains("\(table).\($0)") } ?? "id"
            throw .conflict(
                code: "\(R.type.rawValue).\(column).taken",
                Bilingual(
                    en: "Another \(R.type.rawValue) has this \(column) already; choose another.",
                    fr: "Un autre enregistrement (\(R.type.rawValue)) a déjà cette valeur de \(column) ; choisissez-en une autre."))
        default: throw DomainError(error)
        }
    }

    /// - Throws: for a row that only another program can have written, with its id; it must cost nobody more than its own record.
    private func record(_ statement: Statement) throws(DatabaseError) -> R {
        do throws(DatabaseError) { return try sound(statement) } catch {
            throw DatabaseError(code: error.code, message: "\(table) \(statement.text(0)): \(error.message)", sql: error.sql)
        }
    }

    private func sound(_ statement: Statement) throws(DatabaseError) -> R {
        var record = R()
        guard let id: Identifier<Void> = statement.identifier(0) else { throw statement.damage(0, "id") }
        record.meta = Meta(
            id: id, rev: statement.integer(1), ownRev: statement.integer(2), created: Timestamp(milliseconds: statement.integer(3)),
            updated: Timestamp(milliseconds: statement.integer(4)))
        for (index, field) in R.fields.enumerated() { try field.load(&record, statement, index + 5) }
        return record
    }
}

extension Record {
    func hasFields(of other: Self) -> Bool { Self.fields.allSatisfy { $0.isEqual(self, other) } }
}

extension Faults {
    mutating func addUnknownReference(_ pointer: String, _ target: RecordType) {
        add(
            pointer, "reference.unknown", en: "names no \(target.rawValue) that exists; list them with GET to find its id",
            fr: "ne désigne aucun enregistrement existant (\(target.rawValue)) ; listez-les avec GET pour trouver son identifiant")
    }
}
