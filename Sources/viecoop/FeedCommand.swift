enum FeedCommand: Command {
    static let name = "feed"
    static let summary = "Compares the stored documents with the tables, and renders them again."
    static let help = """
        viecoop feed verify [--data DIR]     says which documents differ; exit code 1 if any
        viecoop feed rebuild [--data DIR]    renders those again; devices get them with the next pull
        """

    static func run(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        let verb = arguments.word()
        guard verb == "verify" || verb == "rebuild" else { throw Misuse("say verify or rebuild") }
        try arguments.end()
        let answer = try Control.json("POST", "/control/feed/\(verb ?? "")", data: data)
        let count = answer["count"]?.integerValue ?? 0
        if verb == "rebuild" { return Terminal.print("\(count) records rendered again") }
        for finding in answer["findings"]?.elements ?? [] { Terminal.print(finding.stringValue ?? "") }
        guard count == 0 else { throw Failure("\(count) documents differ; viecoop feed rebuild mends them") }
        Terminal.print("every document is as its record")
    }
}
