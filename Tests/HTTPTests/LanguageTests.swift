import HTTP
import Testing
import Text

@Suite struct LanguageTests {
    @Test("Accept-Language is read by weight, then by order", arguments: [
        (nil, .fallback), ("", .fallback), ("de, it", .fallback), ("*", .fallback), ("fr", .fr), ("FR-ca", .fr), ("en", .en),
        ("en, fr", .en), ("fr, en", .fr), ("en;q=0.5, fr;q=0.8", .fr), ("fr;q=0.5, en;q=0.55", .en), ("de, fr;q=0.1", .fr),
        ("fr;q=0", .fallback), ("fr;q=0, en;q=0.001", .en), ("fr ; q = 0.9 , en ; q = 0.8", .fr), ("fr;level=1;q=0.2, en;q=0.3", .en),
        ("fr;q=9, en", .fr), (String(repeating: "x,", count: 20) + "fr", .fallback), (",;,=;q=,fr;q=é, fr;q=", .fr),
    ] as [(String?, Language)])
    func negotiates(_ value: String?, _ language: Language) {
        #expect(Language(accepting: value) == language)
    }
}
