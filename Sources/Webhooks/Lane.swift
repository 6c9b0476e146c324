import Domain
import SQLite

/// One webhook's way through the log of events: what was read, what is under way, and what is settled but not stored yet.
///
/// The position that is stored never passes an event of which nothing is known, so that nothing is lost with the process.
final class Lane {
    var webhook: Webhook
    var pace = Pace()
    private(set) var run: Int64
    private(set) var reached: Int64
    /// How far the log was read.
    private(set) var scanned: Int64
    /// Events that were read, are for this webhook, and of which nothing is stored yet; in order.
    private var open: [Int64] = []
    /// Those of them that wait for their turn.
    private var queue: ArraySlice<Event> = []
    /// Behind the position, but settled before the process began.
    private var known: Set<Int64>
    /// The position as it is stored.
    private var storedPosition: Int64
    private var retries: ArraySlice<(event: Event, attempts: Int)> = []
    /// Retries that are under way, or of which it is not yet stored what became of them.
    private var openRetries = 0
    private(set) var flying = 0
    /// At an ordered webhook: records of which an event is under way, until what became of it is stored.
    private var busy: Set<Identifier<Void>> = []
    /// And those of which an event has failed, until it comes through.
    private var blocked: Set<Identifier<Void>>
    /// Open rows in the log of deliveries, more or less.
    private var waiting: Int
    /// Whether the log may hold more than was read.
    var mayHaveMore = true
    /// Whether somebody must look when the next retry is due.
    var isDueStale = true
    private(set) var nextDue: Timestamp?
    /// Found out, to be stored with the next settlement.
    private var ripe: [Ripe] = []
    private var underway: [Ripe] = []
    private var isGone = false
    private(set) var ripeSince: MonotonicInstant?
    /// Set back by a replay: whatever is under way comes to its end first.
    var mustReload = false

    private struct Ripe {
        let outcome: Settlement.Outcome
        /// It was in the log of deliveries before.
        let isRetry: Bool
    }

    /// More events ahead of the slowest one, or more retries, would only fill the memory and the log.
    private static let openLimit = 1024
    private static let waitingLimit = 10_000
    private static let pageLimit = 256

    /// - Returns: nil where it is gone already.
    init?(_ webhook: Webhook, in connection: Connection) throws(DatabaseError) {
        guard let place = try WebhookTable.place(of: webhook.id, in: connection) else { return nil }
        self.webhook = webhook
        (storedPosition, scanned, reached, run) = (place.position, place.position, place.reached, place.run)
        known = try DeliveryTable.settled(webhook.id, in: place, in: connection)
        blocked = webhook.isOrdered ? try DeliveryTable.blocked(webhook.id, in: connection) : []
        waiting = try DeliveryTable.openCount(webhook.id, in: connection)
    }

    // MARK: What to send next

    /// The next event to send, nil where there is none for now.
    func next(at now: Timestamp, _ instant: MonotonicInstant, in federation: Federation) throws(DomainError) -> Transfer.Job? {
        guard webhook.status == .active, !mustReload, pace.free(flying: flying, at: instant) > 0 else { return nil }
        if let job = try nextRetry(at: now, in: federation) { return job }
        while true {
            if let event = takeFresh() { return Transfer.Job(webhook: webhook, event: event, attempts: 0, isRetry: false) }
            guard queue.isEmpty, mayHaveMore, open.count < Self.openLimit, waiting < Self.waitingLimit else { return nil }
            try readOn(in: federation)
        }
    }

    private func nextRetry(at now: Timestamp, in federation: Federation) throws(DomainError) -> Transfer.Job? {
        if retries.isEmpty, openRetries == 0 {
            let id = webhook.id
            if isDueStale {
                nextDue = try federation.read { (connection) throws(DomainError) in
                    try storing { () throws(DatabaseError) in try DeliveryTable.nextDue(id, in: connection) }
                }
                isDueStale = false
            }
            guard let due = nextDue, due <= now else { return nil }
            retries = try federation.read { (connection) throws(DomainError) in
                try storing { () throws(DatabaseError) in try DeliveryTable.due(at: now, id, limit: 64, in: connection) }
            }[...]
        }
        // Of one record one at a time; the others of this batch come with the next.
        while let (event, attempts) = retries.popFirst() {
            if webhook.isOrdered, busy.contains(event.record) { continue }
            return Transfer.Job(webhook: webhook, event: event, attempts: attempts, isRetry: true)
        }
        if openRetries == 0 { isDueStale = true }
        return nil
    }

