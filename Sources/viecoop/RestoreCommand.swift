import Domain

enum RestoreCommand: Command {
    static let name = "restore"
    static let summary = "Goes back to a backup; the server must not run."
    static let help = """
        viecoop restore FILE [--data DIR]
        viecoop restore --adopt [--data DIR]    for a database that was put into the folder by hand, or has lost its end

          --data  the server's folder (VIECOOP_DATA, default: data)

        The former database is kept beside the new one. Tokens stay as they are now, and who was erased is erased again. Devices
        that are ahead of the backup send again what they have done since, and repair their copy; the others notice nothing.

        Example: viecoop restore /backups/viecoop-2026-03-02.db --data /var/lib/viecoop
        """

    static func run(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        let isAdoption = arguments.flag("--adopt")
        let file = arguments.word()
        try arguments.end()
        guard isAdoption == (file == nil) else { throw Misuse(isAdoption ? "--adopt takes no file" : "which file? Or --adopt") }
        let report: Restore.Report
        if let file {
            report = try Restore.run(file, into: data, at: .now()) { done, total in Terminal.progress(done < total ? "\(done) of \(total) pages" : "making it ready") }
            Terminal.progress("")
        } else {
            guard let adopted = try Restore.adopt(data) else {
                return Terminal.print("nothing to adopt: the database is the one that this folder's server wrote last")
            }
            report = adopted
        }
        Terminal.print("restored: everything up to seq \(report.fork); the new history \(report.epoch) begins with \(report.first)")
        for note in report.notes { Terminal.print(note) }
        if let former = report.former { Terminal.print("The former database is \(former). It holds personal data: delete it when it is no longer needed.") }
    }
}
