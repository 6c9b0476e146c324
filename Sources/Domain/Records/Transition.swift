import JSON
import Text

/// The permitted steps of a state machine, in the order in which people think of them.
package struct Machine<State: RawRepresentable & Hashable & Sendable>: Sendable where State.RawValue == String {
    private let steps: [(from: State, to: State)]

    package init(_ steps: [(State, State)]) { self.steps = steps.map { ($0.0, $0.1) } }

    var all: [(from: State, to: State)] { steps }

    package func next(after state: State) -> [State] { steps.filter { $0.from == state }.map(\.to) }

    /// - Throws: `.conflict` (`state.forbidden`) that names the present state and the steps from it.
    package func check(from: State, to: State) throws(DomainError) {
        let permitted = next(after: from)
        if !permitted.contains(to) { try refuse(from: from) }
    }

    package func refuse(from: State) throws(DomainError) -> Never {
        let permitted = next(after: from)
        let names = permitted.map(\.rawValue)
        let list = names.isEmpty ? "-" : names.joined(separator: ", ")
        throw .conflict(
            code: "state.forbidden",
            Bilingual(
                en: "It is \(from.rawValue) now; from there it can become: \(list).",
                fr: "L'état actuel est \(from.rawValue) ; états possibles ensuite : \(list)."),
            members: [
                ("status_now", "\"\(from.rawValue)\""),
                ("permitted", "[" + names.map { "\"\($0)\"" }.joined(separator: ",") + "]"),
            ])
    }
}

/// A step that a client asks for: `{"to": "ended", "ended_on": "2026-03-31"}`.
package struct Transition<State: RawRepresentable & CaseIterable & Hashable & Sendable>: Sendable where State.RawValue == String {
    package let to: State
    private let fields: [String: JSON]

    /// - Parameter fields: the names that the step may bring along, by state.
    /// - Throws: `.invalid` with every fault.
    package init(_ json: JSON, taking fields: [State: Set<String>] = [:]) throws(DomainError) {
        var faults = Faults()
        guard case .object(let members) = json else {
            throw .invalid([Fault("#", "field.type", en: "must be an object", fr: "doit être un objet")])
        }
        var target: State?
        if let to = json["to"] {
            target = Codec<State>.choice.parse(to, "#/to", &faults)
        } else {
            faults.add("#/to", "field.required", en: "is required: the state to go to", fr: "est obligatoire : l'état visé")
        }
        let allowed = target.flatMap { fields[$0] } ?? []
        var taken: [String: JSON] = [:]
        for member in members where member.name != "to" {
            if target == nil || allowed.contains(member.name) {
                taken[member.name] = member.value
            } else {
                faults.add("#/" + member.name.pointerEscaped, "field.unknown", en: "does not belong to this step", fr: "ne fait pas partie de cette étape")
            }
        }
        try faults.throwIfAny()
        guard let target else { preconditionFailure("a missing target is a fault") }
        to = target
        self.fields = taken
    }

    /// The value of a field, nil where the client left it out.
    package func value<Value>(_ name: String, _ codec: Codec<Value>) throws(DomainError) -> Value? {
        guard let json = fields[name] else { return nil }
        var faults = Faults()
        let value = codec.parse(json, "#/\(name)", &faults)
        try faults.throwIfAny()
        return value
    }

    /// What sets a record's fields of the same names, as far as the client sent them.
    ///
    /// - Throws: `.invalid` with every field at fault.
    func assignments<R: Sendable>(of record: [Field<R>]) throws(DomainError) -> [Assignment<R>] {
        var faults = Faults()
        var assignments: [Assignment<R>] = []
        for field in record {
            guard let json = fields[field.name], let assignment = field.parse(json, "#/\(field.name)", &faults) else { continue }
            assignments.append(assignment)
        }
        try faults.throwIfAny()
        return assignments
    }
}
