import Dispatch
import Foundation

/// The figures of the README: what they are, and in which order they are taken.
@main struct Bench {
    let options: Options
    let workspace: Workspace
    let wrk: Wrk

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.contains("--help") || arguments.contains("-h") { return print(Options.help) }
        let options: Options
        do {
            options = try Options(arguments)
        } catch {
            progress("viecoop-bench: \(error)")
            exit(2)
        }
        do {
            let workspace = try Workspace()
            let interrupts = closing(workspace)
            defer {
                interrupts.cancel()
                workspace.close()
            }
            try Bench(options, workspace).run()
        } catch {
            progress("viecoop-bench: \(error)")
            exit(1)
        }
    }

    init(_ options: Options, _ workspace: Workspace) throws(BenchError) {
        self.options = options
        self.workspace = workspace
        wrk = Wrk(workspace: workspace, program: try findProgram("wrk"), clients: options.clients, seconds: options.seconds)
    }

    func run() throws(BenchError) {
        if options.indicators { return try indicators() }
        raiseDescriptorLimit()
        let server = try Server(in: workspace, options: options, records: options.records)
        let startMemory = server.memory()
        let first = try server.bootstrap()
        let idlePath = "/v1/changes?cursor=\(first.cursor)"
        let pagePath = "/v1/changes?limit=100&cursor=\(try server.cursor(after: first.records / 2))"
        let nginx = try Nginx(
            in: workspace, constant: try server.client.get(idlePath) ?? [], page: try server.client.get(pagePath) ?? [])

        let token = server.client.token
        var rows = [
            try compare("changes, nothing new", wanted: 0.5, nginx, server, .same(idlePath, token: token)),
            try compare(
                "changes, page of 100", wanted: 0.6, nginx, server, .same(pagePath, token: token),
                against: .same("/page.json", token: token)),
            try compare("one referent of many", wanted: 0.5, nginx, server, .each(server.referents, token: token)),
        ]
        var bootstraps = [first]
        for _ in 1..<max(2, options.rounds) { bootstraps.append(try server.bootstrap()) }
        let list = "/v1/sessions?limit=50"
        _ = try server.openSessions(1500)
        rows.append(try compare("public list of 50 sessions", wanted: 0.5, nginx, server, .same(list, token: nil), against: .same(idlePath, token: nil)))
        rows += try writes(server)
        // The server gives its caches back when nothing was written for five seconds.
        progress("waiting for the server to rest …")
        sleep(12)
        let endMemory = server.memory()

        printMachine()
        Report.print(rows)
        let speed = median(bootstraps.map { Double($0.records) / $0.seconds })
        var figures = [
            ["figure", "measured", "wanted"],
            ["bootstrap of \(Report.grouped(Double(first.records))) records, records/s", Report.grouped(speed), "200,000"],
            ["memory when started, MB", Report.fixed(startMemory), "60"],
            ["memory idle after all this, MB", Report.fixed(endMemory), "60"],
        ]
        if options.polls { figures.append(["memory with 5,000 waiting, MB", Report.fixed(try waiting(server)), "150"]) }
        server.stop()
        if options.sync { figures += try sync() }
        if options.webhooks { figures += try webhooks(nginx) }
        if options.large { figures.append(["page's cost, 1,000,000 records / 10,000", Report.fixed(try growth()), "1.30"]) }
        Report.print(figures)
    }

    // MARK: Scenarios

    /// nginx and the server in turn, so that what slows the machine down meets both.
    private func compare(
        _ what: String, wanted: Double, _ nginx: Nginx, _ server: Server, _ requests: Requests, against: Requests? = nil
    ) throws(BenchError) -> Row {
        var rounds: [(nginx: Load, server: Load)] = []
        for round in 1...options.rounds {
            progress("\(what), round \(round) of \(options.rounds) …")
            let nginx = try wrk.load(port: nginx.port, against ?? requests)
            rounds.append((nginx, try wrk.load(port: server.port, requests)))
        }
        return Row(
            what: what, load: median(rounds.map(\.server)), other: median(rounds.map(\.nginx)).perSecond,
            ratio: median(rounds.map { $0.server.perSecond / $0.nginx.perSecond }), wanted: wanted)
    }

    /// Durable writes, of each kind in turn: sign-ups are held against creations. A sign-up writes the registration and what the session
    /// shows of its seats; parties of one, for sessions of five seats.
    private func writes(_ server: Server) throws(BenchError) -> [Row] {
        // The waiting list of such a session is full with 25.
        let kinds = [("25 in a row a session", 25), ("1,500 sessions in turn", 1)]
        var created: [Load] = []
        var signUps: [[Load]] = kinds.map { _ in [] }
        for round in 1...options.rounds {
            progress("creating and signing up, round \(round) of \(options.rounds) …")
            let from = round * 10_000_000
            let creations = Requests.create("/v1/referents", body: Self.referent(of: server.coopID), from: from, token: server.client.token)
            created.append(try wrk.load(port: server.port, creations))
            for (index, kind) in kinds.enumerated() {
                let paths = try server.openSessions(1500).map { $0 + "/registrations" }
                let body = #"{"contact_name":"Amélie","channel":"phone","postal":"rue ########"}"#
                let requests = Requests.create(paths, inARow: kind.1, body: body, from: from, token: server.client.token)
                signUps[index].append(try wrk.load(port: server.port, requests, seconds: 1))
            }
        }
        let rows = zip(kinds, signUps).map { kind, loads in
            Row(
                what: "sign up, durable, \(kind.0)", load: median(loads), other: median(created).perSecond,
                ratio: median(zip(loads, created).map { $0.perSecond / $1.perSecond }), wanted: 1 / 1.5)
        }
        return [Row(what: "create a referent, durable", load: median(created), wanted: 15_000)] + rows
    }

    static func referent(of coop: String) -> String {
        """
        {"coop_id":"\(coop)","given_name":"Amélie","family_name":"Petit-########","job_title":"gardienne",\
        "work_email":"a.petit.########@example.org","is_primary":false,"status":"active","started_on":"2025-09-01",\
        "share_contact_network":false}
        """
    }

    /// Memory while 5,000 clients wait for news.
    private func waiting(_ server: Server) throws(BenchError) -> Double {
        progress("opening 5,000 long-polls …")
        let path = "/v1/changes?wait=30&cursor=\(try server.bootstrap().cursor)"
        var sockets: [Socket] = []
        for _ in 0..<5_000 { sockets.append(try server.client.send(path)) }
        // Nothing tells when the last one waits; this answer comes behind them, and a second is a lot.
        _ = try server.client.get("/livez")
        sleep(1)
        return withExtendedLifetime(sockets) { server.memory() }
    }

    /// How much more a page from the middle costs in a large database than in a small one.
    private func growth() throws(BenchError) -> Double {
        let small = try Server(in: workspace, options: options, records: 10_000)
        let large = try Server(in: workspace, options: options, records: 1_000_000)
        defer {
            small.stop()
            large.stop()
        }
        let smallPage = "/v1/changes?limit=100&cursor=\(try small.cursor(after: 5_000))"
        let largePage = "/v1/changes?limit=100&cursor=\(try large.cursor(after: 500_000))"
        var ratios: [Double] = []
        for round in 1...options.rounds {
            progress("pages of two databases, round \(round) of \(options.rounds) …")
            let quick = try wrk.load(port: small.port, .same(smallPage, token: small.client.token))
            ratios.append(quick.perSecond / (try wrk.load(port: large.port, .same(largePage, token: large.client.token))).perSecond)
        }
        return median(ratios)
    }

    // MARK: Around them

    private func median(_ loads: [Load]) -> Load {
        var median = loads.sorted { $0.perSecond < $1.perSecond }[loads.count / 2]
        median.errors = loads.map(\.errors).reduce(0, +)
        return median
    }

    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    func printMachine() {
        let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
            .split(separator: "\n").first { $0.hasPrefix("model name") }?
            .split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
        print("\(ProcessInfo.processInfo.activeProcessorCount) cores of \(cpu ?? "an unknown processor"),",
            "\(options.clients) connections, \(options.rounds) rounds of \(options.seconds) s, log to \(options.log)\n")
    }

    /// 5,000 waiting clients need as many descriptors here, and in the server, which inherits the limit.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Ctrl-C leaves neither programs nor files behind.
    private static func closing(_ workspace: Workspace) -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT)
        source.setEventHandler {
            workspace.close()
            exit(130)
        }
        source.resume()
        return source
    }
}
