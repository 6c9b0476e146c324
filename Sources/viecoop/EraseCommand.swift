import Domain
import JSON

enum EraseCommand: Command {
    static let name = "erase"
    static let summary = "Erases a person from a record, from the database's files and from all devices."
    static let help = """
        viecoop erase TYPE ID [--data DIR]

          --data  the server's folder (VIECOOP_DATA, default: data)

        Types: \(Federation.erasableTypes). A referent's mandate keeps its co-op and its dates; name and contact go, and the person's
        devices are shut out. Backups still hold the person: a restore erases again. GET /v1/erasures/ID says which devices have followed.

        Example: viecoop erase referent 0197aa3c-1234-7abc-89ab-0123456789ab
        """

    static func run(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        guard let type = arguments.word(), RecordType(rawValue: type)?.erasable != nil else { throw Misuse("which type? One of: \(Federation.erasableTypes)") }
        guard let id = arguments.word() else { throw Misuse("which record? Give its id") }
        try arguments.end()
        var json = JSONWriter()
        json.beginObject()
        json.member("type", type)
        json.member("id", id)
        json.endObject()
        let erasure = try Control.json("POST", "/control/erase", body: json.bytes, data: data)
        Terminal.print("erased at seq \(erasure["seq"]?.integerValue ?? 0); the last bytes leave the files now")
    }
}
