import Text

/// Why bytes are not the JSON that we accept, and where.
package struct JSONError: Error, Sendable, Equatable {
    /// The raw value is the stable `code` of the problem that the client sees.
    package enum Code: String, Sendable, CaseIterable {
        /// Not JSON by the grammar of RFC 8259.
        case syntax = "json.syntax"
        /// Two members of one object have the same name (RFC 7493 section 2.3); `pointer` says which.
        case duplicateKey = "json.duplicate-key"
        case tooDeep = "json.too-deep"
        case tooLarge = "json.too-large"
        /// Not UTF-8, or a `\u` escape that is half of a surrogate pair, or a byte order mark.
        case encoding = "json.encoding"
        /// Nothing but white space.
        case empty = "json.empty"
    }

    package let code: Code
    /// The byte at fault, from 0; the length of the text where it ends too early.
    package let offset: Int
    /// From 1; a line ends with a line feed.
    package let line: Int
    /// From 1, in code points.
    package let column: Int
    /// The second of the two members, as a JSON Pointer in its form as URI fragment (RFC 6901 section 6): `#/a/0/b`.
    /// Nil for every other code.
    package let pointer: String?
    /// What is wrong; it quotes no value, a duplicate's pointer its name.
    package let detail: Bilingual
}

extension JSONError {
    /// Finds line and column of `offset`; only a failing text pays for that.
    init(_ code: Code, in text: [UInt8], at offset: Int, pointer: String? = nil, en: String, fr: String) {
        var line = 1
        var column = 1
        for byte in text.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {  // not a continuation byte: one more code point begins
                column += 1
            }
        }
        self.init(code: code, offset: offset, line: line, column: column, pointer: pointer, detail: Bilingual(en: en, fr: fr))
    }
}
