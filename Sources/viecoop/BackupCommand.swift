import Domain

enum BackupCommand: Command {
    static let name = "backup"
    static let summary = "Copies the database to a file, while the server goes on."
    static let help = """
        viecoop backup FILE [--data DIR]

          --data  the server's folder (VIECOOP_DATA, default: data)

        FILE is written beside itself as FILE.part, looked through, and only then gets its name: it is there whole or not at all.
        A backup that is there already is replaced. It holds personal data and tokens: it is for nobody but this user to read.

        Example: viecoop backup /backups/viecoop-$(date +%F).db --data /var/lib/viecoop
        """

    static func run(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        guard let file = arguments.word() else { throw Misuse("to which file?") }
        try arguments.end()
        let report = try Backup.write(to: file, of: data) { done, total in Terminal.progress(done < total ? "\(done) of \(total) pages" : "looking through it") }
        Terminal.progress("")
        Terminal.print("\(file): \(report.bytes) bytes, everything up to seq \(report.head)")
    }
}
