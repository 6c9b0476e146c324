import Crypto
@testable import Domain
import TestSupport
import Testing

@Suite struct CursorTests {
    static let key = HMACKey([UInt8](repeating: 7, count: 32))
    static let holder = Identifier<Token>(high: 1, low: 2)

    static let cursor: Cursor = {
        var cursor = Cursor(epoch: "k3f9a", seen: 4211, types: [.idea, .referent])
        cursor.places = [
            1: Cursor.Place(pos: 0, base: 4211, had: nil), 2: Cursor.Place(pos: 17, base: 40, had: 0), 300: Cursor.Place(pos: .max, base: .max, had: .max - 1),
        ]
        return cursor
    }()

    static let cursors = [
        cursor, Cursor(epoch: "", seen: 0, types: []), Cursor(epoch: "k3f9a", seen: .max, types: RecordType.allCases),
        cursor.moved(to: 5000),
    ]

    @Test("what is sealed is read back, by its holder only", arguments: cursors)
    func roundTrip(cursor: Cursor) throws {
        for holder in [Self.holder, nil] {
            let text = cursor.sealed(with: Self.key, for: holder)
            #expect(try Cursor(sealed: text, key: Self.key, for: holder) == cursor)
            #expect(throws: Cursor.Failure.invalid) { try Cursor(sealed: text, key: Self.key, for: Identifier(high: 1, low: 3)) }
            #expect(throws: Cursor.Failure.invalid) { try Cursor(sealed: text, key: Self.key, for: holder == nil ? Self.holder : nil) }
            #expect(throws: Cursor.Failure.invalid) { try Cursor(sealed: text, key: HMACKey([UInt8](repeating: 8, count: 32)), for: holder) }
        }
    }

    @Test("every other text is refused: each bit changed, each length, letters that no encoder writes")
    func forged() throws {
        let text = Self.cursor.sealed(with: Self.key, for: Self.holder)
        let bytes = try #require(Base64URL.decode(text))
        var forgeries = (0..<bytes.count * 8).map { bit in
            var forged = bytes
            forged[bit / 8] ^= 1 << UInt8(bit % 8)
            return Base64URL.encode(forged)
        }
        forgeries += (0..<text.utf8.count).map { String(text.prefix($0)) }
        forgeries += [text + "A", text + "=", " " + text, text + "\n", text.replacingOccurrence(at: 3, with: "é"), String(repeating: "A", count: 9000)]
        for forged in forgeries { #expect(throws: Cursor.Failure.invalid) { try Cursor(sealed: forged, key: Self.key, for: Self.holder) } }
    }

    @Test("a payload of any bytes under the right code is read or refused, and never traps", arguments: 1...4 as ClosedRange<UInt64>)
    func anyPayload(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let sealed = try #require(Base64URL.decode(Self.cursor.sealed(with: Self.key, for: nil))).dropLast(16)
        for _ in 0..<3000 {
            var payload = random.chance(50) ? (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) } : Array(sealed)
            if let index = payload.indices.randomElement(using: &random) { payload[index] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0 }
            let code = Self.key.code(of: payload + Array("public".utf8)).prefix(16)
            guard let cursor = try? Cursor(sealed: Base64URL.encode(payload + code), key: Self.key, for: nil) else { continue }
            // What is read can be written again.
            #expect(try Cursor(sealed: cursor.sealed(with: Self.key, for: nil), key: Self.key, for: nil).places.count == cursor.places.count)
        }
    }
}

extension String {
    fileprivate func replacingOccurrence(at offset: Int, with text: String) -> String { String(prefix(offset)) + text + String(dropFirst(offset + 1)) }
}

@Suite struct Base64URLTests {
    // RFC 4648 section 10, without padding; the last shows the two letters of section 5.
    static let vectors: [(String, [UInt8])] = [
        ("", []), ("Zg", Array("f".utf8)), ("Zm8", Array("fo".utf8)), ("Zm9v", Array("foo".utf8)), ("Zm9vYg", Array("foob".utf8)),
        ("Zm9vYmE", Array("fooba".utf8)), ("Zm9vYmFy", Array("foobar".utf8)), ("-_-_", [0xFB, 0xFF, 0xBF]),
    ]

    @Test("the vectors of the RFC hold both ways", arguments: vectors)
    func vector(text: String, bytes: [UInt8]) {
        #expect(Base64URL.encode(bytes) == text)
        #expect(Base64URL.decode(text) == bytes)
    }

    @Test("what no encoder writes is refused", arguments: ["Z", "Zm9vY", "Zh", "Zm9", "Zg==", "+/+/", "Zm 9v", "Zm9v\n", "Zé"])
    func refusal(text: String) { #expect(Base64URL.decode(text) == nil) }

    @Test("any bytes come back")
    func anyBytes() {
        var random = SeededGenerator(seed: 1)
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
    }
}
