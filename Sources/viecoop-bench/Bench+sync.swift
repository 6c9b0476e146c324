import Foundation
import JSON
import Replica

/// How fast devices push, and how soon they hear of news.
extension Bench {
    private static let ideas = 100
    private static let streams = 1000

    /// - Returns: rows of the table of figures: what, measured, wanted.
    func sync() throws(BenchError) -> [[String]] {
        let server = try Server(in: workspace, options: options, records: 10_000)
        defer { server.stop() }
        let pushes = try pushes(server)
        let waits = try pokes(server).sorted()
        return [
            ["pushes of \(Self.ideas) endorsements, mutations/s", Report.grouped(median(pushes)), "5,000"],
            ["request to poke on \(Report.grouped(Double(Self.streams))) streams, p50 ms", Report.fixed(waits[waits.count / 2]), ""],
            ["the same, p99 ms", Report.fixed(waits[waits.count * 99 / 100]), "20"],
        ]
    }

    /// Mutations a second of one device a co-op, each of which endorses all ideas in one push.
    private func pushes(_ server: Server) throws(BenchError) -> [Double] {
        let federation = Client(port: server.port, token: try server.token())
        guard let theme = try Server.parse(federation.post("/v1/themes", #"{"slug":"voisinage","title":"Voisinage"}"#))["id"]?.stringValue,
            let epoch = try Server.parse(federation.get("/v1/changes?limit=1") ?? [])["epoch"]?.stringValue
        else { throw BenchError("An answer has no id, or no epoch.") }
        let ideas = (0..<Self.ideas).map { _ in Replica.newID() }
        try push(ideas.map { #""type":"idea","id":"\#($0)","op":"create","fields":{"title":"Idée","theme_id":"\#(theme)"}"# }, epoch, federation)
        for state in ["submitted", "published"] {
            try push(ideas.map { #""type":"idea","id":"\#($0)","op":"transition","to":"\#(state)""# }, epoch, federation)
        }
        var speeds: [Double] = []
        for (number, coop) in server.coops.enumerated() {
            progress("pushing, device \(number + 1) of \(server.coops.count) …")
            let device = Client(port: server.port, token: try server.token("referent", coop: coop))
            let endorsements = ideas.map {
                #""type":"endorsement","id":"\#(Replica.newID())","op":"create","fields":{"idea_id":"\#($0)"}"#
            }
            let start = ContinuousClock.now
            try push(endorsements, epoch, device)
            speeds.append(Double(Self.ideas) / ((ContinuousClock.now - start) / .seconds(1)))
        }
        return speeds
    }

    private func push(_ mutations: [String], _ epoch: String, _ client: Client) throws(BenchError) {
        let list = mutations.map { #"{"mid":"\#(Replica.newID())",\#($0)}"# }.joined(separator: ",")
        let answer = try Server.parse(client.post("/v1/push", #"{"epoch":"\#(epoch)","mutations":[\#(list)]}"#, expecting: 200))
        let applied = answer["results"]?.elements?.count { $0["status"]?.stringValue == "applied" }
        guard applied == mutations.count else { throw BenchError("A push was not applied: \(applied.map(String.init) ?? "no results")") }
    }

    /// Milliseconds from the moment at which a change is sent, which then has to be committed, to its poke on each stream.
    private func pokes(_ server: Server) throws(BenchError) -> [Double] {
        progress("opening \(Self.streams) streams …")
        var streams: [Socket] = []
        for _ in 0..<Self.streams { streams.append(try server.client.send("/v1/events", accept: "text/event-stream")) }
        // This answer comes behind them, and a second is a lot.
        _ = try server.client.get("/livez")
        sleep(1)
        // The first brings the heads of the answers along, and does not count.
        _ = try poke(server, 0, streams)
        var waits: [Double] = []
        for round in 1...30 { waits += try poke(server, round, streams) }
        return waits
    }

    private func poke(_ server: Server, _ round: Int, _ streams: [Socket]) throws(BenchError) -> [Double] {
        let body = Self.referent(of: server.coopID).replacingOccurrences(of: "########", with: "\(round)")
        let change = server.client.request("POST", "/v1/referents", body)
        let socket = try Socket()
        try socket.connect(server.port)
        let start = ContinuousClock.now
        try socket.write(change)
        var bytes = [UInt8](repeating: 0, count: 4096)
        var waits: [Double] = []
        var silent = streams.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        // Looked at now and then: a client that got up for each stream would keep the server from one of the two cores.
        while !silent.isEmpty {
            guard poll(&silent, nfds_t(silent.count), 20_000) > 0 else { throw BenchError("A stream heard of no news.") }
            let time = (ContinuousClock.now - start) / .milliseconds(1)
            var still: [pollfd] = []
            for stream in silent {
                if stream.revents != 0 {
                    let length = recv(stream.fd, &bytes, bytes.count, 0)
                    guard length > 0 else { throw BenchError("The server closed a stream.") }
                    // It may have been the comment that keeps the stream open.
                    if String(decoding: bytes.prefix(length), as: UTF8.self).contains("event: poke") {
                        waits.append(time)
                        continue
                    }
                }
                still.append(stream)
            }
            silent = still
            usleep(250)
        }
        guard try Answer(socket).read({ _ in }) == 201 else { throw BenchError("A referent was not created.") }
        return waits
    }
}
