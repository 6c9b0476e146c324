import Domain
import Embedded

/// What a newcomer finds: the sample data, a token per role, and commands to paste.
enum Demo {
    private static let label = "demo"
    /// Invented co-ops of the samples, far apart.
    private static let (home, other) = ("a-casa-cumuna", "volcan-habitat-cooperatif")

    /// Loads what is missing, replaces the former demo's tokens, and prints how to begin.
    static func start(_ federation: Federation, address: String) throws {
        let files = Embedded.sampleData.map { ImportFile(name: $0.name, bytes: $0.bytes) }
        _ = try Import.run(files, dryRun: false, into: federation) { _, _ in }
        try DemoPairings.load(into: federation)
        for token in try federation.allTokens() where token.label == label && token.revoked == nil { _ = try federation.revokeToken(token.id) }

        let (homeID, otherID) = (try coop(home, federation), try coop(other, federation))
        try DemoSessions.load(at: homeID, into: federation)
        let tokens: [(name: String, whose: String, draft: Token.Draft)] = [
            ("FEDERATION", "the federation's administrator", Token.Draft(role: .federationAdmin, label: label)),
            ("DASHBOARD", "a dashboard of the federation", Token.Draft(role: .federationReader, label: label)),
            ("MANAGER", "the manager of A Casa Cumuna", Token.Draft(role: .coopManager, coop: homeID, label: label)),
            ("NEIGHBOUR", "the manager of Volcan Habitat Coopératif", Token.Draft(role: .coopManager, coop: otherID, label: label)),
            ("DEVICE", "a referent's telephone at A Casa Cumuna", Token.Draft(role: .referent, coop: homeID, label: label)),
            ("HELPER", "the same, for who helps at sessions", Token.Draft(role: .referent, coop: homeID, isHelper: true, label: label)),
        ]
        var lines = ["", "viecoop is at \(address), with the sample data. Tokens, new with every start of the demo:", ""]
        for token in tokens {
            let secret = try federation.createToken(token.draft).secret.text
            lines.append("export \(token.name)=\(secret)  # \(token.whose)")
        }
        lines += ["", "Paste these into another terminal, then try:", ""]
        lines += commands(address, coop: homeID.text)
        lines += ["", "Pictures for $DASHBOARD are at \(address)/dashboard, everything else is at \(address)/docs. Ctrl-C stops the server; the data stays."]
        Terminal.print(lines.joined(separator: "\n"))
    }

    private static func coop(_ slug: String, _ federation: Federation) throws -> Identifier<Coop> {
        let found = try federation.read { (connection) throws(DomainError) in try Coop.store.find(slug: slug, in: connection) }
        guard let found else { throw Failure("the sample co-op \(slug) is missing; use another folder with --data") }
        return found
    }

    private static func commands(_ address: String, coop: String) -> [String] {
        [
            "curl '\(address)/v1/ideas?q=societariat'",
            "curl -H \"Authorization: Bearer $DASHBOARD\" '\(address)/v1/coops?region_code=FR-BRE'",
            "curl -i -H \"Authorization: Bearer $MANAGER\" -H 'Content-Type: application/json' \\",
            "  -d '{\"coop_id\":\"\(coop)\",\"given_name\":\"Ghjulia\",\"family_name\":\"Rossi\",\"started_on\":\"2026-03-02\"}' \(address)/v1/referents",
            "curl -H \"Authorization: Bearer $MANAGER\" '\(address)/v1/pairings'",
            "curl '\(address)/v1/sessions'",
            "curl -H \"Authorization: Bearer $DEVICE\" '\(address)/v1/changes?limit=5'",
        ]
    }
}
