import Domain
import Testing

@Suite struct ETagTests {
    @Test("the tag of each layer is read back", arguments: Array("pnbfcdo".utf8))
    func roundTrip(layer: UInt8) {
        let tag = ETag(rev: 4190, layer: layer)
        #expect(tag.text == "\"4190.\(Unicode.Scalar(layer))\"")
        #expect(ETag(opaque: tag.text.dropFirst().dropLast()) == tag)
    }

    @Test(
        "what this server never writes is no tag",
        arguments: [
            "", ".", "1", "1.", ".n", "1.x", "1.nn", "1.n.", "01.n", "+1.n", "-1.n", "0.n", "1 .n", " 1.n", "9223372036854775808.n", "1.é", "١.n", "\"1.n\"",
            "W/1.n", "1e3.n", "1.0.n",
        ])
    func refusal(text: String) { #expect(ETag(opaque: text) == nil) }

    @Test("the greatest seq has a tag") func greatest() { #expect(ETag(opaque: "9223372036854775807.f")?.rev == .max) }
}
