import JSON
import SQLite
import Text

/// A record of a file, checked as far as that goes without the database.
protocol ImportRow: Sendable {
    var place: ImportPlace { get }
    /// Writes the record, or says in the session what keeps it out.
    ///
    /// - Throws: what is no fault of the row: no room, a damaged file.
    func bring(into session: inout ImportSession, in tx: Transaction) throws(DomainError)
}

/// A field that a row gives by slugs, to be looked up when the records that they name are there.
private struct Reference<R: Record>: Sendable {
    let field: Field<R>
    let target: RecordType
    let slugs: [String]

    var isList: Bool { field.cell == .list }
}

extension Field {
    /// The name under which files give a reference by slug: `coop` for `coop_id`, `resources` for `resource_ids`.
    var slugName: String? {
        guard target != nil else { return nil }
        if name.hasSuffix("_ids") { return name.dropLast(4) + "s" }
        return name.hasSuffix("_id") ? String(name.dropLast(3)) : nil
    }
}

struct TypedRow<R: Importable>: ImportRow {
    let place: ImportPlace
    /// What the file says of the record. A draft holds a closure for each field, 120 MB more for 100,000 rows, so it is
    /// made again when the row's turn has come.
    private let values: Values
    private let references: [Reference<R>]
    private let slug: String?

    /// Takes the members of a file's element, by field or by the name of a reference; nil, with the faults, where they will not do.
    init?(_ members: [JSON.Member], at place: ImportPlace, _ faults: inout ImportFaults) {
        var fields: [JSON.Member] = []
        var references: [Reference<R>] = []
        var slug: String?
        var isSound = true
        for member in members {
            if member.name == "slug" { slug = member.value.stringValue }
            guard let field = R.field(bySlugs: member.name), let target = field.target else {
                fields.append(member)
                continue
            }
            let isList = field.cell == .list
            guard let slugs = Self.slugs(member.value, isList: isList) else {
                faults.add(
                    place, at: member.name, "field.type", en: isList ? "must be a list of slugs" : "must be a slug",
                    fr: isList ? "doit être une liste de slugs" : "doit être un slug")
                isSound = false
                continue
            }
            references.append(Reference(field: field, target: target, slugs: slugs))
            if slugs.isEmpty, field.isNullable { fields.append(JSON.Member(field.name, .null)) }
            // An id that names nothing stands in until the slug is looked up, so that the draft has what it requires.
            if !slugs.isEmpty, !isList { fields.append(JSON.Member(field.name, .string(Identifier<Void>(high: 0, low: 0).text))) }
        }
        self.place = place
        self.references = references
        self.slug = slug
        do throws(DomainError) {
            values = Values(try Draft<R>(.object(fields), for: .bringIn))
        } catch {
            Self.explain(error, at: place, naming: references, &faults)
            return nil
        }
        if !isSound { return nil }
    }

    /// - Returns: none for null; nil for what is no slug or list of them.
    private static func slugs(_ value: JSON, isList: Bool) -> [String]? {
        switch value {
        case .null where !isList: return []
        case .string(let slug) where !isList: return [slug]
        case .array(let elements) where isList:
            let slugs = elements.compactMap(\.stringValue)
            return slugs.count == elements.count ? slugs : nil
        default: return nil
        }
    }

    // MARK: With the database

    func bring(into session: inout ImportSession, in tx: Transaction) throws(DomainError) {
        do throws(DomainError) {
            guard let values = try resolved(in: &session, tx) else { return session.leaveOut(R.type, slug) }
            try session.count(bring(values, into: &session, in: tx), R.type)
        } catch {
            session.leaveOut(R.type, slug)
            guard Self.explain(error, at: place, naming: references, &session.faults) else { throw error }
        }
    }

    /// The values with ids for slugs; nil where one names nothing.
    private func resolved(in session: inout ImportSession, _ tx: Transaction) throws(DomainError) -> Values? {
        var values = values
        var isWhole = true
        for reference in references {
            var ids: [JSON] = []
            for (index, slug) in reference.slugs.enumerated() {
                let name = reference.field.slugName ?? reference.field.name
                let path = reference.isList ? "\(name)/\(index)" : name
                switch try session.find(slug, of: reference.target, in: tx) {
                case .id(let id): ids.append(.string(id.text))
                case .leftOut: isWhole = false
                case .unknown:
                    isWhole = false
                    session.faults.add(
                        place, at: path, "reference.unknown",
                        en: "\"\(slug.shortened)\" names no \(reference.target.rawValue), neither in these files nor on the server; is its file missing?",
                        fr: "« \(slug.shortened) » ne désigne rien (\(reference.target.rawValue)), ni dans ces fichiers ni sur le serveur ; manque-t-il un fichier ?")
                }
            }
            guard isWhole, let value: JSON = reference.isList ? .array(ids) : ids.first else { continue }
            var faults = Faults()
            if let assignment = reference.field.parse(value, "#/\(reference.field.name)", &faults) { values.set(assignment) }
            try faults.throwIfAny()
        }
        return isWhole ? values : nil
    }

