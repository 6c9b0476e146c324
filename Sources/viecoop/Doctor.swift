import API
import Domain
import Glibc
import HTTP
import JSON
import SQLite

enum Doctor: Command {
    static let name = "doctor"
    static let summary = "Looks whether the server, or its database, is well; exit code 0 if so."
    static let help = """
        viecoop doctor [--data DIR]

        Asks the running server through its control socket. Where none runs, it opens the database, which checks it.
        """

    static func run(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        try arguments.end()
        let reply = try Control.send(Control.request("GET", "/readyz"), data: data)
        for member in (try JSON.parse(reply.body)).members ?? [] {
            var json = JSONWriter()
            json.value(member.value)
            Terminal.print("\(member.name): \(member.value.stringValue ?? String(decoding: json.bytes, as: UTF8.self))")
        }
        guard reply.status == 200 else { throw Failure("not ready; the server's log says why") }
    }
}
