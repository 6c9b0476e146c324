import Domain
import JSON
import SQLite
import Synchronization
import TestSupport
import Testing

@testable import Webhooks

@Suite("The courier")
struct CourierTests {
    // MARK: Who hears what

    @Test("tells the federation of all, a co-op of its own records alone, in ids, signed")
    func tells() throws {
        let world = try CourierWorld()
        let coops = try [world.base.addCoop("a-casa"), world.base.addCoop("volcan")]
        let receivers = try (0..<3).map { _ in try Receiver() }
        let hooks = try [world.hook(receivers[0].url), world.hook(receivers[1].url, by: .manager(of: coops[0])), world.hook(receivers[2].url, by: .manager(of: coops[1]))]
        let referents = try coops.map { try world.base.addReferent(of: $0, #","status":"active""#) }

        let heard = try receivers[0].messages("two appointments") { $0.count { $0.type == "referent.appointed" } == 2 }
        #expect(Set(heard.filter { $0.type == "referent.appointed" }.map(\.record)) == Set(referents.map(\.id.text)))
        for (number, receiver) in receivers.dropFirst().enumerated() {
            let own = try receiver.messages("its own") { $0.contains { $0.type == "referent.appointed" } }
            #expect(own.allSatisfy { $0.json["data"]?["coop_ids"]?.elements?.map(\.stringValue) == [coops[number].id.text] })
            #expect(own.filter { $0.type == "referent.appointed" }.map(\.record) == [referents[number].id.text])
        }
        for (hook, receiver) in zip(hooks, receivers) {
            for message in receiver.messages {
                #expect(message.json.members?.map(\.name) == ["type", "timestamp", "data"])
                #expect(message.json["data"]?.members?.map(\.name) == ["id", "rev", "coop_ids"])
                let timestamp = try #require(message.headers["webhook-timestamp"].flatMap { Int64($0) })
                let signature = Signature.header(id: message.id, timestamp: timestamp, body: message.body, keys: [hook.secrets.current])
                #expect(message.headers["webhook-signature"] == signature)
                #expect(message.headers["content-type"] == "application/json")
            }
        }
    }

    @Test("tells a co-op nothing of another's drafts, and nobody of what people nominate")
    func keepsSilent() throws {
        let world = try CourierWorld()
        let (own, other) = (try world.base.addCoop("a-casa"), try world.base.addCoop("volcan"))
        let theme = try world.base.addTheme("social")
        let receivers = try [Receiver(), Receiver()]
        _ = try (world.hook(receivers[0].url, by: .manager(of: own)), world.hook(receivers[1].url))
        let draft = try world.base.addIdea(on: theme, by: .manager(of: other))
        let round = try world.base.create(Round.self, #"{"month":"2026-03"}"#, by: .manager(of: own))
        _ = try world.base.create(Nomination.self, #"{"round_id":"\#(round.id)","title":"Goûter"}"#, by: .manager(of: own))
        let mine = try world.base.addIdea(on: theme, by: .manager(of: own))
        let heard = try receivers[0].messages("its own idea") { $0.contains { $0.record == mine.id.text } }
        #expect(!heard.contains { $0.record == draft.id.text })
        #expect(heard.map(\.type) == ["round.created", "idea.created"])
        // A round is its co-op's own.
        let federation = try receivers[1].messages("the last idea") { $0.contains { $0.record == mine.id.text } }
        #expect(!federation.contains { $0.type.hasPrefix("round") || $0.type.hasPrefix("nomination") })
    }

    // MARK: What receivers answer

    struct Failing: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let reply: Receiver.Reply
        let error: String
        let status: Int?
    }

    static let failures = [
        Failing(testDescription: "500", reply: .status(500, body: "oh"), error: "status", status: 500),
        Failing(testDescription: "a redirect", reply: .status(302, ["Location: http://127.0.0.1:1/"]), error: "redirect", status: 302),
        Failing(testDescription: "an endless answer", reply: .flood, error: "answer.too-large", status: 200),
        Failing(
            testDescription: "endless headers", reply: .status(200, (0..<2000).map { "X-\($0): " + String(repeating: "x", count: 50) }), error: "answer.too-large", status: nil),
        Failing(testDescription: "the end of the connection", reply: .close, error: "connection.lost", status: nil),
        Failing(testDescription: "silence", reply: .silence, error: "timeout", status: nil),
    ]

    @Test("writes down why an attempt failed, and makes another after a while, with the same id", arguments: failures)
    func fails(_ failing: Failing) throws {
        let world = try CourierWorld { $0.timeoutSeconds = 1 }
        let receiver = try Receiver { _, before in before == 0 ? failing.reply : .status(204) }
        let hook = try world.hook(receiver.url, ["theme.*"])
        try world.happen()
        let failed = try world.delivery(hook, .waiting, attempts: 1)
        #expect(failed.last.error == failing.error)
        if let status = failing.status { #expect(failed.last.status == status) }
        try waitUntil("a failing webhook") { try world.present(hook).failingSince != nil }
        let wait = try #require(failed.next).milliseconds - world.base.clock.now.milliseconds
        #expect((4000...6000).contains(wait), "\(wait)")
        #expect(receiver.messages.count == 1, "not before its time")
        try world.pass(seconds: 7)
        let done = try world.delivery(hook, .delivered, attempts: 2)
        #expect(done.event.id == failed.event.id)
        let sent = receiver.messages.filter { $0.id == failed.event.id }
        #expect(sent.count == 2 && sent[0].body == sent[1].body)
        try waitUntil("a webhook that fails no more") { try world.present(hook).failingSince == nil }
    }

    @Test("follows no redirect, wherever it leads")
    func redirects() throws {
        let world = try CourierWorld()
        let canary = try Receiver()
        let receiver = try Receiver { _, _ in .status(307, ["Location: \(canary.url)"]) }
        let hook = try world.hook(receiver.url, ["theme.*"])
        try world.happen()
        _ = try world.delivery(hook, .waiting, attempts: 1)
        #expect(canary.connections == 0)
    }

    @Test("waits as long as a receiver asks for")
    func retryAfter() throws {
        let world = try CourierWorld()
        let receiver = try Receiver { _, before in .status(429, ["Retry-After: 3600"]) }
        let hook = try world.hook(receiver.url, ["theme.*"])
        try world.happen()
        let failed = try world.delivery(hook, .waiting, attempts: 1)
        #expect(try #require(failed.next).milliseconds - world.base.clock.now.milliseconds == 3_600_000)
        try world.happen(3)
        try world.pass(seconds: 60)
        #expect(receiver.messages.count == 1, "the others wait as well")
    }

    @Test("shows what is nobody's server, and what speaks no TLS")
    func connections() throws {
        let world = try CourierWorld()
        let receiver = try Receiver()
        let closed = try Receiver().port
        let hooks = try [world.hook("http://127.0.0.1:\(closed)/", ["theme.*"]), world.hook("https://127.0.0.1:\(receiver.port)/", ["theme.*"])]
        try world.happen()
        #expect(try world.delivery(hooks[0], .waiting, attempts: 1).last.error == "connection.refused")
        #expect(try world.delivery(hooks[1], .waiting, attempts: 1).last.error == "tls")
    }

    @Test("keeps the first KiB of an answer, also of one that is no text")
    func answers() throws {
        let world = try CourierWorld()
        let receiver = try Receiver { _, _ in .status(200, body: "\0é" + String(repeating: "x", count: 5000)) }
        let hook = try world.hook(receiver.url, ["theme.*"])
        try world.happen()
        let answer = try #require(try world.delivery(hook, .delivered, attempts: 1).last.answer)
        #expect(answer.hasPrefix("\u{FFFD}éxxx") && answer.count == 1023)
    }

    // MARK: Given up, disabled, resumed

    @Test("gives an event up after ten attempts, and sends it again when somebody asks")
    func deadLetters() throws {
        let world = try CourierWorld()
        let isWell = Mutex(false)
        let receiver = try Receiver { _, _ in isWell.withLock { $0 } ? .status(204) : .status(500) }
        let hook = try world.hook(receiver.url, ["theme.*"])
        try world.happen()
        _ = try world.delivery(hook, .waiting, attempts: 1)
        try world.run("UPDATE webhook_delivery SET attempts = 9")
        try world.pass(seconds: 7)
        let dead = try world.delivery(hook, .dead, attempts: 10)
        #expect(dead.next == nil && dead.last.error == "status")

        isWell.withLock { $0 = true }
        let done = try world.base.federation.perform { (tx) throws(DomainError) in try Webhook.redrive(hook.id, by: .admin, in: tx) }
        #expect(done == (1, 0))
        try receiver.messages("the dead letter") { $0.filter { $0.id == dead.event.id }.count == 3 }
        try waitUntil("no dead letter") { try world.deliveries(hook, .dead).isEmpty }
    }

    @Test("disables a webhook that answers 410; resumed, it gets what happened meanwhile")
    func gone() throws {
        let world = try CourierWorld()
        let isGone = Mutex(true)
        let receiver = try Receiver { _, _ in .status(isGone.withLock { $0 } ? 410 : 204) }
        let hook = try world.hook(receiver.url, ["theme.*"])
        try world.happen()
        try waitUntil("a disabled webhook") { try world.present(hook).status == .disabled }
        #expect(try world.present(hook).disabledReason == .gone)
        let themes = try world.happen(3)
        isGone.withLock { $0 = false }
        try world.set(.active, of: hook)
        try receiver.messages("what happened meanwhile") { messages in themes.allSatisfy { theme in messages.contains { $0.record == theme.id.text } } }
    }

    @Test("disables a webhook that has failed for five days")
    func failing() throws {
        let world = try CourierWorld()
        let receiver = try Receiver { _, _ in .status(500) }
        let hook = try world.hook(receiver.url, ["theme.*"])
        try world.happen()
        _ = try world.delivery(hook, .waiting, attempts: 1)
        try world.pass(seconds: 5 * 86_400 - 60)
        _ = try world.delivery(hook, .waiting, attempts: 2)
        #expect(try world.present(hook).status == .active)
        try world.pass(seconds: 86_400)
        try waitUntil("a disabled webhook") { try world.present(hook).status == .disabled }
        #expect(try world.present(hook).disabledReason == .failing)
    }

    @Test("sends nothing to a paused webhook, and everything in the end")
    func pauses() throws {
        let world = try CourierWorld()
        let (receiver, other) = (try Receiver(), try Receiver())
        let hook = try world.hook(receiver.url, ["theme.*"])
        _ = try world.hook(other.url, ["theme.*"])
        try world.set(.paused, of: hook)
        try world.happen(20)
        try other.messages("all of them") { $0.count == 20 }
        #expect(receiver.connections == 0)
        try world.set(.active, of: hook)
        try receiver.messages("all of them") { Set($0.map(\.id)).count == 20 }
    }

    // MARK: Order, restart, replay

    @Test("keeps the order of one record where that is asked for, and holds up no other record")
    func order() throws {
        let world = try CourierWorld(isRunning: false)
        let themes = try world.happen(2)
        let first = themes[0].id.text
        let receiver = try Receiver { message, _ in message.record == first && message.type == "theme.updated" ? .status(500) : .status(204) }
        let hook = try world.hook(receiver.url, ["theme.*"], ordered: true)
        for _ in 0..<5 { for theme in themes { try world.change(theme) } }
        world.start()
        try receiver.messages("all of the second") { $0.filter { $0.record == themes[1].id.text }.count == 5 }
        try waitUntil("the rest behind the first") { try world.deliveries(hook, .held).count == 4 }
        let revs = receiver.messages.filter { $0.record == themes[1].id.text }.map(\.rev)
        #expect(revs == revs.sorted())
        #expect(receiver.messages.filter { $0.record == first }.count == 1)
    }

    @Test("sends the held events one after the other once the first comes through")
    func releases() throws {
        let world = try CourierWorld()
        let receiver = try Receiver { _, before in before == 0 ? .status(500) : .status(204) }
        let hook = try world.hook(receiver.url, ["theme.*"], ordered: true)
        let theme = try world.happen()[0]
        for _ in 0..<4 { try world.change(theme) }
        try waitUntil("the rest behind the first") { try world.deliveries(hook, .held).count == 4 }
        try world.pass(seconds: 7)
        let messages = try receiver.messages("all") { Set($0.filter { $0.record == theme.id.text }.map(\.id)).count == 5 && $0.count >= 6 }
        let revs = messages.filter { $0.record == theme.id.text }.map(\.rev)
        #expect(revs == revs.sorted())
        try waitUntil("nothing held") { try world.deliveries(hook, .held).isEmpty && world.deliveries(hook, .waiting).isEmpty }
    }

    @Test("goes on after a restart where it was, and sends nothing twice after an orderly end")
    func restarts() throws {
        let world = try CourierWorld()
        let receiver = try Receiver()
        _ = try world.hook(receiver.url, ["theme.*"])
        for round in 1...3 {
            try world.happen(30)
            world.stop()
            try world.happen(10)
            world.start()
            try receiver.messages("round \(round)") { $0.count >= round * 40 }
        }
        world.stop()
        #expect(receiver.messages.count == 120 && Set(receiver.messages.map(\.id)).count == 120)
    }

    @Test("sends everything again since a time, with the same ids")
    func replays() throws {
        let world = try CourierWorld()
        let receiver = try Receiver()
        let hook = try world.hook(receiver.url, ["theme.*"])
        try world.happen(5)
        try receiver.messages("the first") { $0.count == 5 }
        world.base.clock.advance(seconds: 60)
        let since = world.base.clock.now
        try world.happen(7)
        try receiver.messages("all") { $0.count == 12 }
        let count = try world.base.federation.perform { (tx) throws(DomainError) in try Webhook.replay(hook.id, since: since, by: .admin, in: tx) }
        #expect(count == 7)
        let messages = try receiver.messages("the last again") { $0.count >= 19 }
        #expect(messages.count == 19)
        #expect(Set(messages.suffix(7).map(\.id)) == Set(messages[5..<12].map(\.id)))
    }

    // MARK: Bounds

    @Test("makes dead letters, silent ones never, of what lies too far behind")
    func overflows() throws {
        let world = try CourierWorld(isRunning: false) { $0.limits.queue = 10 }
        let receiver = try Receiver()
        let hook = try world.hook(receiver.url, ["theme.*"])
        try world.set(.paused, of: hook)
        try world.happen(30)
        world.start()
        try waitUntil("dead letters") { try world.deliveries(hook, .dead).count == 20 }
        try world.set(.active, of: hook)
        try receiver.messages("the last ten") { $0.count == 10 }
        let dead = try world.deliveries(hook, .dead)
        #expect(dead.count == 20 && dead.allSatisfy { $0.last.error == "queue.full" && $0.attempts == 0 })
    }

    @Test("forgets events and deliveries after 30 days, and gives up what nobody took until then")
    func forgets() throws {
        let world = try CourierWorld()
        let receiver = try Receiver()
        _ = try world.hook(receiver.url, ["theme.*"])
        let paused = try world.hook(receiver.url, ["theme.*"])
        try world.set(.paused, of: paused)
        try world.happen(5)
        try receiver.messages("all") { $0.count == 5 }
        world.stop()
        world.base.clock.advance(days: 31)
        world.start()
        try waitUntil("dead letters") { try world.deliveries(paused, .dead).count == 5 }
        #expect(try world.deliveries(paused, .dead).allSatisfy { $0.last.error == "expired" })
        world.stop()
        world.base.clock.advance(days: 31)
        try world.happen()
        world.start()
        try waitUntil("an empty log") { try world.base.rows("SELECT count(*) FROM webhook_delivery").first == .integer(1) && world.base.rows("SELECT count(*) FROM webhook_event").first == .integer(1) }
    }

    @Test("lets one that hangs delay nobody")
    func hangs() throws {
        let world = try CourierWorld { $0.timeoutSeconds = 60 }
        let (hanging, healthy) = (try Receiver { _, _ in .silence }, try Receiver())
        let (silent, _) = try (world.hook(hanging.url, ["theme.*"]), world.hook(healthy.url, ["theme.*"]))
        try world.happen(200)
        try healthy.messages("all") { $0.count == 200 }
        #expect(try world.deliveries(silent).isEmpty, "and the other one still hangs")
        #expect(hanging.connections > 0)
    }

    // MARK: Secrets

    @Test("signs with both secrets while one is rotated, then with the new one")
    func rotates() throws {
        let world = try CourierWorld()
        let receiver = try Receiver()
        let hook = try world.hook(receiver.url, ["theme.*"])
        let rotated = try world.base.federation.perform { (tx) throws(DomainError) in try Webhook.rotate(hook.id, droppingOld: false, by: .admin, in: tx) }
        func signatures(_ count: Int) throws -> [String] {
            try world.happen()
            return try receiver.messages("the next") { $0.count == count }[count - 1].headers["webhook-signature"]?.split(separator: " ").map(String.init) ?? []
        }
        let both = try signatures(1)
        let message = receiver.messages[0]
        let timestamp = try #require(message.headers["webhook-timestamp"].flatMap { Int64($0) })
        #expect(both == [rotated, hook].map { Signature.header(id: message.id, timestamp: timestamp, body: message.body, keys: [$0.secrets.current]) })
        world.base.clock.advance(seconds: 86_400)
        #expect(try signatures(2).count == 1)
        _ = try world.base.federation.perform { (tx) throws(DomainError) in try Webhook.rotate(hook.id, droppingOld: true, by: .admin, in: tx) }
        #expect(try signatures(3).count == 1)
    }

    // MARK: Names that lead elsewhere

    @Test("connects to no forbidden address, to which a name leads that led elsewhere before")
    func rebinding() throws {
        let target = Mutex("127.0.0.2")
        let receiver = try Receiver(on: "127.0.0.2") { _, _ in .status(204, ["Connection: close"]) }
        let port = receiver.port
        let canary = try Receiver(on: "127.0.0.1", port: port)
        let world = try CourierWorld { settings in
            settings.addressGuard = AddressGuard(allowing: "127.0.0.2/32:*") ?? .strict
            settings.resolve = { ["hooks.exemple.coop:\(port):\(target.withLock { $0 })"] }
        }
        let url = "http://hooks.exemple.coop:\(port)/"
        let hook = try world.hook(url, ["theme.*"])
        try world.happen()
        try receiver.messages("the first") { $0.count == 1 }
        func tried() throws -> Int { try world.deliveries(hook, .waiting).count { $0.attempts > 0 } }
        for address in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.0.0.1,127.0.0.1"] {
            target.withLock { $0 = address }
            let before = try tried()
            try world.happen()
            // Each by hand, since it is left alone after some failures.
            try world.ping(hook)
            try waitUntil("a refusal of \(address)") { try tried() > before }
        }
        let failed = try world.deliveries(hook, .waiting).filter { $0.attempts > 0 }
        #expect(failed.allSatisfy { $0.last.error == "address.forbidden" && $0.last.status == nil }, "\(failed.map(\.last.error))")
        #expect(canary.connections == 0)
        #expect(receiver.messages.count == 1)
    }
}
