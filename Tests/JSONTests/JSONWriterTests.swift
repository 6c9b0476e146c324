import JSON
import Testing

@Suite struct JSONWriterTests {
    private func written(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    static let strings: [(String, String)] = [
        ("", #""""#), ("Hélène 🎉", #""Hélène 🎉""#), (#"a"b\c/d"#, #""a\"b\\c/d""#), ("\n\r\t", #""\n\r\t""#),
        ("\u{0}\u{8}\u{1F}", #""\u0000\u0008\u001f""#), ("\u{7F}", "\"\u{7F}\""),
        ("a\u{2028}b\u{2029}", #""a\u2028b\u2029""#), ("l’idée – « ça »…", #""l’idée – « ça »…""#), ("\u{2027}\u{202A}", "\"\u{2027}\u{202A}\""),
        ("é\"", #""é\"""#), ("\"", #""\"""#),
    ]

    @Test("a string has the escapes that it needs and no other", arguments: strings)
    func string(_ text: String, _ expected: String) throws {
        #expect(written { $0.string(text) } == expected)
        #expect(try JSON.parse(Array(expected.utf8)) == .string(text))
    }

    @Test("an integer has its digits", arguments: [0, 7, -7, 10, 99, -100, 1 << 53, .max, .min] as [Int64])
    func integer(_ value: Int64) {
        #expect(written { $0.integer(value) } == String(value))
    }

    @Test("containers nest, empty ones too, with commas only between")
    func nesting() {
        let text = written {
            $0.beginObject()
            $0.key("a")
            $0.beginArray()
            $0.beginArray()
            $0.endArray()
            $0.beginObject()
            $0.endObject()
            $0.integer(1)
            $0.bool(true)
            $0.null()
            $0.raw(#"{"x":0}"#)
            $0.raw(Array("2".utf8))
            $0.string("s")
            $0.endArray()
            $0.member("b", "t")
            $0.member("c", nil as String?)
            $0.member("d", 3)
            $0.member("e", false)
            $0.endObject()
        }
        #expect(text == #"{"a":[[],{},1,true,null,{"x":0},2,"s"],"b":"t","c":null,"d":3,"e":false}"#)
    }

    static let texts = [
        #"{"é\"\\":[1.50,-0,1e400,"\u0000",[],{},[{}],null,true,false],"":{"a":{"b":"🎉"}}}"#, "[]", "{}", #""x""#, "12",
    ]

    @Test("what is read and written again is the same text", arguments: texts)
    func roundTrip(_ text: String) throws {
        let value = try JSON.parse(Array(text.utf8))
        #expect(written { $0.value(value) } == text)
    }
}
