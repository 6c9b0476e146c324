import JSON
import Testing

/// A trap would end the whole test process, so these tests mostly have to come to their end. Seeds are fixed.
@Suite struct JSONReaderFuzzTests {
    /// SplitMix64: small, and the same everywhere for the same seed.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
    }

    /// What is read is written and read again as the same value; what is refused names a place in or behind the text.
    private func check(_ bytes: [UInt8]) throws {
        let value: JSON
        do {
            value = try JSON.parse(bytes)
        } catch {
            #expect((0...bytes.count).contains(error.offset) && error.line >= 1 && error.column >= 1)
            #expect((error.pointer != nil) == (error.code == .duplicateKey))
            return
        }
        var writer = JSONWriter()
        writer.value(value)
        #expect(try JSON.parse(writer.bytes) == value)
    }

    @Test("no bytes make the reader trap", arguments: [1, 2, 3, 4] as [UInt64])
    func randomBytes(seed: UInt64) throws {
        var generator = Generator(state: seed)
        // Characters of the grammar come often, so that much of it is reached.
        let alphabet = Array(#"{}[]:,"\u09dD8cfeEtrn-+. "#.utf8) + [0x00, 0x0A, 0x80, 0xC3, 0xA9, 0xE2, 0xED, 0xF0, 0xF4, 0xFF]
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            try check(bytes)
        }
    }

    @Test("a document with some bytes changed is read or refused, and never traps", arguments: [5, 6, 7, 8] as [UInt64])
    func mutations(seed: UInt64) throws {
        var generator = Generator(state: seed)
        let document = Array(
            #"{"mid":"0197-é","fields":{"name":"A\ud83c\udf89\n🎉","n":[0,-1.5e3,12],"ok":true,"no":false,"x":null,"":{}}}"#.utf8)
        for _ in 0..<5_000 {
            var bytes = document
            for _ in 0...Int.random(in: 0...2, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0...3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(document.randomElement(using: &generator) ?? 0, at: place)
                default: bytes.removeSubrange(place...)
                }
            }
            try check(bytes)
        }
    }

    @Test("every beginning of a document is refused")
    func truncations() throws {
        let document = Array(#"[{"aé":"\ud83c\udf89é🎉","n":[-1.5e+3,true]}]"#.utf8)
        _ = try JSON.parse(document)
        for length in document.indices {
            #expect(throws: JSONError.self) { try JSON.parse(Array(document[..<length])) }
        }
    }

    @Test("the reader agrees with Swift on what is UTF-8, for every pair of first bytes")
    func encoding() {
        let tails: [[UInt8]] = [[], [0x80], [0xBF, 0xBF], [0x41], [0x80, 0x41]]
        for first in UInt8(0x80)...0xFF {
            for second in UInt8(0x7F)...0xC1 {
                for tail in tails {
                    let text = [first, second] + tail
                    let expected = String(validating: text, as: UTF8.self)
                    let read = try? JSON.parse([0x22] + text + [0x22])
                    if read?.stringValue != expected { Issue.record("\(text)") }
                }
            }
        }
    }
}
