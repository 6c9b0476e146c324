import Glibc
import JSON
import Replica

enum ReplicaCommand: Command {
    static let name = "replica"
    static let summary = "Keeps a copy of what a token may see, as a phone does: pulls, pushes, checks and mends."
    static let help = """
        viecoop replica pull --server URL --token TOKEN --store FILE [--wait SECONDS]
        viecoop replica push --server URL --token TOKEN --store FILE [CHANGE ...]
        viecoop replica check --server URL --token TOKEN --store FILE
        viecoop replica status --store FILE

          --server  https://… (VIECOOP_SERVER)
          --token   the device's token (better as VIECOOP_TOKEN: other users of this machine see a command's words)
          --store   the copy, one SQLite file; made if it is not there (VIECOOP_STORE)
          --wait    seconds to wait for news where there are none, at most 30

        `push` first notes each CHANGE, then sends all that waits; without a network they wait. A CHANGE is JSON, of op, type, id, fields and
        to; op is create, patch, delete or transition. `check` compares the copy with the server's digest and mends what differs. `status`
        says what the copy holds, what waits, and which changes were refused or met somebody else's.

        Example: viecoop replica push --server https://vie.example --store phone.db \\
                   '{"op":"create","type":"endorsement","fields":{"idea_id":"0197aa3c-1234-7abc-89ab-0123456789ab"}}'
        """

    static func run(_ arguments: inout Arguments) throws {
        switch arguments.word() {
        case "pull":
            let wait = try arguments.value("--wait").map { text in
                guard let seconds = Int(text), (0...30).contains(seconds) else { throw Misuse("--wait is 0 to 30 seconds") }
                return seconds
            }
            let replica = try replica(&arguments)
            try arguments.end()
            let pulled = try replica.pull(wait: wait ?? 0)
            Terminal.print("\(pulled.isRepaired ? "mended, then " : "")\(pulled.entries) changes; the copy is complete")
        case "push":
            let replica = try replica(&arguments)
            var changes: [LocalChange] = []
            while let word = arguments.word() { changes.append(try change(word)) }
            try arguments.end()
            try replica.note(changes)
            let pushed = try replica.push()
            let counts = pushed.results.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            Terminal.print("\(pushed.count) pushed\(counts.isEmpty ? "" : ": " + counts.joined(separator: ", "))")
        case "check":
            let replica = try replica(&arguments)
            try arguments.end()
            let mended = try replica.check()
            Terminal.print(mended == 0 ? "the copy equals the server's" : "\(mended) of 16 parts differed and are mended")
        case "status":
            let path = try store(&arguments)
            try arguments.end()
            guard access(path, F_OK) == 0 else { throw Failure("there is no file \(path)") }
            try Terminal.print(status(of: LocalStore(path: path)))
        default: throw Misuse("say pull, push, check or status")
        }
    }

    private static func store(_ arguments: inout Arguments) throws -> String {
        guard let path = try arguments.value("--store") else { throw Misuse("--store is missing") }
        return path
    }

    private static func replica(_ arguments: inout Arguments) throws -> Replica {
        guard let server = try arguments.value("--server") else { throw Misuse("--server is missing") }
        guard server.hasPrefix("https://") || server.hasPrefix("http://") else { throw Misuse("--server begins with https:// or http://") }
        let token = try arguments.value("--token")
        return Replica(store: try LocalStore(path: store(&arguments)), transport: CurlTransport(server: server, token: token))
    }

    private static func change(_ word: String) throws -> LocalChange {
        do {
            return try LocalChange(JSON.parse(Array(word.utf8)))
        } catch { throw Misuse("`\(word)` is no change: \(error)") }
    }

    private static func status(of store: LocalStore) throws -> String {
        let status = try store.status()
        var lines = status.counts.map { "\($0.type): \($0.count)" }
        lines.append("seq \(status.seq), \(status.waiting) waiting to be pushed")
        for notice in try store.notices() {
            let why = notice.result["problem"]?["detail"]?.stringValue ?? notice.result["conflicts"]?.text ?? ""
            lines.append("\(notice.result["status"]?.stringValue ?? ""): \(notice.mutation.text)\(why.isEmpty ? "" : " – \(why)")")
        }
        return lines.joined(separator: "\n")
    }
}
