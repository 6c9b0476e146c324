extension JSON {
    /// The value of an object's member; nil if it has none of that name or this is no object.
    package subscript(_ name: String) -> JSON? { members?.first { $0.name == name }?.value }

    package var members: [Member]? { if case .object(let members) = self { members } else { nil } }
    package var elements: [JSON]? { if case .array(let elements) = self { elements } else { nil } }
    package var stringValue: String? { if case .string(let text) = self { text } else { nil } }
    package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var isNull: Bool { self == .null }

    /// A number that is written as an integer and that every JSON reader keeps exactly (RFC 7493 section 2.2): ±(2^53 - 1).
    /// Nil for `1.0`, `1e3` and `-0` too, since a client that sends these means something else or rounds.
    package var integerValue: Int64? {
        guard case .number(let text) = self, text != "-0", let value = Int64(text) else { return nil }
        return value.magnitude < 1 << 53 ? value : nil
    }

    /// A JSON Pointer in its form as URI fragment (RFC 6901 section 6): `["a/b", "0"]` is `#/a~1b/0`.
    package static func pointer(_ path: [String]) -> String {
        var pointer: [UInt8] = [UInt8(ascii: "#")]
        for step in path {
            pointer.append(UInt8(ascii: "/"))
            for byte in step.utf8 {
                switch byte {
                case UInt8(ascii: "~"): pointer.append(contentsOf: "~0".utf8)
                case UInt8(ascii: "/"): pointer.append(contentsOf: "~1".utf8)
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: pointer.append(byte)
                // What RFC 3986 lets stand in a fragment, without the two above.
                case let byte where "-._!$&'()*+,;=:@?".utf8.contains(byte): pointer.append(byte)
                default:
                    let digits = Array("0123456789ABCDEF".utf8)
                    pointer += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                }
            }
        }
        return String(decoding: pointer, as: UTF8.self)
    }
}
