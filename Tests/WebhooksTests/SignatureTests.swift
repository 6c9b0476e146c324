import Foundation
import Testing

@testable import Webhooks

@Suite("Signatures")
struct SignatureTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let secret: String
        let id: String
        let timestamp: Int64
        let body: String
        let signature: String
    }

    /// As published: by the makers of the scheme for those who verify by hand, and in the tests of the standard's own libraries.
    static let vectors = [
        Vector(
            testDescription: "the makers'", secret: "plJ3nmyCDGBKInavdOK15jsl", id: "msg_loFOjxBNrRLzqYUf", timestamp: 1_731_705_121,
            body: #"{"event_type":"ping","data":{"success":true}}"#, signature: "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="),
        Vector(
            testDescription: "the libraries'", secret: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330,
            body: #"{"test": 2432232314}"#, signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]

    @Test("are those of the published examples", arguments: vectors)
    func isPublished(_ vector: Vector) throws {
        let key = Array(try #require(Data(base64Encoded: vector.secret)))
        #expect(Signature.header(id: vector.id, timestamp: vector.timestamp, body: Array(vector.body.utf8), keys: [key]) == vector.signature)
    }

    @Test("stand one after the other while a secret is rotated, and change with every byte that they are of")
    func parts() {
        let keys: [[UInt8]] = [Array(repeating: 1, count: 32), Array(repeating: 2, count: 32)]
        func header(id: String = "a", timestamp: Int64 = 1, body: String = "{}", keys: [[UInt8]] = keys) -> String {
            Signature.header(id: id, timestamp: timestamp, body: Array(body.utf8), keys: keys)
        }
        let both = header().split(separator: " ").map(String.init)
        #expect(both == [header(keys: [keys[0]]), header(keys: [keys[1]])])
        let others = [header(), header(id: "b"), header(timestamp: 2), header(body: "{ }"), header(keys: keys.reversed())]
        #expect(Set(others).count == others.count)
    }
}
