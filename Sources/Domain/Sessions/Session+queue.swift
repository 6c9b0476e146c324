import SQLite

extension Session {
    var promotionRules: Promotion.Rules {
        Promotion.Rules(capacity: capacity, startsAt: startsAt, closesAt: registrationClosesAt, offerHours: offerHours, fitHours: fitHours)
    }

    /// Runs the promotion routine on the session's parties, stores what it changes, and brings the session's totals up to date.
    static func settleQueue(_ id: Identifier<Session>, by caller: Caller, in tx: Transaction) throws(DomainError) {
        let old = try store.require(id, in: tx.connection)
        var registrations = try Registration.store.all(where: "session_id = ?", [id.value], in: tx.connection)
        if !old.status.isOver {
            var parties = registrations.map { Promotion.Party($0) }
            Promotion.settle(&parties, old.promotionRules, at: tx.now)
            for index in registrations.indices {
                var settled = registrations[index]
                settled.take(parties[index])
                if settled.status != registrations[index].status {
                    settled = try Registration.store.amend(registrations[index], .transition, by: caller, in: tx) { $0 = settled }
                } else if !settled.hasFields(of: registrations[index]) {
                    try Registration.store.republish(registrations[index], as: settled, in: tx)
                }
                registrations[index] = settled
            }
        }
        var session = old
        session.count(registrations)
        if !session.hasFields(of: old) { try store.republish(old, as: session, in: tx) }
    }

    private mutating func count(_ registrations: [Registration]) {
        func seats(_ statuses: Set<Registration.Status>) -> Int { registrations.filter { statuses.contains($0.status) }.reduce(0) { $0 + $1.partySize } }
        seatsConfirmed = seats([.confirmed, .attended, .absent])
        seatsOffered = seats([.offered])
        freeSeats = max(0, capacity - seatsConfirmed - seatsOffered)
        waitingParties = registrations.count { $0.status == .waitlisted }
        waitingSeats = seats([.waitlisted])
        attendedCount = registrations.filter { $0.status == .attended }.reduce(0) { $0 + ($1.attendedCount ?? 0) }
    }
}

extension Promotion.Party {
    init(_ registration: Registration, isNew: Bool = false) {
        self.init(
            size: registration.partySize, queuedAt: registration.queuedAt, entryNo: registration.entryNo, hasEmail: registration.email != nil, isNew: isNew,
            status: registration.status, offerExpiresAt: registration.offerExpiresAt)
    }
}

extension Registration {
    /// What the promotion routine has decided.
    mutating func take(_ party: Promotion.Party) {
        status = party.status
        offerExpiresAt = party.offerExpiresAt
        rank = party.rank
        notPromotedReason = party.reason
        if party.isToBeCalled { contactTask = .toCall }
        if party.status == .waitlisted { wasWaitlisted = true }
    }
}
