import Foundation

extension Bench {
    /// Enough co-ops for 20,000 registrations and 5,000 adoptions in five years.
    private static let coops = 250

    /// All 24 figures at once: when everything has to be read, when only the window is another, and when nothing has changed.
    func indicators() throws(BenchError) {
        let data = workspace.path("years")
        do {
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        } catch { throw BenchError("The folder \(data) cannot be made: \(error).") }
        progress("making up five years of \(Self.coops) co-ops …")
        try workspace.run(options.server, ["demo-history", "--coops", String(Self.coops), "--data", data])
        let token = try workspace.run(options.server, ["token", "create", "--role", "federation_reader", "--data", data])
        var times: [[Double]] = [[], [], []]
        for round in 1...options.rounds {
            progress("asking, round \(round) of \(options.rounds) …")
            let port = try Client.freePort()
            let client = Client(port: port, token: token.trimmingCharacters(in: .whitespacesAndNewlines))
            let process = try workspace.start(options.server, ["serve", "--data", data, "--listen", "127.0.0.1:\(port)"], log: options.log)
            try waitUntil("the server is alive", while: process) { () throws(BenchError) in try client.get("/livez") != nil }
            // What a server does when it starts is not what is measured.
            sleep(2)
            for (index, query) in ["from=2021-01-01", "from=2022-01-01", "from=2022-01-01"].enumerated() {
                let start = ContinuousClock.now
                _ = try client.get("/v1/indicators?" + query)
                times[index].append(Double((ContinuousClock.now - start).components.attoseconds) / 1e15)
            }
            workspace.stop(process)
        }
        printMachine()
        Report.print([
            ["24 figures, ms", "measured", "wanted"],
            ["everything read and computed", Report.fixed(median(times[0])), "50"],
            ["another window, computed", Report.fixed(median(times[1])), "50"],
            ["nothing changed", Report.fixed(median(times[2])), "1"],
        ])
    }
}
