import SQLite

/// A session with all its registrations, as the promotion routine sees them: read once a change, decided on, and stored.
struct Queue: Sendable {
    let session: Session
    /// As they are stored, without the one that is being written. Nil where they are not looked at: who comes last to a full session
    /// changes nothing for anybody.
    private let others: [Registration]?
    /// What the routine makes of them; the one that is being written comes last.
    private var settled: [Registration]

    /// - Parameter writing: the registration that is being written, which the caller holds itself.
    init(of session: Session, writing id: Identifier<Registration>? = nil, in tx: Transaction) throws(DomainError) {
        self.session = session
        others = try Registration.store.all(where: "session_id = ?", [session.id.value], in: tx.connection).filter { $0.id != id }
        settled = others ?? []
    }

    /// The queue for a party that is about to come in.
    ///
    /// - Parameter isLast: whether nobody waits who came in later.
    init(of session: Session, isLast: Bool, in tx: Transaction) throws(DomainError) {
        guard session.freeSeats == 0, session.seatsOffered == 0, isLast else {
            self = try Queue(of: session, in: tx)
            return
        }
        self.init(full: session)
    }

    private init(full session: Session) { (self.session, others, settled) = (session, nil, []) }

    /// The others, but none of them where they are not looked at.
    var parties: [Registration] { others ?? [] }

    /// Decides, with this registration among the others, and gives back what becomes of it.
    mutating func settle(with own: Registration? = nil, isNew: Bool = false, at now: Timestamp) -> Registration? {
        settled = parties + (own.map { [$0] } ?? [])
        guard others != nil else {
            for index in settled.indices { settled[index].wait(at: session.waitingParties + 1) }
            return settled.last
        }
        if !session.status.isOver {
            var parties = settled.map { Promotion.Party($0) }
            if isNew, let last = parties.indices.last { parties[last].isNew = true }
            Promotion.settle(&parties, session.promotionRules, at: now)
            for index in settled.indices { settled[index].take(parties[index]) }
        }
        return own == nil ? nil : settled.last
    }

    /// Stores what was decided about the others, and the session's totals.
    func store(by caller: Caller, in tx: Transaction) throws(DomainError) {
        for (old, new) in zip(parties, settled) {
            if new.status != old.status {
                try Registration.store.amend(old, .transition, by: caller, in: tx) { $0 = new }
            } else if !new.hasFields(of: old) {
                try Registration.store.republish(old, as: new, in: tx)
            }
        }
        var counted = session
        if others != nil { counted.count(settled) } else { counted.countWaiting(settled) }
        guard !counted.hasFields(of: session) else { return }
        try Session.store.republish(session, as: counted, in: tx)
        guard counted.status == .open, counted.freeSeats == 0, session.freeSeats > 0 else { return }
        try storing { () throws(DatabaseError) in try Outbox.note(EventType.sessionFull, rev: tx.lastSeq, of: counted, before: session, in: tx) }
    }
}

extension Session {
    /// Runs the promotion routine on the session's parties, stores what it changes, and brings the session's totals up to date.
    static func settleQueue(_ id: Identifier<Session>, by caller: Caller, in tx: Transaction) throws(DomainError) {
        var queue = try Queue(of: store.require(id, in: tx.connection), in: tx)
        _ = queue.settle(at: tx.now)
        try queue.store(by: caller, in: tx)
    }

    fileprivate var promotionRules: Promotion.Rules {
        Promotion.Rules(capacity: capacity, startsAt: startsAt, closesAt: registrationClosesAt, offerHours: offerHours, fitHours: fitHours)
    }

    fileprivate mutating func count(_ registrations: [Registration]) {
        func seats(_ statuses: Set<Registration.Status>) -> Int { registrations.filter { statuses.contains($0.status) }.reduce(0) { $0 + $1.partySize } }
        seatsConfirmed = seats([.confirmed, .attended, .absent])
        seatsOffered = seats([.offered])
        freeSeats = max(0, capacity - seatsConfirmed - seatsOffered)
        waitingParties = registrations.count { $0.status == .waitlisted }
        waitingSeats = seats([.waitlisted])
        attendedCount = registrations.filter { $0.status == .attended }.reduce(0) { $0 + ($1.attendedCount ?? 0) }
    }

    fileprivate mutating func countWaiting(_ more: [Registration]) {
        waitingParties += more.count
        waitingSeats += more.reduce(0) { $0 + $1.partySize }
    }
}

extension Promotion.Party {
    fileprivate init(_ registration: Registration) {
        self.init(
            size: registration.partySize, queuedAt: registration.queuedAt, entryNo: registration.entryNo, hasEmail: registration.email != nil, isNew: false,
            status: registration.status, offerExpiresAt: registration.offerExpiresAt)
    }
}

extension Registration {
    /// What the promotion routine has decided.
    fileprivate mutating func take(_ party: Promotion.Party) {
        status = party.status
        offerExpiresAt = party.offerExpiresAt
        rank = party.rank
        notPromotedReason = party.reason
        if party.isToBeCalled { contactTask = .toCall }
        if party.status == .waitlisted { wasWaitlisted = true }
    }

    fileprivate mutating func wait(at rank: Int) { (status, self.rank, notPromotedReason, wasWaitlisted) = (.waitlisted, rank, .full, true) }
}
