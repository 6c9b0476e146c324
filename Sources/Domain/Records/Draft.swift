import JSON
import Text

/// What a client sent to create or change a record, checked field by field before any transaction.
package struct Draft<R: Record>: Sendable {
    package let id: Identifier<R>?
    package let assignments: [Assignment<R>]
    /// Fields that the client may not set, with what it sent: allowed where equal to what it was given (a round trip).
    package let echoed: [JSON.Member]

    /// Names of the fields that the client sent and may set.
    package let given: Set<String>

    package enum Purpose: Sendable {
        case create, patch
        /// The federation's own data: fields of the server may come along.
        case bringIn
    }

    /// - Throws: `.invalid` with every field at fault.
    package init(_ json: JSON, for purpose: Purpose) throws(DomainError) {
        var faults = Faults()
        guard case .object(let members) = json else {
            faults.add("#", "field.type", en: "must be an object", fr: "doit être un objet")
            throw .invalid(faults.all)
        }
        let store = R.store
        var id: Identifier<R>?
        var assignments: [Assignment<R>] = []
        var echoed: [JSON.Member] = []
        for member in members {
            let pointer = "#/" + member.name.pointerEscaped
            if member.name == "id", purpose != .patch {
                id = Codec<Identifier<R>>.reference().parse(member.value, pointer, &faults)
            } else if let field = store.fields[member.name], field.access.allows(purpose) {
                if let assignment = field.parse(member.value, pointer, &faults) { assignments.append(assignment) }
            } else if store.shown.contains(member.name) {
                if purpose == .patch {
                    echoed.append(member)
                } else {
                    faults.addReadOnly(pointer)
                }
            } else {
                faults.add(pointer, "field.unknown", en: "is not a field of a \(R.type.rawValue)", fr: "n'est pas un champ de ce type d'enregistrement (\(R.type.rawValue))")
            }
        }
        if purpose != .patch {
            for name in store.required where !members.contains(where: { $0.name == name }) {
                faults.add("#/\(name)", "field.required", en: "is required", fr: "est obligatoire")
            }
        }
        try faults.throwIfAny()
        self.init(id: id, assignments: assignments, echoed: echoed)
    }

    init(id: Identifier<R>?, assignments: [Assignment<R>], echoed: [JSON.Member]) {
        self.id = id
        self.assignments = assignments
        given = Set(assignments.map { $0.field })
        self.echoed = echoed
    }

    package func apply(to record: inout R) {
        for assignment in assignments { assignment.apply(&record) }
    }

    /// The given fields that say again what the record has; never one that the caller's document hides, or guesses would be
    /// confirmed.
    func repeated(of record: R, shownAs document: [UInt8]) -> Set<String> {
        let shown = (try? JSON.parse(document)) ?? .null
        return Set(assignments.filter { assignment in
            guard shown[assignment.field] != nil else { return false }
            var same = record
            assignment.apply(&same)
            return same.hasFields(of: record)
        }.map { $0.field })
    }

    /// Refuses fields that the caller may read but not set, unless they came back unchanged.
    func checkEchoes(against document: JSON) throws(DomainError) {
        var faults = Faults()
        for member in echoed where document[member.name] != member.value { faults.addReadOnly("#/" + member.name.pointerEscaped) }
        try faults.throwIfAny()
    }
}

extension Field.Access {
    fileprivate func allows(_ purpose: Draft<some Record>.Purpose) -> Bool {
        switch self {
        case .client: true
        case .creation: purpose != .patch
        case .server: purpose == .bringIn
        case .hidden: false
        }
    }
}

extension Faults {
    fileprivate mutating func addReadOnly(_ pointer: String) {
        add(pointer, "field.read-only", en: "can't be set by a client; leave it out", fr: "ne peut pas être fixé par un client ; ne le fournissez pas")
    }
}

extension String {
    /// As a part of a JSON Pointer (RFC 6901 section 3).
    package var pointerEscaped: String {
        guard utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return self }
        return reduce(into: "") { escaped, character in
            switch character {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.append(character)
            }
        }
    }
}
