import Testing
import Text

@Suite("Text")
struct NormalizationTests {
    @Test("folding ignores case, accents, ligatures and the apostrophe's shape", arguments: [
        ("Été", "ete"), ("CŒUR D’ÎLOT", "coeur d'ilot"), ("Société Pointoise d'HLM", "societe pointoise d'hlm"), ("naïve Æsop", "naive aesop"),
        ("ŒUVRE ſŁŸĲ ÷", "oeuvre słyĳ ÷"), ("e\u{301}TE\u{301}", "ete"), ("ＡＢＣ É", "abc e"), ("ʼN’ß", "'n'ss"), ("İstanbul", "istanbul"), ("", ""),
    ])
    func folds(_ text: String, _ expected: String) { #expect(text.folded == expected) }

    @Test("composition makes one scalar of a letter and its accent")
    func composes() { #expect("e\u{301}".nfc.unicodeScalars.count == 1) }

    @Test("characters that can hide or reverse text are forbidden", arguments: [0x00, 0x1B, 0x202E, 0x200B, 0xFEFF, 0xE000, 0xFFFE])
    func forbids(_ scalar: Int) throws { #expect(try #require(Unicode.Scalar(UInt32(scalar))).isForbiddenInText) }

    @Test("letters, line feeds and emoji pass", arguments: ["é", "\n", "œ", "–", "🏠"])
    func lets(_ text: String) { #expect(!text.unicodeScalars.contains { $0.isForbiddenInText }) }
}
