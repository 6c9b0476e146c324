import JSON

/// A step of a type's state machine from JSON, for those who do not know the type: `{"to": "ended", …}`.
extension Record {
    /// - Throws: what the type's own transition throws; `.conflict` (`state.none`) for a type without states.
    static func step(
        _ id: Identifier<Self>, _ json: JSON, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) {
        switch type {
        case .referent: try take(Referent.self, id, json, Referent.transitionFields) { (id, step) throws(DomainError) in
            try Referent.store.transition(id, step, expecting: expected, by: caller, in: tx) }
        case .idea: try take(Idea.self, id, json, [:]) { (id, step: Transition<Idea.Status>) throws(DomainError) in
            try Idea.store.transition(id, step, expecting: expected, by: caller, in: tx) }
        case .endorsement: try take(Endorsement.self, id, json, [:]) { (id, step: Transition<Endorsement.Status>) throws(DomainError) in
            try Endorsement.store.transition(id, step, expecting: expected, by: caller, in: tx) }
        case .adoption: try take(Adoption.self, id, json, Adoption.transitionFields) { (id, step) throws(DomainError) in
            try Adoption.store.transition(id, step, expecting: expected, by: caller, in: tx) }
        case .session: try take(Session.self, id, json, Session.transitionFields) { (id, step) throws(DomainError) in
            try Session.store.transition(id, step, expecting: expected, by: caller, in: tx) }
        case .registration: try take(Registration.self, id, json, Registration.transitionFields) { (id, step) throws(DomainError) in
            try Registration.store.transition(id, step, expecting: expected, by: caller, in: tx) }
        case .pairing: try take(Pairing.self, id, json, Pairing.transitionFields) { (id, step) throws(DomainError) in
            try Pairing.store.transition(id, step, expecting: expected, by: caller, in: tx) }
        case .round: try take(Round.self, id, json, [:]) { (id, step: Transition<Round.Status>) throws(DomainError) in
            try Round.store.transition(id, step, expecting: expected, by: caller, in: tx) }
        case .appointment: try take(AppointmentFile.self, id, json, AppointmentFile.transitionFields) { (id, step) throws(DomainError) in
            try AppointmentFile.store.transition(id, step, expecting: expected, by: caller, in: tx) }
        case .coop, .site, .theme, .question, .resource, .prize, .mooc, .module, .activity, .facilitator, .answer, .meeting, .nomination:
            throw .invalid([Fault("#/op", "state.none", en: "this type has no states; use patch", fr: "ce type n'a pas d'états ; utilisez patch")])
        }
    }

    private static func take<R: Record, State>(
        _ type: R.Type, _ id: Identifier<Self>, _ json: JSON, _ fields: [State: Set<String>],
        _ perform: (Identifier<R>, Transition<State>) throws(DomainError) -> R
    ) throws(DomainError) {
        _ = try perform(Identifier(Identifier<Void>(id)), Transition<State>(json, taking: fields))
    }
}
