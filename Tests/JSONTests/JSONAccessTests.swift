import JSON
import Testing

@Suite struct JSONAccessTests {
    @Test("a value answers for its own kind only")
    func kinds() throws {
        let value = try JSON.parse(Array(#"{"s":"x","b":true,"n":null,"i":12,"a":[1]}"#.utf8))
        #expect(value["s"]?.stringValue == "x")
        #expect(value["b"]?.boolValue == true)
        #expect(value["n"]?.isNull == true)
        #expect(value["i"]?.integerValue == 12)
        #expect(value["a"]?.elements == [.number("1")])
        #expect(value.members?.map(\.name) == ["s", "b", "n", "i", "a"])
        #expect(value["absent"] == nil)
        #expect(value["s"]?["x"] == nil)
        #expect(value["i"]?.stringValue == nil)
        #expect(value["s"]?.integerValue == nil)
        #expect(value.elements == nil)
    }

    static let integers: [(String, Int64?)] = [
        ("0", 0), ("-1", -1), ("9007199254740991", 9_007_199_254_740_991), ("-9007199254740991", -9_007_199_254_740_991),
        ("9007199254740992", nil), ("-9223372036854775808", nil), ("123456789012345678901234567890", nil),
        ("-0", nil), ("1.0", nil), ("1e3", nil), ("1e400", nil), ("0.5", nil),
    ]

    @Test("a number is an integer only if every reader keeps it as one", arguments: integers)
    func integer(_ text: String, _ expected: Int64?) throws {
        #expect(try JSON.parse(Array(text.utf8)).integerValue == expected)
    }
}
