import Foundation
import JSON
import SQLite
import TestSupport
import Testing

/// Receivers good and bad, while the server that tells them is killed again and again.
@Suite("Webhooks of a server that is killed")
struct WebhookKillTests {
    /// How many changes are told; more by hand, with `VIECOOP_WEBHOOK_EVENTS`.
    private static let byHand = ProcessInfo.processInfo.environment["VIECOOP_WEBHOOK_EVENTS"].flatMap { Int($0) }
    private static let events = byHand ?? 300
    /// Of the healthy ones, in nanoseconds. Other tests run beside this one: then it is only well below what a silent receiver takes.
    private static let delayLimit: Int64 = byHand == nil ? 10_000_000_000 : 1_000_000_000
    private static let kills = 4
    private static let environment = [
        "VIECOOP_WEBHOOK_ALLOW": "127.0.0.1/32:*",
        // Nobody's proxy: what is sent there is lost.
        "http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1",
    ]

    private struct Change: Hashable {
        let record: String
        let rev: Int64
    }

    private struct Progress {
        var acknowledged: [Change: MonotonicInstant] = [:]
        var clients = 0
    }

    @Test("every healthy receiver has every event, once or with the same id, in order where asked for, soon; a redirect leads nowhere")
    func losesNothing() throws {
        let canary = try Receiver()
        let (healthy, ordered) = (try Receiver(), try Receiver())
        let bad = try [
            Receiver { _, _ in .silence }, Receiver { _, _ in .status(500) }, Receiver { _, _ in .status(429, ["Retry-After: 1"]) },
            Receiver { [canary] _, _ in .status(302, ["Location: \(canary.url)"]) }, Receiver { _, _ in .flood }, Receiver { _, _ in .close },
        ]
        let folder = TestFolder()
        var server = try Running(folder.path, environment: Self.environment)
        let token = try server.token()
        for receiver in [healthy, ordered] + bad {
            let draft = #"{"url":"\#(receiver.url)","events":["theme.*"],"ordered":\#(receiver === ordered)}"#
            #expect(try server.send("POST", "/v1/webhooks", draft, token: token).status == 201)
        }

        var known: [Change: MonotonicInstant] = [:]
        var calm: [Change: MonotonicInstant] = [:]
        for round in 0...Self.kills {
            let progress = Monitor(Progress(clients: 2))
            let isLast = round == Self.kills
            let goal = Self.events / (Self.kills + 1)
            for client in 0..<2 { startThread { [server] in Self.change(on: server, "r\(round)-\(client)", token, progress, upTo: isLast ? goal : .max) } }
            #expect(progress.wait(seconds: 120) { $0.clients == 0 || (!isLast && $0.acknowledged.count >= goal) }, "the clients of round \(round)")
            if !isLast { #expect(server.stop(SIGKILL).code == nil) }
            #expect(progress.wait(seconds: 60) { $0.clients == 0 })
            let acknowledged = progress.withLock { $0.acknowledged }
            known.merge(acknowledged) { first, _ in first }
            if isLast { calm = acknowledged } else { server = try Running(folder.path, environment: Self.environment) }
        }

        let all = Set(known.keys)
        for receiver in [healthy, ordered] {
            let messages = try receiver.messages("all \(all.count) events", seconds: 120) { messages in
                messages.count >= all.count && Set(messages.map { Change(record: $0.record, rev: $0.rev) }).isSuperset(of: all)
            }
            let ids = Dictionary(grouping: messages, by: \.id).mapValues { Set($0.map { Change(record: $0.record, rev: $0.rev) }) }
            #expect(ids.values.allSatisfy { $0.count == 1 })
            #expect(Set(ids.values.flatMap { $0 }).count == ids.count, "one id an event")
            let delays = messages.compactMap { message in calm[Change(record: message.record, rev: message.rev)].map { message.at.nanoseconds - $0.nanoseconds } }.sorted()
            #expect(delays[delays.count * 99 / 100] < Self.delayLimit, "p99 of \(delays.count): \(delays[delays.count * 99 / 100]) ns")
        }
        for (record, messages) in Dictionary(grouping: ordered.messages, by: \.record) {
            var seen: Set<Int64> = []
            let revs = messages.map(\.rev).filter { seen.insert($0).inserted }
            #expect(revs == revs.sorted(), "\(record)")
        }
        #expect(bad.allSatisfy { $0.connections > 0 })
        #expect(canary.connections == 0)
        #expect(server.stop().code == 0)
        #expect(try Program.run(["doctor", "--data", folder.path]).code == 0)
    }

    /// Makes a theme and changes it again and again, until the server is gone or there are enough.
    private static func change(on server: Running, _ slug: String, _ token: String, _ progress: Monitor<Progress>, upTo goal: Int) {
        defer { progress.change(wakingAll: true) { $0.clients -= 1 } }
        func note(_ answer: TestAnswer?) -> String? {
            guard let json = try? answer?.json(), let record = json["id"]?.stringValue, let rev = json["rev"]?.integerValue else { return nil }
            progress.change(wakingAll: true) { $0.acknowledged[Change(record: record, rev: rev)] = .now }
            return record
        }
        var number = 0
        while progress.withLock({ $0.acknowledged.count < goal }) {
            number += 1
            guard let id = note(try? server.send("POST", "/v1/themes", #"{"slug":"\#(slug)-\#(number)","title":"Thème"}"#, token: token)) else { return }
            for time in 1...4 {
                guard note(try? server.patch("/v1/themes/\(id)", #"{"title":"Thème \#(time)"}"#, token: token)) != nil else { return }
            }
        }
    }
}
