extension Identifier<Coop> {
    /// Takes the caller's own co-op where the client named none, and refuses another's before anything is said about it.
    mutating func fill<R: Record>(from change: Change<R>) throws(DomainError) {
        if change.given.contains("coop_id") {
            guard change.caller.coop == nil || change.caller.coop == self else { throw .scopeNotYours }
            return
        }
        guard let own = change.caller.coop else {
            throw .invalid([Fault("#/coop_id", "field.required", en: "is required: whose it is", fr: "est obligatoire : la coopérative concernée")])
        }
        self = own
    }
}
