import Glibc

/// A subcommand: what it is for, its help, and what it does.
protocol Command {
    static var name: String { get }
    static var summary: String { get }
    /// Usage, options and an example.
    static var help: String { get }
    static func run(_ arguments: inout Arguments) throws
}

/// Why a command ended without doing its work; exit code 1.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The command was called in a way that it does not know; exit code 2.
struct Misuse: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

@main
enum Viecoop {
    private static var commands: [any Command.Type] {
        [
            Serve.self, ImportCommand.self, ExportCommand.self, TokenCommand.self, DeviceCommand.self, BackupCommand.self, RestoreCommand.self,
            EraseCommand.self, WebhookCommand.self, FeedCommand.self, DemoHistoryCommand.self, RetentionCommand.self, ReplicaCommand.self, Doctor.self,
            VersionCommand.self,
        ]
    }

    static func main() {
        var words = Array(CommandLine.arguments.dropFirst())
        guard let name = words.first, !["help", "--help", "-h"].contains(name) || words.count > 1 else {
            Terminal.print(usage)
            exit(words.isEmpty ? 2 : 0)
        }
        if name == "help" { words = [words[1], "--help"] }
        guard let command = commands.first(where: { $0.name == words[0] }) else {
            Terminal.complain("there is no command `\(words[0])`; `viecoop help` lists them")
            exit(2)
        }
        var arguments = Arguments(Array(words.dropFirst()))
        if arguments.wantsHelp {
            Terminal.print("\(command.summary)\n\n\(command.help)")
            exit(0)
        }
        do {
            try command.run(&arguments)
        } catch let misuse as Misuse {
            Terminal.complain("\(misuse); `viecoop help \(command.name)` shows how")
            exit(2)
        } catch {
            Terminal.complain("\(error)")
            exit(1)
        }
    }

    private static var usage: String {
        let width = commands.map { $0.name.count }.max() ?? 0
        let lines = commands.map { "  \($0.name)\(String(repeating: " ", count: width - $0.name.count))  \($0.summary)" }
        return "viecoop: the server of a federation of housing co-operatives\n\n\(lines.joined(separator: "\n"))\n\n`viecoop help COMMAND` shows its options and an example."
    }
}
