import SQLite

/// A session with its live registrations, as the promotion routine sees them: decided on with each change, and stored.
///
/// A class, because it passes from one sign-up to the next with all who are in it. Unchecked: only the writer thread has it.
final class Queue: @unchecked Sendable {
    /// What the routine and the session's totals go by; the whole record is read only of those for whom something changes.
    struct Member: Sendable {
        let id: Identifier<Registration>
        let attendedCount: Int
        var party: Promotion.Party
    }

    /// As it is stored: its totals follow before the commit.
    private(set) var session: Session
    /// The number of the newest registration, whatever became of it.
    private(set) var lastEntryNo = 0
    /// As they are stored, in the order of their numbers; the one that is being written comes last, from when it is decided on.
    private var members: [Member] = []
    /// Of the same, in the same order.
    private var contacts: [Contact] = []
    /// What the routine makes of them.
    private var settled: [Promotion.Party] = []
    private var isWriting = false

    /// The queue of a session, from the sign-up before or anew; nil where there is no such session.
    ///
    /// - Parameter writing: the registration that is being written, which the caller holds itself.
    static func take(_ id: Identifier<Session>, writing own: Identifier<Registration>? = nil, in tx: Transaction) throws(DomainError) -> Queue? {
        guard let queue = try storing({ () throws(DatabaseError) in try take(id, in: tx) }) else { return nil }
        if let own, let index = queue.members.firstIndex(where: { $0.id == own }) { queue.remove(index) }
        return queue
    }

    private static func take(_ id: Identifier<Session>, in tx: Transaction) throws(DatabaseError) -> Queue? {
        if let known = tx.feed.queues.take(id) { return known }
        guard let session = try Session.store.load(id, in: tx.connection) else { return nil }
        return try Queue(reading: session, in: tx)
    }

    private init(reading session: Session, in tx: Transaction) throws(DatabaseError) {
        self.session = session
        let row = try tx.connection.statement(Self.rows)
        try row.bind([session.id.value])
        defer { row.reset() }
        while try row.step() {
            lastEntryNo = Int(row.integer(1))
            guard let member = try Member(row) else { continue }
            members.append(member)
            contacts.append(Contact(row, 9))
        }
    }

    private static let rows = """
        SELECT id, entry_no, status, party_size, queued_at, offer_expires_at, rank, not_promoted_reason, attended_count, \(Contact.columns)
        FROM registration WHERE session_id = ? ORDER BY entry_no
        """

    var count: Int { members.count }

    /// The others that want a seat or have one.
    var parties: [Promotion.Party] { members.map(\.party) }

    /// The session with its totals as they follow from these.
    var counted: Session {
        var counted = session
        counted.count(members)
        return counted
    }

    /// The first of the others with this contact.
    func find(_ contact: Contact) -> (id: Identifier<Registration>, entryNo: Int)? {
        contacts.firstIndex { $0.isSame(as: contact) }.map { (members[$0].id, members[$0].party.entryNo) }
    }

    /// Decides, with this registration among the others, what becomes of it and of them.
    func settle(with own: inout Registration, known contact: Contact, isNew: Bool, at now: Timestamp) {
        isWriting = true
        members.append(Member(id: own.id, attendedCount: own.attendedCount ?? 0, party: Promotion.Party(own, isNew: isNew)))
        contacts.append(contact)
        settle(at: now)
        if !session.status.isOver, let party = settled.last { own.take(party) }
    }

    func settle(at now: Timestamp) {
        settled = parties
        if !session.status.isOver { Promotion.settle(&settled, session.promotionRules, at: now) }
    }

