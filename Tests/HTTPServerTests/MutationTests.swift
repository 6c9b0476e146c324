import HTTP
import HTTPServer
import Testing

@Suite struct MutationTests {
    @Test("requests with random bytes changed, removed and repeated leave the server answering", arguments: 1...8)
    func survives(_ seed: UInt64) throws {
        // What is left open with nothing to answer has to end soon, because the client waits for the end.
        let server = try TestServer {
            ($0.headerDeadline, $0.bodyGrace, $0.idle, $0.linger) = (0.05, 0.05, 0.05, 0.05)
        }
        var random = Mutation(state: seed)
        let seeds = FramingTests.lengths + FramingTests.codings + FramingTests.lines + FramingTests.targets
        for attack in seeds where attack.bytes.count < 10_000 {
            var bytes = attack.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) { random.change(&bytes) }
            let client = try server.connect()
            client.send(bytes)
            client.finish()
            _ = client.readToEnd()
        }
        // The deadlines are so short that a busy machine may miss them, but not each time.
        #expect((0..<100).contains { _ in (try? server.ask(get("/")).status) == 200 })
    }
}

/// A repeatable source of damage (SplitMix64).
struct Mutation: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &self)
        switch Int.random(in: 0..<4, using: &self) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &self)
        case 1: bytes[place] = [0, 9, 10, 13, 32, 37, 58, 255].randomElement(using: &self) ?? 0
        case 2: bytes.remove(at: place)
        default: bytes.insert(contentsOf: bytes[place...].prefix(20), at: place)
        }
    }
}
