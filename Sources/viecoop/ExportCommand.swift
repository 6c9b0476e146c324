import Domain
import Glibc
import HTTP

enum ExportCommand: Command {
    static let name = "export"
    static let summary = "Writes all records of a type to standard output, as CSV or NDJSON."
    static let help = """
        viecoop export TYPE --format csv|ndjson [--bom] [--data DIR]

          --bom   a byte order mark in front, which some spreadsheets need to know UTF-8
          --data  the server's folder (VIECOOP_DATA, default: data)

        Types: \(RecordType.allCases.map(\.rawValue).joined(separator: ", ")).

        Example: viecoop export coop --format csv > coops.csv
        """

    static func run(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        let format = try arguments.value("--format") ?? "csv"
        guard format == "csv" || format == "ndjson" else { throw Misuse("--format must be csv or ndjson") }
        let bom = arguments.flag("--bom")
        guard let word = arguments.word(), let type = RecordType(rawValue: word) ?? RecordType.allCases.first(where: { $0.rawValue + "s" == word }) else {
            throw Misuse("which type? One of: \(RecordType.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        try arguments.end()
        let request = Control.request("GET", "/control/export", query: "type=\(type.rawValue)&format=\(format)&bom=\(bom)")
        try Control.check(Control.send(request, data: data) { Terminal.write($0 + [0x0A], to: STDOUT_FILENO) })
    }
}