    private func bring(_ values: Values, into session: inout ImportSession, in tx: Transaction) throws(DomainError) -> ImportReport.Effect {
        guard let stored = try session.match(values.record, id: values.id, in: tx) else {
            let record = try R.store.create(values.draft(), by: .operatorItself, in: tx).record
            try session.keep(record, from: place)
            return .created
        }
        try session.keep(stored, from: place)
        let patch = values.draft(without: R.setOnce)
        var wanted = stored
        patch.apply(to: &wanted)
        if wanted.hasFields(of: stored) { return .unchanged }
        if let reason = stored.closedToImport {
            session.notes.append(reason)
            return .unchanged
        }
        try checkFixedFields(of: stored, against: wanted)
        try wanted.checkStep(from: stored)
        let record = try R.store.update(stored.id, with: patch, expecting: .any, by: .operatorItself, in: tx)
        session.forget(stored, ifMovedTo: record)
        return record.meta.rev == stored.meta.rev ? .unchanged : .updated
    }

    /// What only a creation may set does not change under a file either: a referent stays with the co-op.
    private func checkFixedFields(of stored: R, against wanted: R) throws(DomainError) {
        var faults = Faults()
        for field in R.fields where field.access == .creation && field.name != R.stateField && !field.isEqual(stored, wanted) {
            faults.add("#/\(field.name)", "field.read-only", en: "can't be changed any more; it is another in the record here", fr: "ne peut plus changer ; l'enregistrement existant a une autre valeur")
        }
        try faults.throwIfAny()
    }

    // MARK: Faults

    /// - Returns: false where the error is no fault of the row.
    @discardableResult
    private static func explain(_ error: DomainError, at place: ImportPlace, naming references: [Reference<R>], _ faults: inout ImportFaults) -> Bool {
        switch error {
        case .invalid(let found):
            for fault in found { faults.add(place, at: path(fault.pointer, references), fault.code, fault.detail) }
        case .conflict(let code, let detail, _), .forbidden(let code, let detail), .gone(let code, let detail):
            faults.add(place, code, detail)
        case .notFound, .stale, .preconditionRequired:
            faults.add(
                place, "import.refused", en: "the record here can't be changed by the operator",
                fr: "l'opérateur ne peut pas modifier l'enregistrement existant")
        case .tooCostly, .busy, .storageFull, .storage: return false
        }
        return true
    }

    /// A pointer into the record as the file has it: `#/coop_id` is `coop` where the file names a slug.
    private static func path(_ pointer: String, _ references: [Reference<R>]) -> String? {
        let steps = pointer.split(separator: "/").dropFirst()
        guard let name = steps.first else { return nil }
        let source = references.first { $0.field.name == name }?.field.slugName ?? String(name)
        return ([source] + steps.dropFirst().map(String.init)).joined(separator: "/")
    }
}

extension Record {
    /// The reference that a member of this name gives by slugs; a name that is a field's own is that field's.
    fileprivate static func field(bySlugs name: String) -> Field<Self>? {
        fields.contains { $0.name == name } ? nil : fields.first { $0.slugName == name }
    }
}

extension TypedRow {
    /// Fields of a record that a file gives, and which these are.
    private struct Values {
        let id: Identifier<R>?
        private(set) var record = R()
        /// A bit for each of the type's fields.
        private var given: UInt64 = 0

        init(_ draft: Draft<R>) {
            precondition(R.fields.count <= UInt64.bitWidth, "\(R.type) has more fields than bits")
            id = draft.id
            for assignment in draft.assignments { set(assignment) }
        }

        mutating func set(_ assignment: Assignment<R>) {
            assignment.apply(&record)
            if let index = R.fields.firstIndex(where: { $0.name == assignment.field }) { given |= 1 << UInt64(index) }
        }

        func draft(without left: Set<String> = []) -> Draft<R> {
            let source = Source(record)
            var assignments: [Assignment<R>] = []
            for (index, field) in R.fields.enumerated() where given >> UInt64(index) & 1 == 1 && !left.contains(field.name) {
                assignments.append(Assignment(field: field.name) { field.copy(source.record, &$0) })
            }
            return Draft(id: id, assignments: assignments, echoed: [])
        }
    }

    /// Shared by the closures of a draft, which would have a copy each.
    private final class Source: Sendable {
        let record: R
        init(_ record: R) { self.record = record }
    }
}

extension String {
    /// Short enough to stand in a message.
    var shortened: String { unicodeScalars.count > 60 ? String(unicodeScalars.prefix(60)) + "…" : self }
}
