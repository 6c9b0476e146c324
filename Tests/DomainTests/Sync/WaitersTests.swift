@testable import Domain
import Dispatch
import SQLite
import Synchronization
import TestSupport
import Testing

/// Who was woken, in order.
private final class Woken: Sendable {
    private let names = Mutex<[String]>([])
    private let happened = DispatchSemaphore(value: 0)

    func note(_ name: String) -> @Sendable () -> Void {
        { [self] in
            names.withLock { $0.append(name) }
            happened.signal()
        }
    }

    var all: [String] { names.withLock { $0 } }

    /// - Returns: false when nothing more happened in ten seconds.
    func waitForOne() -> Bool { happened.wait(timeout: .now() + 10) == .success }
}

@Suite struct WaitersTests {
    private static let far = MonotonicInstant.now.advanced(by: .seconds(600))
    private static let token = Identifier<Token>(high: 1, low: 2)

    @Test("a commit wakes those who may see what it changed, before its writer is answered, and nobody else")
    func audiences() throws {
        let test = try TestFederation()
        let (a, b) = (try test.addCoop("a"), try test.addCoop("b"))
        let theme = try test.addTheme()
        let woken = Woken()
        for (name, layers) in [
            ("manager a", Caller.manager(of: a).layers.filter { $0 != .network }), ("manager b", Caller.manager(of: b).layers.filter { $0 != .network }),
            ("federation", [.federation]), ("network", [.network]), ("public", [.public]),
        ] as [(String, [Audience])] {
            _ = test.federation.waiters.add(layers, token: nil, until: Self.far, wake: woken.note(name))
        }
        _ = try test.addIdea(on: theme, #","author_coop_id":"\#(a.id)""#)
        #expect(woken.all.sorted() == ["federation", "manager a"])
        #expect(test.federation.waiters.count == 3)
        try test.create(Theme.self, #"{"slug":"z","title":"Z"}"#)
        #expect(woken.all.sorted() == ["federation", "manager a", "network", "public"])
        #expect(test.federation.waiters.count == 1)
    }

    @Test("what is refused, or changes nothing, wakes nobody")
    func nothingHappened() throws {
        let test = try TestFederation()
        let theme = try test.addTheme()
        let woken = Woken()
        _ = test.federation.waiters.add([.network, .public], token: nil, until: Self.far, wake: woken.note("network"))
        #expect(refusal { try test.addTheme() } == "theme.slug.taken")
        try test.patch(theme, "{}")
        #expect(woken.all == [])
    }

    @Test("those who lose a record are woken too, also by its deletion later")
    func loss() throws {
        let test = try TestFederation()
        let mooc = try test.create(Mooc.self, #"{"slug":"m","title":"M"}"#)
        let module = try test.create(Module.self, #"{"mooc_id":"\#(mooc.id)","slug":"n","title":"N","status":"published"}"#)
        let woken = Woken()
        _ = test.federation.waiters.add([.public], token: nil, until: Self.far, wake: woken.note("lost"))
        let draft = try test.patch(module, #"{"status":"draft"}"#)
        #expect(woken.all == ["lost"])
        _ = test.federation.waiters.add([.public], token: nil, until: Self.far, wake: woken.note("deleted"))
        try test.delete(draft)
        #expect(woken.all == ["lost", "deleted"])
    }

    @Test("when a waiter wakes, what woke it can be read")
    func readable() throws {
        let test = try TestFederation()
        let seen = Mutex<Int64>(0)
        _ = test.federation.waiters.add([.network], token: nil, until: Self.far) {
            let stored = try? test.federation.database.read { try $0.first("SELECT seq FROM history_head") { $0.integer(0) } } ?? 0
            seen.withLock { $0 = min(stored ?? 0, test.federation.heads.head) }
        }
        let theme = try test.addTheme()
        #expect(seen.withLock { $0 } == theme.meta.rev)
    }

    @Test("a waiter is woken once, at its deadline if nothing came")
    func deadline() throws {
        let test = try TestFederation()
        let woken = Woken()
        _ = test.federation.waiters.add([.network], token: nil, until: .now, wake: woken.note("late"))
        #expect(woken.waitForOne())
        try test.addTheme()
        #expect(woken.all == ["late"])
        #expect(test.federation.waiters.count == 0)
    }

    @Test("who watches hears of each commit until it looks away, and of the end")
    func watching() throws {
        let test = try TestFederation()
        let (stays, leaves) = (Woken(), Woken())
        _ = test.federation.waiters.watch([.network, .public], token: nil, wake: stays.note("stays"))
        let leaver = try #require(test.federation.waiters.watch([.network], token: Self.token, wake: leaves.note("leaves")))
        let theme = try test.addTheme()
        try test.patch(theme, #"{"title":"Voisins"}"#)
        test.federation.waiters.announce(Self.token)
        #expect(stays.all.count == 2)
        #expect(leaves.all.count == 3)
        test.federation.waiters.cancel(leaver)
        try test.patch(theme, #"{"title":"Voisinage"}"#)
        #expect(stays.all.count == 3)
        test.federation.waiters.close()
        #expect(stays.all.count == 4)
        #expect(leaves.all.count == 3)
        #expect(test.federation.waiters.watch([.public], token: nil, wake: stays.note("late")) == nil)
    }

    @Test("the end of a token wakes those who wait with it")
    func revocation() throws {
        let test = try TestFederation()
        let (mine, other) = (try test.federation.createToken(.init(role: .federationReader)).token, try test.federation.createToken(.init(role: .federationReader)).token)
        let woken = Woken()
        for (name, token) in [("mine", mine.id), ("other", other.id)] {
            _ = test.federation.waiters.add([.network], token: token, until: Self.far, wake: woken.note(name))
        }
        _ = try test.federation.revokeToken(mine.id)
        #expect(woken.all == ["mine"])
        #expect(!test.federation.tokens.isGood(mine.id, at: test.clock.now) && test.federation.tokens.isGood(other.id, at: test.clock.now))
    }

    @Test("waking by hand wakes once, and its deadline is off")
    func byHand() throws {
        let alarm = Alarm()
        let waiters = Waiters(alarm: alarm)
        let woken = Woken()
        let id = try #require(waiters.add([.network], token: nil, until: Self.far, wake: woken.note("a")))
        waiters.wake(id)
        waiters.wake(id)
        waiters.announce([.network])
        #expect(woken.all == ["a"])
        waiters.close()
        alarm.stop()
    }

    @Test("closing wakes everybody, and lets nobody wait any more")
    func closing() throws {
        let test = try TestFederation()
        let woken = Woken()
        for name in ["a", "b", "c"] { _ = test.federation.waiters.add([.network], token: Self.token, until: Self.far, wake: woken.note(name)) }
        test.federation.waiters.close()
        #expect(woken.all.sorted() == ["a", "b", "c"])
        #expect(test.federation.waiters.add([.network], token: nil, until: Self.far, wake: woken.note("late")) == nil)
        #expect(woken.all.count == 3)
    }
}

@Suite struct AlarmTests {
    /// An alarm whose thread is held until `release`, so that what is set meanwhile is due all at once.
    private struct Held {
        let alarm = Alarm()
        let woken = Woken()
        private let gate = DispatchSemaphore(value: 0)

        init() {
            let (gate, woken) = (gate, woken)
            let entered = DispatchSemaphore(value: 0)
            _ = alarm.set(.now) {
                entered.signal()
                gate.wait()
                woken.note("gate")()
            }
            entered.wait()
        }

        func release() { gate.signal() }
    }

    @Test("actions run in the order of their deadlines, whatever the order in which they were set")
    func order() {
        let held = Held()
        let now = MonotonicInstant.now
        for (name, milliseconds) in [("c", -10), ("a", -30), ("d", 5), ("b", -20)] {
            _ = held.alarm.set(now.advanced(by: .milliseconds(milliseconds)), held.woken.note(name))
        }
        held.release()
        for _ in 0..<5 { #expect(held.woken.waitForOne()) }
        #expect(held.woken.all == ["gate", "a", "b", "c", "d"])
        held.alarm.stop()
    }

    @Test("an earlier deadline set later comes first")
    func earlier() {
        let (alarm, woken) = (Alarm(), Woken())
        _ = alarm.set(.now.advanced(by: .seconds(600)), woken.note("far"))
        _ = alarm.set(.now.advanced(by: .milliseconds(1)), woken.note("near"))
        #expect(woken.waitForOne())
        #expect(woken.all == ["near"])
        alarm.stop()
    }

    @Test("what is cancelled does not run, and cancelling twice is nothing")
    func cancel() {
        let held = Held()
        let tickets = (0..<2000).map { _ in held.alarm.set(.now.advanced(by: .milliseconds(-5)), held.woken.note("cancelled")) }
        for ticket in tickets + tickets { held.alarm.cancel(ticket) }
        _ = held.alarm.set(.now, held.woken.note("last"))
        held.release()
        for _ in 0..<2 { #expect(held.woken.waitForOne()) }
        #expect(held.woken.all == ["gate", "last"])
        held.alarm.stop()
    }

    @Test("stopping drops what is not due, and nothing set afterwards runs")
    func stop() {
        let (alarm, woken) = (Alarm(), Woken())
        _ = alarm.set(.now.advanced(by: .seconds(600)), woken.note("dropped"))
        alarm.stop()
        _ = alarm.set(.now, woken.note("after"))
        alarm.stop()
        #expect(woken.all == [])
    }
}
