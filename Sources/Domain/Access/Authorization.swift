import Text

extension Record {
    /// Whether the caller's role may do this to any record at all, before the record is looked for.
    ///
    /// - Throws: `.forbidden` (`scope.missing`).
    package static func authorize(_ action: Action, by caller: Caller) throws(DomainError) {
        guard caller.isOperator || admits(caller, to: action) else { throw .scopeMissing }
    }

    /// Whether any of the caller's layers has a document of the record.
    func isVisible(to caller: Caller) -> Bool { readers.contains { caller.layers.contains($0.audience) } }

    /// Whether the caller may do this to this record, which it sees.
    ///
    /// - Throws: `.forbidden`: `scope.missing`, or `scope.not-yours` for another co-op's record.
    func authorize(_ change: Change<Self>) throws(DomainError) {
        try Self.authorize(change.action, by: change.caller)
        guard let role = change.caller.role, role != .federationAdmin else { return }
        guard let coop = change.caller.coop, owners.contains(coop) else { throw .scopeNotYours }
        guard change.action == .change, let writable = Self.fields(for: role), !change.given.isSubset(of: writable) else { return }
        throw .forbidden(
            code: "scope.missing",
            Bilingual(
                en: "With this token only these fields can be changed: \(writable.sorted().joined(separator: ", ")).",
                fr: "Avec ce jeton, seuls ces champs peuvent être modifiés : \(writable.sorted().joined(separator: ", "))."))
    }
}

extension DomainError {
    package static let scopeMissing = DomainError.forbidden(
        code: "scope.missing",
        Bilingual(
            en: "This token may not do that. Ask the federation, or your co-op's manager.",
            fr: "Ce jeton ne le permet pas. Adressez-vous à la fédération ou au gestionnaire de votre coopérative."))
    package static let scopeNotYours = DomainError.forbidden(
        code: "scope.not-yours",
        Bilingual(en: "You may read this record, but it belongs to others.", fr: "Vous pouvez lire cet enregistrement, mais il appartient à d'autres."))
}
