import Crypto
import Testing

@Suite struct CryptoTests {
    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static let digests: [(String, String)] = [
        // FIPS 180-4's examples, as NIST publishes them with intermediate values.
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        // NIST CAVP, SHA256ShortMsg: the empty message.
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ]

    @Test("SHA-256 gives the published digests, whatever collection holds the bytes", arguments: digests)
    func sha256(_ text: String, _ digest: String) {
        #expect(hexadecimal(Crypto.sha256(Array(text.utf8))) == digest)
        #expect(hexadecimal(Crypto.sha256(text.utf8)) == digest)
        #expect(hexadecimal(Crypto.sha256(text.utf8.lazy.map { $0 })) == digest)
    }

    @Test("SHA-256 of a million letters, which FIPS 180 gives too")
    func sha256OfMuch() {
        let digest = Crypto.sha256([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
        #expect(hexadecimal(digest) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    struct Code: Sendable, CustomTestStringConvertible {
        let key: [UInt8]
        let data: [UInt8]
        let expected: String
        var testDescription: String { "key of \(key.count) bytes, message of \(data.count)" }
    }

    /// RFC 4231, test cases 1 to 4, 6 and 7 (5 is about truncation); and an empty key and message.
    static let codes = [
        Code(
            key: [UInt8](repeating: 0x0B, count: 20), data: Array("Hi There".utf8),
            expected: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Code(
            key: Array("Jefe".utf8), data: Array("what do ya want for nothing?".utf8),
            expected: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Code(
            key: [UInt8](repeating: 0xAA, count: 20), data: [UInt8](repeating: 0xDD, count: 50),
            expected: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Code(
            key: Array(1...25), data: [UInt8](repeating: 0xCD, count: 50),
            expected: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        Code(
            key: [UInt8](repeating: 0xAA, count: 131), data: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            expected: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Code(
            key: [UInt8](repeating: 0xAA, count: 131),
            data: Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed "
                    + "before being used by the HMAC algorithm.").utf8),
            expected: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        Code(key: [], data: [], expected: "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ]

    @Test("HMAC-SHA256 gives the published codes", arguments: codes)
    func hmac(_ code: Code) {
        #expect(hexadecimal(Crypto.hmacSHA256(key: code.key, code.data)) == code.expected)
        let key = HMACKey(code.key)
        for _ in 0..<2 { #expect(hexadecimal(key.code(of: code.data)) == code.expected) }
    }

    @Test("random bytes have the length asked for and do not repeat")
    func random() {
        #expect(Crypto.randomBytes(0).isEmpty)
        #expect(Crypto.randomBytes(33).count == 33)
        #expect(Set((0..<100).map { _ in Crypto.randomBytes(16) }).count == 100)
    }

    static let pairs: [([UInt8], [UInt8], Bool)] = [
        ([], [], true), ([1, 2], [1, 2], true), ([1, 2], [1, 3], false), ([0, 2], [1, 2], false), ([1], [1, 2], false),
        ([], [0], false),
    ]

    @Test("equal bytes are equal, and others are not", arguments: pairs)
    func equality(_ left: [UInt8], _ right: [UInt8], _ expected: Bool) {
        #expect(Crypto.constantTimeEqual(left, right) == expected)
    }
}
