import CCurl
import Domain
import Glibc
import SQLite

/// The courier's thread. Only `wake` may be called by others.
// Unchecked: everything else is touched by its own thread alone.
final class CourierLoop: @unchecked Sendable {
    /// What the writer has made of settlements.
    struct Stored: Sendable {
        let settlements: [Settlement]
        /// For each of them; nil where the database could not.
        let free: [Set<Identifier<Void>>]?
    }

    private static let graceSeconds: Int64 = 2
    private static let upkeepSeconds: Int64 = 60
    private static let longestNapMilliseconds: Int64 = 10_000

    private let federation: Federation
    private let settings: Courier.Settings
    private let inbox: Monitor<Courier.Inbox>
    private let multi: UnsafeMutableRawPointer
    private var lanes: [Identifier<Webhook>: Lane] = [:]
    /// In this order they get their turns; the first one changes.
    private var turns: [Identifier<Webhook>] = []
    private var flights: [UnsafeMutableRawPointer: Transfer] = [:]
    private var spare: [Transfer] = []
    private var isStoring = false
    private var retryStoringAt: MonotonicInstant?
    private var nextUpkeep = MonotonicInstant.now
    private var isKeepingUp = false

    init(_ federation: Federation, _ settings: Courier.Settings, _ inbox: Monitor<Courier.Inbox>) {
        guard let multi = curl_multi_init() else { preconditionFailure("libcurl has no memory") }
        self.multi = multi
        self.federation = federation
        self.settings = settings
        self.inbox = inbox
        _ = CCurl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, 64)
    }

    deinit { curl_multi_cleanup(multi) }

    func wake() { curl_multi_wakeup(multi) }

    // MARK: The loop

    func run() {
        // Whoever asks the API comes first: this thread gives way (setpriority(2) is about threads on Linux).
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5)
        open(federation.webhooks.all.map(\.id))
        while !inbox.withLock({ $0.isStopping }) {
            takeNews()
            takeStored()
            begin()
            perform()
            store()
            keepUp()
            nap()
        }
        finish()
        inbox.change(wakingAll: true) { $0.hasStopped = true }
    }

    private func perform() {
        var running: Int32 = 0
        curl_multi_perform(multi, &running)
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            let code = CCurl_result(message)
            curl_multi_remove_handle(multi, handle)
            if let transfer = flights.removeValue(forKey: handle) { end(transfer, code) }
        }
    }

    /// Until something happens, or the next thing is due.
    private func nap() {
        let (now, instant) = (federation.now(), MonotonicInstant.now)
        var milliseconds = Self.longestNapMilliseconds
        func before(_ deadline: MonotonicInstant?) {
            if let deadline { milliseconds = min(milliseconds, max(1, (deadline.nanoseconds - instant.nanoseconds) / 1_000_000 + 1)) }
        }
        before(retryStoringAt)
        if !isKeepingUp { before(nextUpkeep) }
        for lane in lanes.values {
            if !isStoring { before(lane.settlementDue) }
            guard lane.webhook.status == .active else { continue }
            before(lane.pace.blockedUntil.flatMap { $0 > instant ? $0 : nil })
            let isBlocked = lane.pace.blockedUntil.map { $0 > instant } ?? false
            if let due = lane.nextDue, lane.flying == 0, !isBlocked { milliseconds = min(milliseconds, max(10, due.milliseconds - now.milliseconds)) }
        }
        curl_multi_poll(multi, nil, 0, Int32(clamping: milliseconds), nil)
    }

    // MARK: Sending

    /// Gives every webhook a turn after the other, so that none waits for another's queue.
    private func begin() {
        guard retryStoringAt == nil else { return }
        let (now, instant) = (federation.now(), MonotonicInstant.now)
        var hungry = turns
        while !hungry.isEmpty, flights.count < settings.connections {
            hungry = hungry.filter { id in
                guard flights.count < settings.connections, let lane = lanes[id] else { return false }
                // What cannot be read now is read with the next turn.
                guard let job = (try? lane.next(at: now, instant, in: federation)) ?? nil else { return false }
                return start(job, in: lane, at: now)
            }
        }
        if let first = turns.first { turns = turns.dropFirst() + [first] }
    }

    private func start(_ job: Transfer.Job, in lane: Lane, at now: Timestamp) -> Bool {
        let limits = Transfer.Limits(seconds: settings.timeoutSeconds)
        guard let transfer = spare.popLast() ?? Transfer(settings.addressGuard, limits) else { preconditionFailure("libcurl has no memory") }
        transfer.prepare(job, at: now, resolve: settings.resolve())
        lane.began(job)
        flights[transfer.handle] = transfer
        curl_multi_add_handle(multi, transfer.handle)
        return true
    }

    private func end(_ transfer: Transfer, _ code: CURLcode) {
        guard let job = transfer.job else { return }
        let result = transfer.finish(code)
        if spare.count < 64 { spare.append(transfer) }
        let isDelivered = result.verdict == .delivered
        inbox.withLock { if isDelivered { $0.statistics.delivered += 1 } else { $0.statistics.failed += 1 } }
        guard let lane = lanes[job.webhook.id] else { return }
        var fate = Settlement.Outcome.Fate.delivered
        if isDelivered {
            lane.pace.succeeded()
        } else {
            lane.pace.failed(result.verdict, retryAfter: result.retryAfter, at: .now)
            let delay = RetryPolicy.delay(after: job.attempts + 1, retryAfter: result.retryAfter, chance: .random(in: 0...1))
            fate = delay.map { .retry(at: Timestamp(milliseconds: federation.now().milliseconds + Int64($0 * 1000))) } ?? .dead
        }
        let outcome = Settlement.Outcome(event: job.event, fate: fate, attempts: job.attempts + 1, attempt: result.attempt)
        lane.ended(job, outcome, isGone: result.verdict == .gone)
    }

    // MARK: Storing what became of it

    private func store() {
        let now = MonotonicInstant.now
        if let time = retryStoringAt, time > now { return }
        guard !isStoring, lanes.values.contains(where: { $0.isSettlementDue(at: now) }) else { return }
        submit(lanes.values.compactMap { $0.settlement() })
    }

    private func submit(_ settlements: [Settlement]) {
        guard !settlements.isEmpty else { return }
        isStoring = true
        federation.write({ (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                var free: [Set<Identifier<Void>>] = []
                for settlement in settlements { free.append(try settlement.store(in: tx)) }
                return free
            }
        }) { [self] result in
            let stored = Stored(settlements: settlements, free: try? result.get())
            inbox.change(wakingAll: true) { $0.stored.append(stored) }
            wake()
        }
    }

    private func takeStored() {
        let all = inbox.withLock { inbox in
            defer { inbox.stored = [] }
            return inbox.stored
        }
        for stored in all {
            isStoring = false
            // A full queue or disk: nothing more is sent whose fate could not be stored.
            retryStoringAt = stored.free == nil ? .now.advanced(by: .seconds(1)) : nil
            for (index, settlement) in stored.settlements.enumerated() {
                guard let lane = lanes[settlement.webhook] else { continue }
                if let free = stored.free { lane.stored(settlement, free: free[index]) } else { lane.notStored() }
            }
        }
        reopen()
    }

    // MARK: Keeping up with what people do

    private func takeNews() {
        guard let touched = federation.webhooks.takeNews() else { return }
        for lane in lanes.values { lane.mayHaveMore = true }
        for id in touched {
            guard let lane = lanes[id] else {
                open([id])
                continue
            }
            guard let webhook = federation.webhooks.find(id) else {
                lane.mustReload = true
                continue
            }
            if webhook.url != lane.webhook.url || webhook.isOrdered != lane.webhook.isOrdered || webhook.run != lane.run { lane.mustReload = true }
            lane.webhook = webhook
            try? lane.recount(in: federation)
        }
    }

    private func open(_ ids: [Identifier<Webhook>]) {
        for id in ids {
            guard let webhook = federation.webhooks.find(id) else { continue }
            let lane = try? federation.read { (connection) throws(DomainError) in
                try storing { () throws(DatabaseError) in try Lane(webhook, in: connection) }
            }
            if let lane { lanes[id] = lane }
        }
        turns = lanes.keys.sorted { ($0.high, $0.low) < ($1.high, $1.low) }
    }

    /// Reads those anew that were set back or changed, and forgets those that are gone, once nothing of them is under way.
    private func reopen() {
        let ready = lanes.filter { $0.value.mustReload && $0.value.isIdle }.keys
        guard !ready.isEmpty else { return }
        for id in ready { lanes[id] = nil }
        open(Array(ready))
    }

    private func keepUp() {
        if let hasMore = inbox.withLock({ inbox in
            defer { inbox.upkeep = nil }
            return inbox.upkeep
        }) {
            isKeepingUp = false
            nextUpkeep = .now.advanced(by: hasMore ? .milliseconds(50) : .seconds(Self.upkeepSeconds))
        }
        guard !isKeepingUp, nextUpkeep <= .now else { return }
        isKeepingUp = true
        let limits = settings.limits
        federation.write({ (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in try WebhookUpkeep.run(limits, in: tx) }
        }) { [self] result in
            let hasMore = (try? result.get()) ?? false
            inbox.withLock { $0.upkeep = hasMore }
            wake()
        }
    }

    // MARK: The end

    private func finish() {
        let end = MonotonicInstant.now.advanced(by: .seconds(Self.graceSeconds))
        while !flights.isEmpty, MonotonicInstant.now < end {
            perform()
            if !flights.isEmpty { curl_multi_poll(multi, nil, 0, 50, nil) }
        }
        for transfer in flights.values {
            curl_multi_remove_handle(multi, transfer.handle)
            if let job = transfer.job { lanes[job.webhook.id]?.abandoned(job) }
        }
        flights = [:]
        waitForWriter()
        submit(lanes.values.compactMap { $0.settlement() })
        waitForWriter()
    }

    private func waitForWriter() {
        guard isStoring || isKeepingUp else { return }
        if isStoring {
            inbox.when({ !$0.stored.isEmpty }) { _ in }
            takeStored()
        }
    }
}
