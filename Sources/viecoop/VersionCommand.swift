import API
import SQLite

enum VersionCommand: Command {
    static let name = "version"
    static let summary = "Prints the version."
    static let help = "viecoop version"

    static func run(_ arguments: inout Arguments) throws {
        try arguments.end()
        Terminal.print("viecoop \(Version.text), SQLite \(Database.libraryVersion)")
    }
}
