import SQLite
import Text

extension Pairing {
    package static let machine = Machine<Status>([
        (.identified, .introduced), (.introduced, .met), (.met, .signed), (.signed, .active),
        (.active, .paused), (.paused, .active), (.active, .closed), (.paused, .closed),
        (.identified, .declined), (.introduced, .declined), (.met, .declined), (.signed, .declined),
    ])

    package static let transitionFields: [Status: Set<String>] = [
        .introduced: ["introduced_on"], .met: ["met_on", "meeting_place"], .signed: ["signed_on", "agreement_ref"],
        .active: ["channel", "cadence_days", "sponsor_referent_id", "sponsored_referent_id", "topics"],
        .paused: ["reason"], .closed: ["reason", "closed_on"], .declined: ["reason", "closed_on"],
    ]

    /// Fills in what the step has told nothing about.
    fileprivate mutating func settle(_ step: Transition<Status>, in tx: Transaction) throws(DomainError) {
        switch status {
        case .identified: break
        case .introduced: introducedOn = introducedOn ?? tx.now.day
        case .met: try meet(in: tx)
        case .signed: signedOn = signedOn ?? tx.now.day
        case .active: pauseReason = nil
        case .paused: pauseReason = try step.reason()
        case .declined, .closed:
            pauseReason = nil
            closeReason = try step.reason()
            closedOn = closedOn ?? tx.now.day
        }
    }

    /// Takes day and place from the first meeting in person since the introduction.
    private mutating func meet(in tx: Transaction) throws(DomainError) {
        let since = introducedOn ?? identifiedOn
        let meetings = try Meeting.store.all(where: "pairing_id = ? AND mode = 'in_person'", [id.value], in: tx.connection)
        guard let first = meetings.filter({ $0.heldOn >= since }).min(by: { $0.heldOn < $1.heldOn }) else {
            throw .invalid([
                Fault(
                    "#/to", "pairing.not-met", en: "needs a meeting in person since \(since.text): log it first, POST /v1/pairings/\(id)/meetings",
                    fr: "suppose une rencontre en personne depuis le \(since.text) : consignez-la d'abord, POST /v1/pairings/\(id)/meetings")
            ])
        }
        metOn = metOn ?? first.heldOn
        meetingPlace = meetingPlace ?? first.place
    }
}

extension Transition where State == Pairing.Status {
    fileprivate func reason() throws(DomainError) -> String {
        if let reason = try value("reason", .paragraph(1...1000)) { return reason }
        throw .invalid([Fault("#/reason", "field.required", en: "is required: say why, for the other side", fr: "est obligatoire : dites pourquoi, pour l'autre partie")])
    }
}

extension Store where R == Pairing {
    /// - Throws: `.conflict` (`state.forbidden`), `.forbidden` where the step is the federation's, `.invalid` with what the step
    ///   needs, and what `update` throws.
    package func transition(
        _ id: Identifier<Pairing>, _ step: Transition<Pairing.Status>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Pairing {
        let assignments = try step.assignments(of: Pairing.fields)
        return try modify(id, .transition, given: [], expecting: expected, by: caller, in: tx) { (pairing, _) throws(DomainError) in
            try Pairing.machine.check(from: pairing.status, to: step.to)
            if step.to == .introduced, caller.role != .federationAdmin { throw .scopeMissing }
            pairing.status = step.to
            for assignment in assignments { assignment.apply(&pairing) }
            try pairing.settle(step, in: tx)
        }
    }
}
