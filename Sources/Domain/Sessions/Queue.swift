import SQLite

/// A session with its live registrations, as the promotion routine sees them: read once a change, decided on, and stored.
struct Queue: Sendable {
    /// What the routine and the session's totals go by; the whole record is read only of those for whom something changes.
    struct Member: Sendable {
        let id: Identifier<Registration>
        let attendedCount: Int
        var party: Promotion.Party
    }

    let session: Session
    /// The number of the newest registration, whatever became of it.
    private(set) var lastEntryNo = 0
    /// The first live registration with the contact that was asked for.
    private(set) var duplicate: (id: Identifier<Registration>, entryNo: Int)?
    /// As they are stored, without the one that is being written.
    private var others: [Member] = []
    /// What the routine makes of them; the one that is being written comes last.
    private var settled: [Member] = []

    /// - Parameters:
    ///   - writing: the registration that is being written, which the caller holds itself.
    ///   - contact: what to look for among the others.
    init(of session: Session, writing id: Identifier<Registration>? = nil, sameAs contact: Contact? = nil, in tx: Transaction) throws(DomainError) {
        self.session = session
        try storing { () throws(DatabaseError) in
            let row = try tx.connection.statement(Self.members)
            try row.bind([session.id.value])
            while try row.step() {
                lastEntryNo = Int(row.integer(1))
                guard let member = Member(row), member.id != id else { continue }
                if duplicate == nil, contact?.isOf(row, 9) == true { duplicate = (member.id, lastEntryNo) }
                others.append(member)
            }
        }
        settled = others
    }

    private static let members = """
        SELECT id, entry_no, status, party_size, queued_at, offer_expires_at, rank, not_promoted_reason, attended_count, \(Contact.columns)
        FROM registration WHERE session_id = ? ORDER BY entry_no
        """

    /// The others that want a seat or have one.
    var parties: [Promotion.Party] { others.map(\.party) }

    /// Decides, with this registration among the others, and gives back what becomes of it.
    mutating func settle(with own: Registration? = nil, isNew: Bool = false, at now: Timestamp) -> Registration? {
        var parties = parties
        if let own { parties.append(Promotion.Party(own, isNew: isNew)) }
        if !session.status.isOver { Promotion.settle(&parties, session.promotionRules, at: now) }
        settled = others
        for index in others.indices { settled[index].party = parties[index] }
        guard var own, let party = parties.last else { return nil }
        if !session.status.isOver { own.take(party) }
        settled.append(Member(id: own.id, attendedCount: own.attendedCount ?? 0, party: party))
        return own
    }

    /// Stores what was decided about the others, and the session's totals.
    func store(by caller: Caller, in tx: Transaction) throws(DomainError) {
        for (before, after) in zip(others, settled) where before.party != after.party {
            let old = try Registration.store.require(before.id, in: tx.connection)
            if before.party.status != after.party.status {
                try Registration.store.amend(old, .transition, by: caller, in: tx) { $0.take(after.party) }
            } else {
                var new = old
                new.take(after.party)
                if !new.hasFields(of: old) { try Registration.store.republish(old, as: new, in: tx) }
            }
        }
        var counted = session
        counted.count(settled)
        guard counted.totals != session.totals else { return }
        // Many sign up for the same session at once.
        try Session.store.republishLater(session, as: counted, in: tx) { (old, new) throws(DatabaseError) in
            guard new.status == .open, new.freeSeats == 0, old.freeSeats > 0 else { return }
            try Outbox.note(EventType.sessionFull, rev: new.meta.rev, of: new, before: old, in: tx)
        }
    }
}

extension Queue.Member {
    /// - Returns: nil for a row of somebody who neither has a seat nor wants one any more.
    fileprivate init?(_ row: Statement) {
        guard let status = Registration.Status(rawValue: row.text(2)), status.isLive, let id: Identifier<Registration> = row.identifier(0) else { return nil }
        self.id = id
        attendedCount = Int(row.integer(8))
        party = Promotion.Party(
            size: Int(row.integer(3)), queuedAt: row.time(4) ?? Timestamp(milliseconds: 0), entryNo: Int(row.integer(1)), hasEmail: !row.isNull(9),
            isNew: false, status: status, offerExpiresAt: row.time(5), rank: row.optionalInteger(6).map { Int($0) },
            reason: row.optionalText(7).flatMap { Registration.NotPromoted(rawValue: $0) })
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

    fileprivate var totals: [Int] { [freeSeats, seatsConfirmed, seatsOffered, waitingParties, waitingSeats, attendedCount] }

    fileprivate mutating func count(_ members: [Queue.Member]) {
        (seatsConfirmed, seatsOffered, waitingParties, waitingSeats, attendedCount) = (0, 0, 0, 0, 0)
        for member in members {
            let seats = member.party.size
            switch member.party.status {
            case .confirmed, .absent: seatsConfirmed += seats
            case .attended:
                seatsConfirmed += seats
                attendedCount += member.attendedCount
            case .offered: seatsOffered += seats
            case .waitlisted:
                waitingParties += 1
                waitingSeats += seats
            case .cancelled, .expired, .sessionCancelled: break
            }
        }
        freeSeats = max(0, capacity - seatsConfirmed - seatsOffered)
    }
}

extension Promotion.Party {
    fileprivate init(_ registration: Registration, isNew: Bool) {
        self.init(
            size: registration.partySize, queuedAt: registration.queuedAt, entryNo: registration.entryNo, hasEmail: registration.email != nil, isNew: isNew,
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
}
