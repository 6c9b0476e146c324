import Foundation
import JSON

/// What telling others costs those who write, and how fast others are told.
extension Bench {
    /// - Returns: rows of the table of figures: what, measured, wanted.
    func webhooks(_ nginx: Nginx) throws(BenchError) -> [[String]] {
        let server = try Server(in: workspace, options: options, records: 10_000, serving: ["--webhook-allow", "127.0.0.1/32:*"])
        defer { server.stop() }
        let receiver = "http://127.0.0.1:\(nginx.port)/hook"
        var ratios: [Double] = []
        for round in 1...options.rounds {
            progress("creating without webhooks and with ten, round \(round) of \(options.rounds) …")
            let without = try creation(server, 2 * round)
            let hooks = try (0..<10).map { _ throws(BenchError) in try server.hook(receiver) }
            ratios.append(try creation(server, 2 * round + 1) / without)
            // The last ones stay: they keep the log of events that comes now.
            if round < options.rounds { for hook in hooks { try server.drop(hook) } }
            sleep(3)
        }
        for hook in try server.hooks() { try server.drop(hook) }
        progress("delivering to one webhook …")
        let hook = try server.hook(receiver)
        let events = try server.replay(hook)
        let speed = try deliveries(server, seconds: options.seconds)
        try server.drop(hook)
        progress("letting ten webhooks fail …")
        let closed = "http://127.0.0.1:\(try Client.freePort())/"
        var pending = 0
        for _ in 0..<10 { pending += try server.replay(server.hook(closed)) }
        sleep(20)
        return [
            ["creating with ten webhooks / with none", Report.fixed(median(ratios)), "0.85"],
            ["deliveries/s to one webhook, of \(Report.grouped(Double(events))) that wait", Report.grouped(speed), "2,000"],
            ["memory with \(Report.grouped(Double(pending))) deliveries pending, MB", Report.fixed(server.memory()), "100"],
        ]
    }

    private func creation(_ server: Server, _ run: Int) throws(BenchError) -> Double {
        try wrk.load(port: server.port, .create("/v1/referents", body: Self.referent(of: server.coopID), from: run * 10_000_000, token: server.client.token)).perSecond
    }

    private func deliveries(_ server: Server, seconds: Int) throws(BenchError) -> Double {
        let start = (try server.delivered(), ContinuousClock.now)
        sleep(UInt32(seconds))
        return Double(try server.delivered() - start.0) / ((ContinuousClock.now - start.1) / .seconds(1))
    }
}

extension Server {
    /// The id of a new webhook of the manager's.
    fileprivate func hook(_ url: String) throws(BenchError) -> String { try created("/v1/webhooks", #"{"url":"\#(url)","events":["*"]}"#) }

    fileprivate func hooks() throws(BenchError) -> [String] {
        try Server.parse(client.get("/v1/webhooks") ?? [])["items"]?.elements?.compactMap { $0["id"]?.stringValue } ?? []
    }

    fileprivate func drop(_ hook: String) throws(BenchError) { try client.delete("/v1/webhooks/\(hook)") }

    /// How many events it goes through again.
    fileprivate func replay(_ hook: String) throws(BenchError) -> Int {
        let answer = try client.post("/v1/webhooks/\(hook)/replay?since=2020-01-01T00:00:00Z", "", expecting: 202)
        return try Server.parse(answer)["events"]?.integerValue.flatMap { Int(exactly: $0) } ?? 0
    }

    /// Messages that were taken since the start.
    fileprivate func delivered() throws(BenchError) -> Int {
        let metrics = String(decoding: try Client(port: port, token: token()).get("/metrics", accept: "text/plain") ?? [], as: UTF8.self)
        let line = metrics.split(separator: "\n").first { $0.hasPrefix("viecoop_webhook_delivered_total ") }
        guard let count = line?.split(separator: " ").last.flatMap({ Int($0) }) else { throw BenchError("The metrics count no deliveries.") }
        return count
    }
}
