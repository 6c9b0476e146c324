import Domain

/// What a newcomer finds: the sample data, a token per role, and commands to paste.
enum Demo {
    private static let label = "demo"

    static func start(_ federation: Federation, address: String) throws {
        for token in try federation.allTokens() where token.label == label && token.revoked == nil { _ = try federation.revokeToken(token.id) }
        Terminal.print("loaded")
    }
}
