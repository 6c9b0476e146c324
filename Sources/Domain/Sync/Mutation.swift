import Crypto
import JSON

/// One thing that a device did, as it pushes it.
package struct Mutation: Sendable {
    package enum Operation: String, Sendable, CaseIterable {
        case create, patch, delete, transition

        var action: Action {
            switch self {
            case .create: .create
            case .patch: .change
            case .delete: .delete
            case .transition: .transition
            }
        }
    }

    /// Made by the device, once for each thing that it did.
    package let mid: Identifier<Mutation>
    package let type: RecordType
    package let id: Identifier<Void>
    package let operation: Operation
    /// The seq that the device had seen when it did this.
    package let base: Int64
    package let fields: JSON
    /// The state to go to, with a transition.
    package let to: JSON?
    /// SHA-256 of the whole, by which the same mid with other content is known.
    package let digest: [UInt8]

    /// - Throws: `.invalid` with every fault.
    package init(_ json: JSON) throws(DomainError) {
        var faults = Faults()
        guard case .object(let members) = json else { throw .invalid([Fault("#", "field.type", en: "must be an object", fr: "doit être un objet")]) }
        for member in members where !["mid", "type", "id", "op", "base", "fields", "to"].contains(member.name) {
            faults.add("#/" + member.name.pointerEscaped, "field.unknown", en: "is not a member of a mutation", fr: "n'est pas un membre d'une mutation")
        }
        func read<Value>(_ name: String, _ codec: Codec<Value>) -> Value? {
            guard let value = json[name] else {
                faults.add("#/\(name)", "field.required", en: "is required", fr: "est obligatoire")
                return nil
            }
            return codec.parse(value, "#/\(name)", &faults)
        }
        let mid = read("mid", Self.idCodec)
        let type = read("type", Codec<RecordType>.choice)
        let id = read("id", Self.idCodec)
        let operation = read("op", Codec<Operation>.choice)
        let base = json["base"] == nil ? 0 : read("base", .integer(0...Int.max))
        let fields = json["fields"] ?? .object([])
        if case .object = fields {} else { faults.add("#/fields", "field.type", en: "must be an object", fr: "doit être un objet") }
        if (operation == .transition) != (json["to"] != nil) {
            faults.add("#/to", "field.required", en: "goes with the op transition, and only with it", fr: "va avec l'op transition, et avec elle seule")
        }
        try faults.throwIfAny()
        guard let mid, let type, let id, let operation, let base else { preconditionFailure("a missing member is a fault") }
        self.mid = Identifier(mid)
        (self.type, self.id, self.operation, self.base, self.fields) = (type, Identifier(id), operation, Int64(base), fields)
        to = json["to"]
        var writer = JSONWriter()
        writer.value(json)
        digest = Crypto.sha256(writer.bytes)
    }

    /// The mid of what is no mutation, so that its refusal finds it.
    package static func mid(of json: JSON) -> Identifier<Mutation>? { json["mid"]?.stringValue.flatMap { Identifier($0) } }

    private static var idCodec: Codec<Identifier<Coop>> { .reference() }
}
