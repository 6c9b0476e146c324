@testable import Domain
import JSON
import SQLite
import TestSupport
import Testing

@Suite struct CodecTests {
    /// A value offered to a codec, and the column that it becomes or the faults that it meets.
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let json: String
        let column: Value?
        let faults: [String]
        private let read: @Sendable (JSON) -> (Value?, [String])

        init<V>(_ name: String, _ codec: Codec<V>, _ json: String, _ column: Value) {
            self.init(name, codec, json, column: column, faults: [])
        }

        init<V>(_ name: String, _ codec: Codec<V>, _ json: String, refused faults: String...) {
            self.init(name, codec, json, column: nil, faults: faults)
        }

        private init<V>(_ name: String, _ codec: Codec<V>, _ json: String, column: Value?, faults: [String]) {
            (self.name, self.json, self.column, self.faults) = (name, json, column, faults)
            read = { json in
                var faults = Faults()
                let value = codec.parse(json, "#/f", &faults)
                return (value.map(codec.column), faults.all.map { $0.pointer == "#/f" ? $0.code : "\($0.pointer) \($0.code)" })
            }
        }

        var testDescription: String { "\(name) \(json)" }
        func result() -> (Value?, [String]) { read(TestJSON.parse(json)) }
    }

    private static let line = Codec<String>.line(1...5)
    private static let slugs = Codec<[String]>.list(of: .slug, upTo: 3, unique: true)
    private static let long = String(repeating: "a", count: 80)

    static let rows = [
        Row("line", line, #""Ĉapo""#, .text("Ĉapo")),
        Row("line, composed", line, #""e\u0301""#, .text("é")),
        Row("line, five code points", line, #""\ud83c\udf89\ud83c\udf89\ud83c\udf89\ud83c\udf89\ud83c\udf89""#, .text("🎉🎉🎉🎉🎉")),
        Row("line, joined emoji", line, #""\ud83d\udc69\u200d\ud83d\udc67""#, .text("👩\u{200D}👧")),
        Row("line, empty", line, #""""#, refused: "text.length"),
        Row("line, too long", line, #""abcdef""#, refused: "text.length"),
        Row("line, blank", line, #""  \u00a0""#, refused: "text.blank"),
        Row("line, NUL", line, #""a\u0000""#, refused: "text.forbidden-char"),
        Row("line, line feed", line, #""a\nb""#, refused: "text.forbidden-char"),
        Row("line, tab", line, #""a\tb""#, refused: "text.forbidden-char"),
        Row("line, right-to-left override", line, #""a\u202eb""#, refused: "text.forbidden-char"),
        Row("line, zero width", line, #""a\u200bb""#, refused: "text.forbidden-char"),
        Row("line, byte order mark", line, #""\ufeffa""#, refused: "text.forbidden-char"),
        Row("line, private use", line, #""\ue000""#, refused: "text.forbidden-char"),
        Row("line, number", line, "1", refused: "field.type"),
        Row("line, null", line, "null", refused: "field.type"),
        Row("paragraph", Codec<String>.paragraph(0...5), #""a\n\tb""#, .text("a\n\tb")),
        Row("paragraph, empty", Codec<String>.paragraph(0...5), #""""#, .text("")),
        Row("paragraph, carriage return", Codec<String>.paragraph(0...5), #""a\r\n""#, refused: "text.forbidden-char"),
        Row("optional, null", Codec.optional(line), "null", .null),
        Row("optional, wrong", Codec.optional(line), "[]", refused: "field.type"),

        Row("slug", Codec<String>.slug, #""a-casa-2""#, .text("a-casa-2")),
        Row("slug, longest", Codec<String>.slug, #""\#(long)""#, .text(long)),
        Row("slug, too long", Codec<String>.slug, #""\#(long)a""#, refused: "text.slug"),
        Row("slug, empty", Codec<String>.slug, #""""#, refused: "text.slug"),
        Row("slug, capital", Codec<String>.slug, #""Casa""#, refused: "text.slug"),
        Row("slug, accent", Codec<String>.slug, #""été""#, refused: "text.slug"),
        Row("slug, two hyphens", Codec<String>.slug, #""a--b""#, refused: "text.slug"),
        Row("slug, hyphen at the end", Codec<String>.slug, #""a-""#, refused: "text.slug"),
        Row("slug, line feed", Codec<String>.slug, #""a\n""#, refused: "text.slug"),

        Row("email", Codec<String>.email, #""prenom.nom+vc@exemple.coop""#, .text("prenom.nom+vc@exemple.coop")),
        Row("email, no dot", Codec<String>.email, #""a@b""#, refused: "email.format"),
        Row("email, two at", Codec<String>.email, #""a@b@c.coop""#, refused: "email.format"),
        Row("email, empty label", Codec<String>.email, #""a@b..coop""#, refused: "email.format"),
        Row("email, no name", Codec<String>.email, #""@b.coop""#, refused: "email.format"),
        Row("email, no host", Codec<String>.email, #""a@""#, refused: "email.format"),
        Row("email, dot at the end", Codec<String>.email, #""a@b.coop.""#, refused: "email.format"),
        Row("email, dot at the beginning", Codec<String>.email, #""a@.b.coop""#, refused: "email.format"),
        Row("email, accent", Codec<String>.email, #""prénom@exemple.coop""#, .text("prénom@exemple.coop")),
        Row("email, invisible character", Codec<String>.email, #""a\u200b@b.coop""#, refused: "email.format"),
        Row("email, header line", Codec<String>.email, #""a@b.coop\r\nBcc: c@d.coop""#, refused: "email.format"),
        Row("email, list", Codec<String>.email, #""a@b.coop,c@d.coop""#, refused: "email.format"),
        Row("email, long local part", Codec<String>.email, #""\#(long)@b.coop""#, refused: "email.format"),

        Row("phone, French", Codec<String>.phone, #""06 12 34.56-78""#, .text("+33612345678")),
        Row("phone, international", Codec<String>.phone, #""+262 (692) 00 00 00""#, .text("+262692000000")),
        Row("phone, no country", Codec<String>.phone, #""612345678""#, refused: "phone.format"),
        Row("phone, too short", Codec<String>.phone, #""+3361""#, refused: "phone.format"),
        Row("phone, too long", Codec<String>.phone, #""+1234567890123456""#, refused: "phone.format"),
        Row("phone, letters", Codec<String>.phone, #""+33 6 CALL ME""#, refused: "phone.format"),
        Row("phone, other digits", Codec<String>.phone, #""+٣٣٦١٢٣٤٥٦٧٨""#, refused: "phone.format"),

        Row("url", Codec<String>.webAddress, #""https://exemple.coop/a?b#c""#, .text("https://exemple.coop/a?b#c")),
        Row("url, script", Codec<String>.webAddress, #""javascript:alert(1)""#, refused: "url.format"),
        Row("url, user", Codec<String>.webAddress, #""https://a:b@exemple.coop""#, refused: "url.format"),
        Row("url, no host", Codec<String>.webAddress, #""https:///a""#, refused: "url.format"),
        Row("url, space", Codec<String>.webAddress, #""https://exemple.coop/a b""#, refused: "url.format"),
        Row("url, markup", Codec<String>.webAddress, #""https://exemple.coop/\"><b>""#, refused: "url.format"),

        Row("integer", Codec<Int>.integer(0...50), "50", .integer(50)),
        Row("integer, above", Codec<Int>.integer(0...50), "51", refused: "number.range"),
        Row("integer, below", Codec<Int>.integer(0...50), "-1", refused: "number.range"),
        Row("integer, minus zero", Codec<Int>.integer(0...50), "-0", refused: "number.range"),
        Row("integer, fraction", Codec<Int>.integer(0...50), "1.0", refused: "number.range"),
        Row("integer, exponent", Codec<Int>.integer(0...50), "1e1", refused: "number.range"),
        Row("integer, thirty digits", Codec<Int>.integer(0...50), "100000000000000000000000000000", refused: "number.range"),
        Row("integer, text", Codec<Int>.integer(0...50), #""5""#, refused: "field.type"),
        Row("flag", Codec<Bool>.flag, "true", .integer(1)),
        Row("flag, number", Codec<Bool>.flag, "1", refused: "field.type"),
        Row("day", Codec<Day>.day, #""2024-02-29""#, .text("2024-02-29")),
        Row("day, does not exist", Codec<Day>.day, #""2026-02-29""#, refused: "date.format"),
        Row("choice", Codec<Idea.FederalStatus>.choice, #""in_progress""#, .text("in_progress")),
        Row("choice, Swift's name", Codec<Idea.FederalStatus>.choice, #""inProgress""#, refused: "choice.unknown"),
        Row("department, Corsica", Department.codec, #""2A""#, .text("2A")),
        Row("department, number", Department.codec, "35", refused: "field.type"),
        Row("department, no zero", Department.codec, #""1""#, refused: "department.unknown"),
        Row("department, old Corsica", Department.codec, #""20""#, refused: "department.unknown"),
        Row("reference, capitals", Codec<Identifier<Theme>>.reference(), #""0197AA3C-1234-7ABC-89AB-0123456789AB""#, refused: "id.format"),

        Row("list", slugs, #"["a","b"]"#, .text(#"["a","b"]"#)),
        Row("list, empty", slugs, "[]", .text("[]")),
        Row("list, every bad element", slugs, #"["A","b",1]"#, refused: "#/f/0 text.slug", "#/f/2 field.type"),
        Row("list, too long", slugs, #"["a","b","c","d"]"#, refused: "list.length"),
        Row("list, twice", slugs, #"["a","b","a"]"#, refused: "#/f/2 list.duplicate"),
        Row("list, object", slugs, "{}", refused: "field.type"),
        Row(
            "variants, all faults", Codec<[Idea.Variant]>.list(of: Idea.Variant.codec, upTo: 3), #"[{"slug":"A","steps":["",1],"x/y":1},2]"#,
            refused: "#/f/0/x~1y field.unknown", "#/f/0/title field.required", "#/f/0/slug text.slug", "#/f/0/steps/0 text.length", "#/f/0/steps/1 field.type",
            "#/f/1 field.type"),
    ]

    @Test("a value becomes its column, or meets its faults", arguments: rows)
    func reads(row: Row) {
        let (column, faults) = row.result()
        #expect(column == row.column)
        #expect(faults == row.faults)
    }
}
