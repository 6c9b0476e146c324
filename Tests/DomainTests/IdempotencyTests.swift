import Crypto
@testable import Domain
import SQLite
import TestSupport
import Testing

@Suite struct IdempotencyTests {
    private static let token = Identifier<Token>(high: 1, low: 2)
    private static let answer = Idempotency.Answer(status: 201, location: "/v1/themes/1", etag: "\"1.n\"", body: Array(#"{"é":1}"#.utf8))

    private static func key(token: Identifier<Token>? = token, method: String = "POST", path: String = "/v1/themes", key: String = "k", body: String = "{}") -> Idempotency.Key {
        Idempotency.Key(token: token, method: method, path: path, key: key, body: Array(body.utf8), secret: Array(0..<32))
    }

    private func keep(_ key: Idempotency.Key, _ test: TestFederation) throws {
        try test.federation.perform { (tx) throws(DomainError) in try Idempotency.keep(Self.answer, under: key, type: .theme, id: "1", in: tx) }
    }

    /// What a request with the key gets: `kept`, `new`, or the refusal.
    private func find(_ key: Idempotency.Key, _ test: TestFederation) -> String {
        do throws(DomainError) {
            let found = try test.federation.perform { (tx) throws(DomainError) in try Idempotency.find(key, in: tx) }
            guard let found else { return "new" }
            return found.status == 201 && found.location == Self.answer.location && found.etag == Self.answer.etag && found.body == Self.answer.body ? "kept" : "changed"
        } catch { return error.faults.first ?? error.word }
    }

    static let others: [(String, Idempotency.Key, String)] = [
        ("the same", key(), "kept"), ("another body", key(body: "{ }"), "# idempotency.reused"), ("another key", key(key: "l"), "new"),
        ("another path", key(path: "/v1/ideas"), "new"), ("another method", key(method: "PUT"), "new"),
        ("another token", key(token: Identifier(high: 1, low: 3)), "new"), ("no token", key(token: nil), "new"),
    ]

    @Test("an answer is kept for the same request, and for no other", arguments: others)
    func finds(name: String, key: Idempotency.Key, expected: String) throws {
        let test = try TestFederation()
        try keep(Self.key(), test)
        #expect(find(key, test) == expected)
    }

    @Test("without a token, a key that somebody else guesses finds nothing with another body")
    func guessedKey() throws {
        let test = try TestFederation()
        try keep(Self.key(token: nil), test)
        #expect(find(Self.key(token: nil), test) == "kept")
        #expect(find(Self.key(token: nil, body: "{ }"), test) == "new")
    }

    @Test("nothing that is kept tells a guessed body from another without the server's key")
    func isKeyed() {
        let key = Self.key(body: #"{"voter":"Jeanne"}"#)
        #expect(key.bodyHash != Crypto.sha256(Array(#"{"voter":"Jeanne"}"#.utf8)))
        let elsewhere = Idempotency.Key(token: Self.token, method: "POST", path: "/v1/themes", key: "k", body: Array(#"{"voter":"Jeanne"}"#.utf8), secret: Array(1...32))
        #expect(key.bodyHash != elsewhere.bodyHash)
        #expect(key.scope == elsewhere.scope)
    }

    @Test("an answer whose effect is taken back is not kept")
    func takenBack() throws {
        let test = try TestFederation()
        #expect(
            refusal {
                try test.federation.perform { (tx) throws(DomainError) in
                    try Idempotency.keep(Self.answer, under: Self.key(), type: nil, id: nil, in: tx)
                    throw DomainError.idTaken()
                }
            } == "id.taken")
        #expect(find(Self.key(), test) == "new")
    }

    @Test("answers are forgotten after a day")
    func forgets() throws {
        let test = try TestFederation()
        try keep(Self.key(), test)
        for (seconds, expected) in [(86_400, "kept"), (1, "new")] as [(Int64, String)] {
            test.clock.advance(seconds: seconds)
            test.federation.lookForDue()
            #expect(find(Self.key(), test) == expected)
        }
    }
}
