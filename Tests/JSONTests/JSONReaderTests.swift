import JSON
import Testing

@Suite struct JSONReaderTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let code: JSONError.Code
        let offset: Int
        let line: Int
        let column: Int
        let pointer: String?
        var testDescription: String { name }

        init(
            _ name: String, _ bytes: [UInt8], _ code: JSONError.Code, at offset: Int, line: Int = 1, column: Int? = nil,
            pointer: String? = nil
        ) {
            self.name = name
            self.bytes = bytes
            self.code = code
            self.offset = offset
            self.line = line
            self.column = column ?? offset + 1
            self.pointer = pointer
        }

        init(
            _ name: String, _ text: String, _ code: JSONError.Code, at offset: Int, line: Int = 1, column: Int? = nil,
            pointer: String? = nil
        ) {
            self.init(name, Array(text.utf8), code, at: offset, line: line, column: column, pointer: pointer)
        }
    }

    static let structure = [
        Refusal("nothing", "", .empty, at: 0),
        Refusal("only white space", " \r\n\t", .empty, at: 4, line: 2, column: 2),
        Refusal("open object", "{", .syntax, at: 1),
        Refusal("open array", "[1", .syntax, at: 2),
        Refusal("open string", #"["ab"#, .syntax, at: 4),
        Refusal("a name without its value", #"{"a":"#, .syntax, at: 5),
        Refusal("a name without colon", #"{"a" 1}"#, .syntax, at: 5),
        Refusal("a name without quotes", "{a:1}", .syntax, at: 1),
        Refusal("a number as name", "{1:1}", .syntax, at: 1),
        Refusal("trailing comma in an object", #"{"a":1,}"#, .syntax, at: 7),
        Refusal("trailing comma in an array", "[1,]", .syntax, at: 3),
        Refusal("leading comma", "[,1]", .syntax, at: 1),
        Refusal("two commas", "[1,,2]", .syntax, at: 3),
        Refusal("no comma", "[1 2]", .syntax, at: 3),
        Refusal("brackets crossed", "[{]}", .syntax, at: 2),
        Refusal("array closed as object", "[1}", .syntax, at: 2),
        Refusal("closing bracket alone", "]", .syntax, at: 0),
        Refusal("two documents", "{} {}", .syntax, at: 3),
        Refusal("two documents in two lines", "{}\n{}", .syntax, at: 3, line: 2, column: 1),
        Refusal("line comment", "[1 // one\n]", .syntax, at: 3),
        Refusal("block comment", "/* */ 1", .syntax, at: 0),
        Refusal("single quotes", "['a']", .syntax, at: 1),
        Refusal("no-break space between tokens", "[\u{A0}1]", .syntax, at: 1),
        Refusal("form feed between tokens", "[\u{C}1]", .syntax, at: 1),
        Refusal("the line and column of a fault count code points", "{\n \"é🎉\": x}", .syntax, at: 13, line: 2, column: 8),
    ]

    static let scalars = [
        Refusal("NaN", "NaN", .syntax, at: 0),
        Refusal("Infinity", "[-Infinity]", .syntax, at: 2),
        Refusal("capitals", "True", .syntax, at: 0),
        Refusal("a literal cut short", "tru", .syntax, at: 0),
        Refusal("a literal that goes on", "nullx", .syntax, at: 4),
        Refusal("plus sign", "+1", .syntax, at: 0),
        Refusal("minus alone", "-", .syntax, at: 1),
        Refusal("leading zero", "01", .syntax, at: 1),
        Refusal("negative leading zero", "-01", .syntax, at: 2),
        Refusal("no digit before the point", ".5", .syntax, at: 0),
        Refusal("no digit after the point", "1.", .syntax, at: 2),
        Refusal("no digit in the exponent", "1e+", .syntax, at: 3),
        Refusal("two points", "1.2.3", .syntax, at: 3),
        Refusal("hexadecimal", "0x10", .syntax, at: 1),
        Refusal("digits of another script", "١", .syntax, at: 0),
        Refusal("line feed in a string", "\"a\nb\"", .syntax, at: 2),
        Refusal("NUL in a string", "\"a\u{0}b\"", .syntax, at: 2),
        Refusal("control character after an escape", "\"\\n\u{1F}\"", .syntax, at: 3),
        Refusal("unknown escape", #""\x41""#, .syntax, at: 1),
        Refusal("an escape cut short", "\"\\", .syntax, at: 1),
        Refusal("three hexadecimal digits", #""\u12g4""#, .syntax, at: 1),
        Refusal("a sign among hexadecimal digits", #""\u+123""#, .syntax, at: 1),
        Refusal("a bad second half", #""\ud83c\u12""#, .syntax, at: 7),
    ]

    static let encodings = [
        Refusal("lone leading surrogate", #"["a\ud83c"]"#, .encoding, at: 3),
        Refusal("lone trailing surrogate", #""\udf89""#, .encoding, at: 1),
        Refusal("leading surrogate twice", #""\ud83c\ud83c""#, .encoding, at: 1),
        Refusal("leading surrogate before a letter", #""\ud83c\u0041""#, .encoding, at: 1),
        Refusal("surrogate in a name", #"{"\ud800":1}"#, .encoding, at: 2),
        Refusal("UTF-8 mark", [0xEF, 0xBB, 0xBF, 0x31], .encoding, at: 0),
        Refusal("UTF-16 with a mark, big end", [0xFE, 0xFF, 0x00, 0x31], .encoding, at: 0),
        Refusal("UTF-16 with a mark, little end", [0xFF, 0xFE, 0x31, 0x00], .encoding, at: 0),
        Refusal("UTF-16, big end", [0x00, 0x7B, 0x00, 0x7D], .encoding, at: 0),
        Refusal("UTF-16, little end", [0x7B, 0x00, 0x7D, 0x00], .encoding, at: 0),
        Refusal("UTF-32, big end", [0x00, 0x00, 0x00, 0x31], .encoding, at: 0),
        Refusal("Latin-1", [0x22, 0xE9, 0x22], .encoding, at: 1),
        Refusal("continuation byte alone", [0x22, 0x80, 0x22], .encoding, at: 1),
        Refusal("two bytes cut short", [0x22, 0xC3, 0x22], .encoding, at: 1),
        Refusal("three bytes cut short", [0x22, 0xE2, 0x82, 0x22], .encoding, at: 1),
        Refusal("four bytes cut short by the end", [0x22, 0xF0, 0x9F, 0x8E], .encoding, at: 1),
        Refusal("overlong /, two bytes", [0x22, 0xC0, 0xAF, 0x22], .encoding, at: 1),
        Refusal("overlong /, three bytes", [0x22, 0xE0, 0x80, 0xAF, 0x22], .encoding, at: 1),
        Refusal("overlong /, four bytes", [0x22, 0xF0, 0x80, 0x80, 0xAF, 0x22], .encoding, at: 1),
        Refusal("overlong NUL", [0x22, 0xC0, 0x80, 0x22], .encoding, at: 1),
        Refusal("surrogate as three bytes", [0x22, 0xED, 0xA0, 0x80, 0x22], .encoding, at: 1),
        Refusal("beyond U+10FFFF", [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], .encoding, at: 1),
        Refusal("byte F5", [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], .encoding, at: 1),
        Refusal("after an escape", [0x22, 0x5C, 0x6E, 0xFF, 0x22], .encoding, at: 3),
        Refusal("outside a string", [0x5B, 0xFF, 0x5D], .encoding, at: 1),
        Refusal("behind the value", [0x31, 0xFF], .encoding, at: 1),
    ]

    static let duplicates = [
        Refusal("same name", #"{"a":1,"a":2}"#, .duplicateKey, at: 7, pointer: "#/a"),
        Refusal("same name by an escape", #"{"a":1,"\u0061":2}"#, .duplicateKey, at: 7, pointer: "#/a"),
        Refusal("same name, composed otherwise", "{\"\u{E9}\":1,\"e\u{301}\":2}", .duplicateKey, at: 8, column: 8, pointer: "#/e%CC%81"),
        Refusal("empty name", #"{"":1,"":2}"#, .duplicateKey, at: 6, pointer: "#/"),
        Refusal("inside", #"{"a":[0,{"b":{"c":1,"c":2}}]}"#, .duplicateKey, at: 20, pointer: "#/a/1/b/c"),
        Refusal("a pointer's own characters", #"[{"a/b~c d%":{"x":0,"x":0}}]"#, .duplicateKey, at: 20, pointer: "#/0/a~1b~0c%20d%25/x"),
    ]

    static let limits = [
        Refusal("33 levels of arrays", String(repeating: "[", count: 33), .tooDeep, at: 32),
        Refusal("33 levels of objects", String(repeating: #"{"a":"#, count: 33), .tooDeep, at: 160),
        Refusal("100,000 levels", String(repeating: "[", count: 100_000), .tooDeep, at: 32),
        Refusal("10,001 elements", "[0" + String(repeating: ",0", count: 10_000) + "]", .tooLarge, at: 20_001),
        Refusal("10,001 members", object(10_001), .tooLarge, at: object(10_000).utf8.count),
    ]

    /// An object of so many members with different names.
    private static func object(_ count: Int) -> String { "{" + (0..<count).map { "\"\($0)\":0" }.joined(separator: ",") + "}" }

    @Test("a text that is not strict JSON is refused, with the place", arguments: structure + scalars + encodings + duplicates + limits)
    func refuses(_ refusal: Refusal) {
        let error = #expect(throws: JSONError.self) { try JSON.parse(refusal.bytes) }
        #expect(error?.code == refusal.code)
        #expect(error?.offset == refusal.offset)
        #expect(error?.line == refusal.line)
        #expect(error?.column == refusal.column)
        #expect(error?.pointer == refusal.pointer)
    }

    @Test("a duplicate is found among many members too")
    func duplicateAmongMany() throws {
        let names = (0..<40).map { "\"k\($0)\":0" } + [#""k20":1"#]
        let error = #expect(throws: JSONError.self) { try JSON.parse(Array("{\(names.joined(separator: ","))}".utf8)) }
        #expect(error?.pointer == "#/k20")
    }

    static let accepted: [(String, JSON)] = [
        ("null", .null), (" true\r\n", .bool(true)), ("\tfalse", .bool(false)),
        ("0", .number("0")), ("-0", .number("-0")), ("-12.50e+007", .number("-12.50e+007")), ("1E400", .number("1E400")),
        ("123456789012345678901234567890", .number("123456789012345678901234567890")),
        (#""""#, .string("")), (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
        (#""\u0000\u00e9\u00E9\uFFFF""#, .string("\u{0}éé\u{FFFF}")), (#""a\ud83c\udf89b""#, .string("a🎉b")),
        ("\"é\u{7FF}\u{800}€\u{D7FF}\u{E000}🎉\u{10FFFF}\u{FEFF}\u{7F}\"", .string("é\u{7FF}\u{800}€\u{D7FF}\u{E000}🎉\u{10FFFF}\u{FEFF}\u{7F}")),
        ("{}", .object([])), ("[ ]", .array([])), ("[[],{}]", .array([.array([]), .object([])])),
        (
            #"{"b" : [1, "x", null] , "a" : {"b" : true}}"#,
            .object([
                .init("b", .array([.number("1"), .string("x"), .null])), .init("a", .object([.init("b", .bool(true))])),
            ])
        ),
    ]

    @Test("strict JSON is read as it stands, members in their order", arguments: accepted)
    func accepts(_ text: String, _ value: JSON) throws {
        #expect(try JSON.parse(Array(text.utf8)) == value)
    }

    @Test("the limits are the last sizes that pass")
    func passesLimits() throws {
        let deep = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        _ = try JSON.parse(Array(deep.utf8))
        #expect(try JSON.parse(Array(JSONReaderTests.object(10_000).utf8)).members?.count == 10_000)
        let wide = Array("[[1,2],[3]]".utf8)
        _ = try JSON.parse(wide, limits: JSONLimits(depth: 2, members: 5))
        #expect(throws: JSONError.self) { try JSON.parse(wide, limits: JSONLimits(depth: 2, members: 4)) }
        #expect(throws: JSONError.self) { try JSON.parse(wide, limits: JSONLimits(depth: 1, members: 5)) }
    }
}
