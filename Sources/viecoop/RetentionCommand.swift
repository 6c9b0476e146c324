import Domain
import JSON

enum RetentionCommand: Command {
    static let name = "retention"
    static let summary = "Takes out what is told of people when its term is over, as the server does each night."
    static let help = """
        viecoop retention run [--dry-run] [--data DIR]      forgets what is due, and names the records
        viecoop retention terms [--data DIR]                shows for how long what is kept
        viecoop retention set NAME NUMBER [--data DIR]      keeps it longer or shorter; the next run goes by it

          --dry-run  names the records without a change
          --data     the server's folder (VIECOOP_DATA, default: data)

        What is forgotten does not come back. After `set`, let `run --dry-run` show what it means.

        Example: viecoop retention set referent_months 24
        """

    static func run(_ arguments: inout Arguments) throws {
        switch arguments.word() {
        case "run": try forget(&arguments)
        case "terms": try terms(&arguments)
        case "set": try set(&arguments)
        default: throw Misuse("say run, terms or set")
        }
    }

    /// Opened for this command alone, the folder's other business waits: a dry run changes nothing.
    private static func ask(_ method: String, _ path: String, _ body: JSON? = nil, data: String) throws -> [JSON.Member] {
        var settings = Federation.Settings()
        settings.keepsHouse = false
        var json = JSONWriter()
        if let body { json.value(body) }
        let names = ["#/name": "NAME", "#/value": "NUMBER"]
        return try Control.json(method, path, body: json.bytes, data: data, naming: names, opening: settings).members ?? []
    }

    private static func forget(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        let isDry = arguments.flag("--dry-run")
        try arguments.end()
        for part in try ask("POST", "/control/retention/runs", .object([JSON.Member("dry_run", .bool(isDry))]), data: data) {
            let ids = part.value.elements ?? []
            Terminal.print("\(part.name): \(ids.count) \(isDry ? "would be forgotten" : "forgotten")")
            for id in ids { Terminal.print("  \(id.stringValue ?? "")") }
        }
    }

    private static func terms(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        try arguments.end()
        for term in try ask("GET", "/control/retention", data: data) { Terminal.print("\(term.name)\t\(term.value.integerValue ?? 0)") }
    }

    private static func set(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        guard let name = arguments.word(), let months = arguments.word() else { throw Misuse("which term, and how many?") }
        try arguments.end()
        guard let value = Int(months) else { throw Misuse("NUMBER must be a whole number") }
        let body = JSON.object([JSON.Member("name", .string(name)), JSON.Member("value", .number(String(value)))])
        for term in try ask("POST", "/control/retention/terms", body, data: data) { Terminal.print("\(term.name)\t\(term.value.integerValue ?? 0)") }
    }
}
