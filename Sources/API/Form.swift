import Domain
import HTTP
import JSON

/// A body of a few fields that is no record's: each is taken by its codec, and all faults are told at once.
struct Form {
    private let json: JSON
    private var faults = Faults()

    /// - Throws: `.invalid` for what is no object.
    init(_ json: JSON, knowing names: Set<String>) throws(DomainError) {
        guard case .object(let members) = json else {
            throw .invalid([Fault("#", "field.type", en: "must be an object", fr: "doit être un objet")])
        }
        self.json = json
        for member in members where !names.contains(member.name) {
            faults.add("#/" + member.name.pointerEscaped, "field.unknown", en: "is not known here", fr: "est inconnu ici")
        }
    }

    /// The field's value; nil where it is missing, or at fault.
    mutating func value<Value>(_ name: String, _ codec: Codec<Value>) -> Value? { json[name].flatMap { codec.parse($0, "#/\(name)", &faults) } }

    /// The same, where null and missing mean the same.
    mutating func optional<Value>(_ name: String, _ codec: Codec<Value>) -> Value? {
        json[name] == .null ? nil : value(name, codec)
    }

    /// The same, where it is a fault to leave it out.
    mutating func required<Value>(_ name: String, _ codec: Codec<Value>) -> Value? {
        if json[name] == nil { add("#/\(name)", "field.required", en: "is required", fr: "est obligatoire") }
        return value(name, codec)
    }

    mutating func add(_ pointer: String, _ code: String, en: String, fr: String) { faults.add(pointer, code, en: en, fr: fr) }

    func throwIfAny() throws(DomainError) { try faults.throwIfAny() }
}