    private func takeFresh() -> Event? {
        guard webhook.isOrdered else { return queue.popFirst() }
        while let index = queue.firstIndex(where: { !busy.contains($0.record) }) {
            let event = queue.remove(at: index)
            guard blocked.contains(event.record) else { return event }
            note(Settlement.Outcome(event: event, fate: .held, attempts: 0, attempt: nil), isRetry: false)
        }
        return nil
    }

    private func readOn(in federation: Federation) throws(DomainError) {
        let (start, room) = (scanned, min(Self.pageLimit, Self.openLimit - open.count))
        let events = try federation.read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in try Outbox.events(after: start, limit: room, in: connection) }
        }
        if events.count < room { mayHaveMore = false }
        guard let last = events.last else { return }
        scanned = last.seq
        let wanted = events.filter { webhook.hears($0) && !known.contains($0.seq) }
        if scanned > reached { known = [] }
        open += wanted.map(\.seq)
        queue = wanted[...]
        if ripeSince == nil { ripeSince = .now }
    }

    /// A job that `next` gave is under way.
    func began(_ job: Transfer.Job) {
        flying += 1
        if job.isRetry { openRetries += 1 }
        if webhook.isOrdered { busy.insert(job.event.record) }
    }

    func ended(_ job: Transfer.Job, _ outcome: Settlement.Outcome, isGone: Bool) {
        flying -= 1
        if isGone { self.isGone = true }
        note(outcome, isRetry: job.isRetry)
    }

    /// A job that came to no end, because the process ends: it is open as before.
    func abandoned(_ job: Transfer.Job) { flying -= 1 }

    private func note(_ outcome: Settlement.Outcome, isRetry: Bool) {
        ripe.append(Ripe(outcome: outcome, isRetry: isRetry))
        if ripeSince == nil { ripeSince = .now }
    }

    // MARK: Storing what was found out

    /// Whether it is time to store something: soon where there is news, so that a batch gathers, and later for the position alone.
    func isSettlementDue(at now: MonotonicInstant) -> Bool {
        if !underway.isEmpty { return false }
        if ripe.count >= Self.batch || (flying == 0 && !ripe.isEmpty) { return true }
        guard let ripeSince else { return false }
        return ripeSince.advanced(by: gathering) <= now
    }

    private var gathering: Duration { ripe.isEmpty ? .seconds(5) : .milliseconds(20) }
    /// When it is time, at the latest; nil where there is nothing.
    var settlementDue: MonotonicInstant? { underway.isEmpty ? ripeSince?.advanced(by: gathering) : nil }

    private static let batch = 64

    /// Whether it read past events that are not for it, which is worth storing now and then.
    private var hasMoved: Bool { open.isEmpty && ripe.isEmpty && scanned > storedPosition }

    var isIdle: Bool { flying == 0 && ripe.isEmpty && underway.isEmpty }

    /// What is to be stored now; nil where there is nothing.
    func settlement() -> Settlement? {
        ripeSince = nil
        guard !ripe.isEmpty || hasMoved else { return nil }
        (underway, ripe) = (ripe, [])
        let settled = Set(underway.map(\.outcome.event.seq))
        let position = open.first { !settled.contains($0) }.map { $0 - 1 } ?? scanned
        reached = max(reached, position, underway.filter { !$0.isRetry }.map(\.outcome.event.seq).max() ?? 0)
        defer { isGone = false }
        return Settlement(webhook: webhook.id, run: run, outcomes: underway.map(\.outcome), position: position, reached: reached, isGone: isGone)
    }

    /// - Parameter free: records of which nothing is open any more.
    func stored(_ settlement: Settlement, free: Set<Identifier<Void>>) {
        let settled = Set(underway.map(\.outcome.event.seq))
        open.removeAll(where: settled.contains)
        storedPosition = settlement.position
        for ripe in underway {
            let outcome = ripe.outcome
            if webhook.isOrdered {
                busy.remove(outcome.event.record)
                if free.contains(outcome.event.record) { blocked.remove(outcome.event.record) } else { blocked.insert(outcome.event.record) }
            }
            let isOpen = outcome.fate != .delivered && outcome.fate != .dead
            waiting += (isOpen ? 1 : 0) - (ripe.isRetry ? 1 : 0)
            if ripe.isRetry { openRetries -= 1 }
            if isOpen || ripe.isRetry { isDueStale = true }
        }
        underway = []
    }

    /// The database could not store it: to be tried again.
    func notStored() {
        (ripe, underway) = (underway + ripe, [])
        ripeSince = .now
    }

    /// Somebody changed what is to be sent again by hand.
    func recount(in federation: Federation) throws(DomainError) {
        let id = webhook.id
        waiting = try federation.read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in try DeliveryTable.openCount(id, in: connection) }
        }
        isDueStale = true
        pace.unblock()
    }
}
