import SQLite

/// A session with its live registrations, as the promotion routine sees them: read once a change, decided on, and stored.
struct Queue: Sendable {
    /// What the routine and the session's totals go by; the whole record is read only of those for whom something changes.
    struct Member: Sendable {
        let id: Identifier<Registration>
        let attendedCount: Int
        var party: Promotion.Party
    }

    private(set) var session: Session
    /// The number of the newest registration, whatever became of it.
    private(set) var lastEntryNo = 0
    /// As they are stored; the one that is being written comes last, from when it is decided on.
    private var members: [Member] = []
    /// Of the others, in the same order. By themselves, since all else is copied with every step.
    private var contacts: [Contact] = []
    /// Of the one that is being written.
    private var contact: Contact?
    /// What the routine makes of them.
    private var settled: [Promotion.Party] = []
    private var isWriting = false

    /// - Parameter writing: the registration that is being written, which the caller holds itself.
    init(of session: Session, writing id: Identifier<Registration>? = nil, in tx: Transaction) throws(DomainError) {
        if let known = tx.feed.queues[session.id] { self = known.queue } else { self = try Queue(reading: session, in: tx) }
        guard let id, let own = members.firstIndex(where: { $0.id == id }) else { return }
        members.remove(at: own)
        contacts.remove(at: own)
    }

    private init(reading session: Session, in tx: Transaction) throws(DomainError) {
        self.session = session
        try storing { () throws(DatabaseError) in
            let row = try tx.connection.statement(Self.rows)
            try row.bind([session.id.value])
            while try row.step() {
                lastEntryNo = Int(row.integer(1))
                guard let member = Member(row) else { continue }
                members.append(member)
                contacts.append(Contact(row, 9))
            }
        }
    }

    private static let rows = """
        SELECT id, entry_no, status, party_size, queued_at, offer_expires_at, rank, not_promoted_reason, attended_count, \(Contact.columns)
        FROM registration WHERE session_id = ? ORDER BY entry_no
        """

    /// The others that want a seat or have one.
    var parties: [Promotion.Party] { members.map(\.party) }

    /// The first of the others with the contact of the one that is being written.
    mutating func duplicate(of own: Registration) -> (id: Identifier<Registration>, entryNo: Int)? {
        let contact = Contact(of: own)
        self.contact = contact
        return contacts.firstIndex { $0.isSame(as: contact) }.map { (members[$0].id, members[$0].party.entryNo) }
    }

    /// Decides, with this registration among the others, and gives back what becomes of it.
    mutating func settle(with own: Registration? = nil, isNew: Bool = false, at now: Timestamp) -> Registration? {
        if let own {
            isWriting = true
            members.append(Member(id: own.id, attendedCount: own.attendedCount ?? 0, party: Promotion.Party(own, isNew: isNew)))
        }
        settled = parties
        guard !session.status.isOver else { return own }
        Promotion.settle(&settled, session.promotionRules, at: now)
        guard var own, let party = settled.last else { return nil }
        own.take(party)
        return own
    }

    /// Stores what was decided about the others, and the session's totals.
    func store(by caller: Caller, in tx: Transaction) throws(DomainError) {
        for (before, after) in zip(members.dropLast(isWriting ? 1 : 0), settled) where before.party != after {
            let old = try Registration.store.require(before.id, in: tx.connection)
            if before.party.status != after.status {
                try Registration.store.amend(old, .transition, by: caller, in: tx) { $0.take(after) }
            } else {
                var new = old
                new.take(after)
                if !new.hasFields(of: old) { try Registration.store.republish(old, as: new, in: tx) }
            }
        }
        var counted = session
        counted.count(members, as: settled)
        guard !Session.counts.areEqual(counted, session) else { return }
        // Many sign up for the same session at once.
        try Session.store.republishLater(session, as: counted, counts: Session.counts, in: tx) { (old, new) throws(DatabaseError) in
            guard new.status == .open, new.freeSeats == 0, old.freeSeats > 0 else { return }
            try Outbox.note(EventType.sessionFull, rev: new.meta.rev, of: new, before: old, in: tx)
        }
    }

    /// The queue for whoever comes next, after all that was decided has been stored.
    ///
    /// - Returns: nil where the contact of the one that was written is not known, since nobody asked for its duplicate.
    var next: Queue? {
        guard let contact else { return nil }
        var next = self
        next.contacts.append(contact)
        next.contact = nil
        next.session.count(members, as: settled)
        next.lastEntryNo = max(lastEntryNo, members.last?.party.entryNo ?? 0)
        for index in settled.indices {
            next.members[index].party = settled[index]
            (next.members[index].party.isNew, next.members[index].party.isToBeCalled) = (false, false)
        }
        for index in settled.indices.reversed() where !settled[index].status.isLive {
            next.members.remove(at: index)
            next.contacts.remove(at: index)
        }
        (next.settled, next.isWriting) = ([], false)
        return next
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

    fileprivate mutating func count(_ members: [Queue.Member], as parties: [Promotion.Party]) {
        (seatsConfirmed, seatsOffered, waitingParties, waitingSeats, attendedCount) = (0, 0, 0, 0, 0)
        for (member, party) in zip(members, parties) {
            switch party.status {
            case .confirmed, .absent: seatsConfirmed += party.size
            case .attended:
                seatsConfirmed += party.size
                attendedCount += member.attendedCount
            case .offered: seatsOffered += party.size
            case .waitlisted:
                waitingParties += 1
                waitingSeats += party.size
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
