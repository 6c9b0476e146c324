import JSON
import Text

/// What a merge is asked with: `{"into": "<id>"}`.
package struct MergeRequest<R: Record>: Sendable {
    package let into: Identifier<R>

    /// - Throws: `.invalid` with every fault.
    package init(_ json: JSON) throws(DomainError) {
        var faults = Faults()
        guard case .object(let members) = json else { throw .invalid([Fault("#", "field.type", en: "must be an object", fr: "doit être un objet")]) }
        for member in members where member.name != "into" {
            faults.add("#/" + member.name.pointerEscaped, "field.unknown", en: "is not known here", fr: "est inconnu ici")
        }
        let target = json["into"].flatMap { Codec<Identifier<R>>.reference().parse($0, "#/into", &faults) }
        if json["into"] == nil { faults.add("#/into", "field.required", en: "is required: the id to merge into", fr: "est obligatoire : l'identifiant de destination") }
        try faults.throwIfAny()
        guard let target else { preconditionFailure("a missing target is a fault") }
        into = target
    }
}
