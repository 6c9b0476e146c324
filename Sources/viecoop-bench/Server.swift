import Embedded
import Foundation
import JSON

/// The release binary with a database of its own, as an operator would run it.
final class Server {
    let port: UInt16
    let client: Client
    /// A referent's path for each of some records spread over the database.
    let referents: [String]
    let coopID: String
    /// Of the member co-ops; the first is the token's.
    let coops: [String]
    private let process: Process
    private var sites = 0
    private var knownModule: String?
    private let workspace: Workspace
    private let program: String
    private let data: String

    /// Fills a new database with so many referents and serves it. They belong to the sample co-ops in turn, and the token is
    /// one co-op's manager's: its answers are put together from four layers.
    init(in workspace: Workspace, options: Options, records: Int, serving more: [String] = []) throws(BenchError) {
        guard FileManager.default.isExecutableFile(atPath: options.server) else {
            throw BenchError("There is no \(options.server): `swift build -c release --product viecoop` makes it.")
        }
        self.workspace = workspace
        program = options.server
        let data = workspace.path("data-\(UUID().uuidString)")
        self.data = data
        do {
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        } catch { throw BenchError("The folder \(data) cannot be made: \(error).") }
        let sample = Embedded.sampleData.first { $0.name == "coops.json" }?.bytes ?? []
        let slugs = try Server.parse(sample)["coops"]?.elements?
            .filter { $0["membership"]?.stringValue == "member" }
            .compactMap { $0["slug"]?.stringValue } ?? []
        self.coops = slugs
        guard let slug = slugs.first else { throw BenchError("The sample data holds no member co-op.") }

        progress("importing \(records) referents …")
        let coopsFile = try workspace.write("coops.json", sample)
        let moocFile = try workspace.write("mooc.json", Embedded.sampleData.first { $0.name == "mooc.json" }?.bytes ?? [])
        try workspace.run(options.server, ["import", coopsFile, moocFile, "--data", data])
        // An import takes 50 MiB at most.
        for start in stride(from: 0, to: records, by: 250_000) {
            let table = Server.table(start..<min(start + 250_000, records), slugs)
            try workspace.run(options.server, ["import", try workspace.write("referents.csv", table.utf8), "--data", data])
        }
        let token = try workspace.run(options.server, ["token", "create", "--data", data, "--role", "coop_manager", "--coop", slug])
            .trimmingCharacters(in: .whitespacesAndNewlines)

        port = try Client.freePort()
        client = Client(port: port, token: token)
        process = try workspace.start(
            options.server, ["serve", "--data", data, "--listen", "127.0.0.1:\(port)"] + more, log: options.log)
        let port = port
        try waitUntil("the server is alive", while: process) { () throws(BenchError) in
            try Client(port: port).get("/livez") != nil
        }
        referents = stride(from: 0, to: records, by: max(1, records / 1000)).map { "/v1/referents/\(Server.id($0))" }
        let list = try Server.parse(client.get("/v1/coops?slug=\(slug)") ?? [])
        guard let id = list["items"]?.elements?.first?["id"]?.stringValue else { throw BenchError("The server has no \(slug).") }
        coopID = id
    }

    /// A new token, of the federation unless a co-op is named.
    func token(_ role: String = "federation_admin", coop: String? = nil) throws(BenchError) -> String {
        let arguments = ["token", "create", "--data", data, "--role", role] + (coop.map { ["--coop", $0] } ?? [])
        return try workspace.run(program, arguments).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func stop() { workspace.stop(process) }

    /// Memory of the process that is in RAM, in megabytes of 10^6 bytes (VmRSS in proc(5)).
    func memory() -> Double {
        let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let kibibytes = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Double($0) }
        return (kibibytes ?? .nan) * 1024 / 1e6
    }

    /// Reads everything and answers how many records came, in what time, and the cursor behind them.
    func bootstrap() throws(BenchError) -> (records: Int, seconds: Double, bytes: Int, cursor: String) {
        let start = ContinuousClock.now
        let lines = try client.discardLines("/v1/changes")
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return (lines.count - 1, seconds, lines.bytes, try Server.cursor(lines.last))
    }

    /// The paths of so many open sessions with five seats, two hours apart, at a site of their own.
    func openSessions(_ count: Int) throws(BenchError) -> [String] {
        progress("opening \(count) sessions …")
        sites += 1
        let site = try created("/v1/sites", #"{"coop_id":"\#(coopID)","name":"Lieu \#(sites)","workstations":5,"seats":5}"#)
        var paths: [String] = []
        for number in 0..<count {
            let starts = Date(timeIntervalSince1970: 4_000_000_000 + Double(number) * 7200).ISO8601Format()
            let body = #"{"site_id":"\#(site)","module_id":"\#(try module())","starts_at":"\#(starts)","capacity":5,"status":"open"}"#
            paths.append("/v1/sessions/\(try created("/v1/sessions", body))")
        }
        return paths
    }

    func created(_ path: String, _ body: String) throws(BenchError) -> String {
        guard let id = try Server.parse(client.post(path, body))["id"]?.stringValue else { throw BenchError("An answer has no id.") }
        return id
    }

    /// Any module of use to every co-op.
    private func module() throws(BenchError) -> String {
        if let knownModule { return knownModule }
        let modules = try Server.parse(client.get("/v1/modules?status=published") ?? [])["items"]?.elements ?? []
        guard let id = modules.first(where: { $0["related_activity"] == .null })?["id"]?.stringValue else { throw BenchError("The server has no module.") }
        knownModule = id
        return id
    }

    /// The cursor behind the first `count` records.
    func cursor(after count: Int) throws(BenchError) -> String {
        var path = "/v1/changes?limit=1000"
        var cursor = ""
        for _ in 0..<max(1, count / 1000) {
            cursor = try Server.cursor(client.get(path) ?? [])
            path = "/v1/changes?limit=1000&cursor=\(cursor)"
        }
        return cursor
    }

    private static func cursor(_ answer: [UInt8]) throws(BenchError) -> String {
        guard let cursor = try parse(answer)["cursor"]?.stringValue else { throw BenchError("An answer has no cursor.") }
        return cursor
    }

    static func parse(_ bytes: [UInt8]) throws(BenchError) -> JSON {
        do {
            return try JSON.parse(bytes, limits: JSONLimits(members: 1_000_000))
        } catch {
            throw BenchError("The server's JSON is none: \(error.detail), at byte \(error.offset).")
        }
    }

    /// Time-ordered as the server makes them, and known beforehand.
    private static func id(_ number: Int) -> String { "01970000-0000-7000-8000-" + String(format: "%012x", number) }

    private static func table(_ records: Range<Int>, _ slugs: [String]) -> String {
        var table = "id,coop,given_name,family_name,job_title,work_email,work_phone,is_primary,status,started_on,share_contact_network\n"
        for number in records {
            table += "\(id(number)),\(slugs[number % slugs.count]),Hélène,Durand-\(number),chargée de vie coopérative,"
            table += "h.durand.\(number)@example.org,+33 1 23 45 67 89,false,active,2025-09-01,\(number % 3 == 0)\n"
        }
        return table
    }
}
