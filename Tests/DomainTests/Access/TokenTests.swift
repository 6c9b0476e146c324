import Domain
import SQLite
import TestSupport
import Testing

@Suite struct TokenTests {
    @Test("a token lets in with its own secret, until it expires or is revoked, also after a restart")
    func lifetime() throws {
        let clock = TestClock()
        let directory = TestFolder()
        var settings = Federation.Settings()
        settings.now = { clock.now }
        var federation = try Federation(directory: directory.path, settings: settings)
        let made = try federation.createToken(.init(role: .federationReader, expires: clock.now.adding(seconds: 3600)))
        let other = try federation.createToken(.init(role: .federationReader))
        let secret = try #require(Token.Secret(made.secret.text))
        func judge(_ secret: Token.Secret) -> String {
            switch federation.tokens.judge(secret, at: clock.now) {
            case .caller(let caller): "\(caller.role?.rawValue ?? "nobody")"
            case .refused(let wipe): wipe ? "wipe" : "refused"
            }
        }
        #expect(judge(secret) == "federation_reader")
        let mixed = try #require(Token.Secret("vc_\(made.token.id)_\(other.secret.text.suffix(48))"))
        #expect(judge(mixed) == "refused")
        #expect(judge(try #require(Token.Secret("vc_\(Identifier<Token>(high: 9, low: 9))_\(other.secret.text.suffix(48))"))) == "refused")
        _ = try federation.revokeToken(other.token.id)
        for _ in 0..<2 {
            #expect(judge(secret) == "federation_reader")
            #expect(judge(other.secret) == "wipe")
            federation.close()
            federation = try Federation(directory: directory.path, settings: settings)
        }
        clock.advance(seconds: 3600)
        #expect(judge(secret) == "refused")
        // The secret itself is nowhere in the file.
        federation.close()
        let file = try directory.bytes(of: "viecoop.db")
        let needle = Array(made.secret.text.suffix(48).utf8)
        #expect(!file.indices.contains { file[$0] == needle[0] && file[$0...].starts(with: needle) })
    }

    @Test(
        "what is no secret is none",
        arguments: [
            "", "vc", "vc__", "vc_1_2", "VC_0197aa3c-1234-7abc-89ab-0123456789ab_" + String(repeating: "a", count: 48),
            "vc_0197aa3c-1234-7abc-89ab-0123456789ab_" + String(repeating: "a", count: 47),
            "vc_0197aa3c-1234-7abc-89ab-0123456789ab_" + String(repeating: "a", count: 48) + "_",
        ])
    func noSecret(text: String) { #expect(Token.Secret(text) == nil) }

    @Test("a token's draft must fit together, and every misfit is told")
    func drafts() throws {
        let test = try TestFederation()
        let (coop, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let referent = try test.addReferent(of: coop)
        func faults(_ draft: Token.Draft) -> [String] { TestSupport.faults { _ = try test.federation.createToken(draft) } }
        #expect(faults(.init(role: .coopManager)) == ["#/coop_id field.required"])
        #expect(faults(.init(role: .federationAdmin, coop: coop.id, isHelper: true, expires: test.clock.now))
            == ["#/coop_id token.coop", "#/helper token.helper", "#/expires_at date.past"])
        #expect(faults(.init(role: .referent, coop: other.id, referent: referent.id)) == ["#/referent_id reference.unknown"])
        #expect(faults(.init(role: .referent, coop: Identifier(high: 9, low: 9))) == ["#/coop_id reference.unknown"])
        #expect(faults(.init(role: .referent, coop: coop.id, isHelper: true, referent: referent.id)) == [])
        #expect(refusal { try test.delete(referent) } == "record.in-use")
    }

    @Test("the layers of each role, most specific first")
    func layers() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        func letters(_ caller: Caller) -> String { String(decoding: caller.layers.map(\.letter), as: UTF8.self) }
        #expect(letters(.manager(of: coop)) == "odcn")
        #expect(letters(.helper(of: coop)) == "dcn")
        #expect(letters(.device(of: coop)) == "cn")
        #expect(letters(.admin) == "fbn")
        #expect(letters(.reader) == "bn")
        #expect(letters(.anonymous) == "p")
        // A role without its co-op sees what anybody sees.
        #expect(letters(Caller(token: nil, role: .coopManager, coop: nil)) == "p")
        for caller in [Caller.manager(of: coop), .admin, .anonymous] { for layer in caller.layers { #expect(Audience(name: layer.name) == layer) } }
    }

    @Test("what is no audience's name is none", arguments: ["", "coop", "coop:", "coop:1", "network:0197aa3c-1234-7abc-89ab-0123456789ab", "Public", "shop:0197aa3c-1234-7abc-89ab-0123456789ab"])
    func noAudience(name: String) { #expect(Audience(name: name) == nil) }
}
