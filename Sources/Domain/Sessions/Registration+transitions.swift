import Text

extension Registration {
    /// What people decide; the rest is the promotion routine's.
    package static let machine = Machine<Status>([
        (.waitlisted, .cancelled), (.offered, .confirmed), (.offered, .cancelled), (.confirmed, .cancelled),
        (.confirmed, .attended), (.confirmed, .absent), (.attended, .absent), (.absent, .attended),
    ])

    package static let transitionFields: [Status: Set<String>] = [.attended: ["attended_count"]]

    fileprivate static let markingDays: Int64 = 30

    /// Helpers mark who is there, and nothing else.
    fileprivate func checkMayStep(to status: Status, _ caller: Caller) throws(DomainError) {
        guard caller.role == .referent else { return }
        guard caller.isHelper, status == .attended || status == .absent else { throw .scopeMissing }
    }

    fileprivate func checkPresenceMayBeMarked(_ session: Session, at now: Timestamp) throws(DomainError) {
        if session.startsAt > now {
            throw .conflict(
                code: "session.not-started",
                Bilingual(
                    en: "Presence is marked from the beginning on, \(session.startsAt.text).", fr: "La présence se note à partir du début, \(session.startsAt.text)."),
                members: [("starts_at", "\"\(session.startsAt.text)\"")])
        }
        guard status == .attended || status == .absent, session.startsAt.adding(seconds: Self.markingDays * 86_400) < now else { return }
        throw .conflict(
            code: "registration.presence-fixed",
            Bilingual(
                en: "Presence can be corrected for \(Self.markingDays) days after the session.", fr: "La présence peut être corrigée pendant \(Self.markingDays) jours après la session."))
    }
}

extension Store where R == Registration {
    /// - Throws: `.conflict` (`state.forbidden`, `offer.expired`, `session.not-started`, `registration.presence-fixed`) and what `update` throws.
    package func transition(
        _ id: Identifier<Registration>, _ step: Transition<Registration.Status>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Registration {
        let count = try step.value("attended_count", .integer(0...5))
        return try modify(id, .transition, given: [], expecting: expected, by: caller, in: tx) { (registration, _) throws(DomainError) in
            try registration.checkMayStep(to: step.to, caller)
            try registration.step(to: step.to, attended: count, in: tx)
        }
    }
}

extension Registration {
    mutating func step(to target: Status, attended count: Int? = nil, in tx: Transaction) throws(DomainError) {
        try Registration.machine.check(from: status, to: target)
        let session = try Session.store.require(sessionID, in: tx.connection)
        switch target {
        case .confirmed:
            if let offerExpiresAt, offerExpiresAt <= tx.now {
                throw .conflict(
                    code: "offer.expired",
                    Bilingual(en: "The offer ended at \(offerExpiresAt.text).", fr: "L'offre a pris fin à \(offerExpiresAt.text)."),
                    members: [("offer_expires_at", "\"\(offerExpiresAt.text)\"")])
            }
            status = .confirmed
            offerExpiresAt = nil
        case .attended, .absent:
            try checkPresenceMayBeMarked(session, at: tx.now)
            if let count, count > partySize {
                throw .invalid([
                    Fault("#/attended_count", "number.range", en: "must not be more than the party's \(partySize)", fr: "ne doit pas dépasser les \(partySize) personnes du groupe")
                ])
            }
            status = target
            attendedCount = target == .attended ? count ?? partySize : 0
        default: leave(for: target)
        }
    }
}
