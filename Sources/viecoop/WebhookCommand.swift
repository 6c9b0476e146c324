import HTTP
import JSON

enum WebhookCommand: Command {
    static let name = "webhook"
    static let summary = "Lists webhooks, tries one, or sends it everything again since a time."
    static let help = """
        viecoop webhook list [--data DIR]
        viecoop webhook ping ID [--data DIR]
        viecoop webhook replay ID --since TIME [--data DIR]

          --since  from when on, such as 2026-03-02T09:00:00Z; events are kept 30 days
          --data   the server's folder (VIECOOP_DATA, default: data)

        `list` prints id, co-op, address, events, state, since when it fails, and its last success. `ping` prints the id of the
        delivery; a running server sends it at once, else the next one does. Webhooks are made over the API, which shows their secret.

        Example: viecoop webhook replay 01992f6a-8c00-7001-8007-5f0c3a9e0083 --since 2026-03-02T09:00:00Z
        """

    static func run(_ arguments: inout Arguments) throws {
        switch arguments.word() {
        case "list": try list(&arguments)
        case "ping": try ping(&arguments)
        case "replay": try replay(&arguments)
        default: throw Misuse("say list, ping or replay")
        }
    }

    private static func list(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        try arguments.end()
        var query = "limit=500"
        while true {
            let page = try Control.json("GET", "/v1/webhooks", query: query, data: data)
            for webhook in page["items"]?.elements ?? [] {
                let events = webhook["events"]?.elements?.compactMap(\.stringValue).joined(separator: ",") ?? ""
                let state = [webhook["status"], webhook["disabled_reason"]].compactMap { $0?.stringValue }.joined(separator: ": ")
                func text(_ name: String) -> String { webhook[name]?.stringValue ?? "-" }
                Terminal.print([text("id"), text("coop_id"), text("url"), events, state, text("failing_since"), text("delivered_at")].joined(separator: "\t"))
            }
            guard let next = page["next"]?.stringValue, let mark = next.firstIndex(of: "?") else { return }
            query = String(next[next.index(after: mark)...])
        }
    }

    private static func ping(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        let id = try webhook(&arguments)
        try arguments.end()
        let delivery = try Control.json("POST", "/v1/webhooks/\(id)/ping", data: data)
        Terminal.print(delivery["id"]?.integerValue.map { String($0) } ?? "")
    }

    private static func replay(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        guard let since = try arguments.value("--since") else { throw Misuse("--since is missing") }
        let id = try webhook(&arguments)
        try arguments.end()
        let answer = try Control.json("POST", "/v1/webhooks/\(id)/replay", query: "since=\(Query.escape(since))", data: data)
        Terminal.print("\(answer["events"]?.integerValue ?? 0) events are gone through again")
    }

    private static func webhook(_ arguments: inout Arguments) throws -> String {
        guard let id = arguments.word(), id.utf8.allSatisfy({ $0 == 0x2D || (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
            throw Misuse("which webhook? Give its id, as `viecoop webhook list` shows it")
        }
        return id
    }
}
