import Domain
import Glibc
import HTTP
import JSON

enum ImportCommand: Command {
    static let name = "import"
    static let summary = "Loads co-ops, sites, referents, ideas and courses from JSON or CSV files."
    static let help = """
        viecoop import FILE… [--dry-run] [--data DIR]

          --dry-run  says what would be done, and does nothing
          --data     the server's folder (VIECOOP_DATA, default: data)

        All files are one step: if one line is bad, nothing is imported, and every bad line is named. A second import of the
        same files changes nothing. CSV files are named coops.csv, sites.csv or referents.csv, or have their columns; they are
        UTF-8, with commas or semicolons. `viecoop export` writes such files.

        Example: viecoop import coops.csv referents.csv --dry-run
        """

    static func run(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        let isDry = arguments.flag("--dry-run")
        var json = JSONWriter()
        json.beginObject()
        json.member("dry_run", isDry)
        json.key("files")
        json.beginArray()
        var count = 0
        while let path = arguments.word() {
            json.beginObject()
            json.member("name", path.split(separator: "/").last.map(String.init) ?? path)
            json.member("base64", Base64URL.encode(try read(path)))
            json.endObject()
            count += 1
        }
        json.endArray()
        json.endObject()
        try arguments.end()
        guard count > 0 else { throw Misuse("which files?") }

        var last = JSON.null
        let request = Control.request("POST", "/control/import", body: json.bytes, accept: "application/x-ndjson")
        let reply = try Control.send(request, data: data) { line in
            // A report of 10,000 faults has more members than a request may have.
            last = (try? JSON.parse(line, limits: JSONLimits(depth: 8, members: 100_000))) ?? .null
            if let done = last["done"]?.integerValue, let total = last["total"]?.integerValue { Terminal.progress("\(done) of \(total) rows") }
        }
        Terminal.progress("")
        try Control.check(reply)
        try report(last, isDry: isDry)
    }

    private static func report(_ last: JSON, isDry: Bool) throws {
        if let faults = last["faults"]?.elements {
            for fault in faults {
                let place = [fault["file"]?.stringValue, fault["line"]?.integerValue.map { "line \($0)" }, fault["field"]?.stringValue]
                Terminal.complain("\(place.compactMap { $0 }.joined(separator: ", ")): \(fault["detail"]?.stringValue ?? "") [\(fault["code"]?.stringValue ?? "")]")
            }
            throw Failure("\(faults.count) fault\(faults.count == 1 ? "" : "s"); nothing was imported. Mend them, then import again")
        }
        if let error = last["error"]?.stringValue { throw Failure(error) }
        guard last["created"] != nil else { throw Failure("the server stopped before the import was done; nothing was imported") }
        for verb in ["created", "updated", "unchanged"] {
            let counts = (last[verb]?.members ?? []).map { "\($0.value.integerValue ?? 0) \($0.name)" }
            if !counts.isEmpty { Terminal.print("\(isDry ? "would be \(verb)" : verb): \(counts.joined(separator: ", "))") }
        }
        for note in last["notes"]?.elements ?? [] { Terminal.print("note: \(note.stringValue ?? "")") }
        if last["created"]?.members?.isEmpty == true, last["updated"]?.members?.isEmpty == true { Terminal.print("nothing to change") }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "re") else { throw Failure("\(path) can't be read: \(String(cString: strerror(errno)))") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { break }
            bytes += buffer[..<count]
            guard bytes.count <= 50 << 20 else { throw Failure("\(path) is larger than 50 MiB; split it") }
        }
        return bytes
    }
}
