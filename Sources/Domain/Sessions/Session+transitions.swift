import Text

extension Session {
    package static let machine = Machine<Status>([
        (.draft, .open), (.open, .closed), (.closed, .open), (.open, .held), (.closed, .held),
        (.draft, .cancelled), (.open, .cancelled), (.closed, .cancelled),
    ])

    package static let transitionFields: [Status: Set<String>] = [.open: ["force", "registration_closes_at"]]
}

extension Store where R == Session {
    /// - Throws: `.conflict` (`state.forbidden`, `session.not-started`), `.invalid` with what opening needs, and what `update` throws.
    package func transition(
        _ id: Identifier<Session>, _ step: Transition<Session.Status>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Session {
        let force = try step.value("force", .flag)
        let closesAt = try step.value("registration_closes_at", .time)
        return try modify(id, .transition, given: [], expecting: expected, by: caller, in: tx) { (session, _) throws(DomainError) in
            try Session.machine.check(from: session.status, to: step.to)
            session.status = step.to
            switch step.to {
            case .open:
                if let force { session.forced = force }
                if let closesAt { session.registrationClosesAt = closesAt }
                if session.registrationOpensAt == nil { session.registrationOpensAt = tx.now }
                guard session.registrationClosesAt > tx.now else {
                    throw .invalid([
                        Fault(
                            "#/registration_closes_at", "date.past", en: "must lie in the future: send a new one with this step",
                            fr: "doit être dans le futur : indiquez une nouvelle date avec cette étape")
                    ])
                }
            case .held where session.startsAt > tx.now:
                throw .conflict(
                    code: "session.not-started",
                    Bilingual(
                        en: "The session begins at \(session.startsAt.text); it can be held from then on.",
                        fr: "La session commence à \(session.startsAt.text) ; elle ne peut être tenue qu'ensuite."),
                    members: [("starts_at", "\"\(session.startsAt.text)\"")])
            default: break
            }
        }
    }
}