    /// Stores what was decided about the others, asks for the session's totals to follow, and is there for whoever comes next.
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
        advance()
        tx.feed.queues.keep(self)
        let id = session.id
        tx.feed.publishLater(.session, Identifier(id)) { () throws(DatabaseError) in try Self.take(id, in: tx)?.publishTotals(in: tx) }
    }

    private func advance() {
        lastEntryNo = max(lastEntryNo, members.last?.party.entryNo ?? 0)
        for index in settled.indices.reversed() {
            members[index].party = settled[index]
            (members[index].party.isNew, members[index].party.isToBeCalled) = (false, false)
            if !settled[index].status.isLive { remove(index) }
        }
        sort()
        (settled, isWriting) = ([], false)
    }

    /// The one that was written goes where it is read from.
    private func sort() {
        guard let own = members.last, let place = members.firstIndex(where: { $0.party.entryNo > own.party.entryNo }) else { return }
        members.insert(members.removeLast(), at: place)
        contacts.insert(contacts.removeLast(), at: place)
    }

    private func remove(_ index: Int) {
        members.remove(at: index)
        contacts.remove(at: index)
    }

    /// Brings the session's totals up to date, and its documents: once, however many have signed up together.
    private func publishTotals(in tx: Transaction) throws(DatabaseError) {
        let old = session
        let new = counted
        if !new.hasFields(of: old) {
            session = try Session.store.renew(old, as: new, in: tx)
            if session.status == .open, session.freeSeats == 0, old.freeSeats > 0 {
                try Outbox.note(EventType.sessionFull, rev: session.meta.rev, of: session, before: old, in: tx)
            }
        }
        tx.feed.queues.keep(self)
    }
}

extension Queue.Member {
    /// - Returns: nil for a row of somebody who neither has a seat nor wants one any more.
    /// - Throws: for a row that only another program can have written: whoever it is about would lose the seat to the next.
    fileprivate init?(_ row: Statement) throws(DatabaseError) {
        let status = Registration.Status(rawValue: row.text(2))
        if let status, !status.isLive { return nil }
        guard let status, let id: Identifier<Registration> = row.identifier(0), let queuedAt = row.time(4) else {
            let column = status == nil ? 2 : row.time(4) == nil ? 4 : 0
            let damage = row.damage(column, column == 2 ? "Status" : column == 4 ? "Timestamp" : "id")
            throw DatabaseError(code: damage.code, message: "registration \(row.text(0)): \(damage.message)", sql: damage.sql)
        }
        self.id = id
        attendedCount = Int(row.integer(8))
        party = Promotion.Party(
            size: Int(row.integer(3)), queuedAt: queuedAt, entryNo: Int(row.integer(1)), hasEmail: !row.isNull(9),
            isNew: false, status: status, offerExpiresAt: row.time(5), rank: row.optionalInteger(6).map { Int($0) },
            reason: row.optionalText(7).flatMap { Registration.NotPromoted(rawValue: $0) })
    }
}

extension Session {
    /// Runs the promotion routine on the session's parties, stores what it changes, and brings the session's totals up to date.
    static func settleQueue(_ id: Identifier<Session>, by caller: Caller, in tx: Transaction) throws(DomainError) {
        guard let queue = try Queue.take(id, in: tx) else { throw .notFound(type: type.rawValue) }
        queue.settle(at: tx.now)
        try queue.store(by: caller, in: tx)
    }

    fileprivate var promotionRules: Promotion.Rules {
        Promotion.Rules(capacity: capacity, startsAt: startsAt, closesAt: registrationClosesAt, offerHours: offerHours, fitHours: fitHours)
    }

    fileprivate mutating func count(_ members: [Queue.Member]) {
        (seatsConfirmed, seatsOffered, waitingParties, waitingSeats, attendedCount) = (0, 0, 0, 0, 0)
        for member in members {
            switch member.party.status {
            case .confirmed, .absent: seatsConfirmed += member.party.size
            case .attended:
                seatsConfirmed += member.party.size
                attendedCount += member.attendedCount
            case .offered: seatsOffered += member.party.size
            case .waitlisted:
                waitingParties += 1
                waitingSeats += member.party.size
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
