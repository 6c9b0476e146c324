/// Writes JSON bytes, without spaces, in the order of the calls; commas are its own business.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(reserving capacity: Int = 512) { bytes.reserveCapacity(capacity) }

    package mutating func beginObject() { open(0x7B) }
    package mutating func endObject() { close(0x7D) }
    package mutating func beginArray() { open(0x5B) }
    package mutating func endArray() { close(0x5D) }

    /// The name of the next value. Names are ours, plain ASCII without quotes.
    package mutating func key(_ name: String) {
        separate()
        bytes.append(0x22)
        bytes.append(contentsOf: name.utf8)
        bytes.append(0x22)
        bytes.append(0x3A)
        needsComma = false
    }

    /// The same of a name that is written often: its bytes, with quotes and colon.
    package mutating func key(quoted name: [UInt8]) {
        separate()
        bytes.append(contentsOf: name)
        needsComma = false
    }

    /// A text of this many bytes, made in place: ASCII that needs no escape.
    package mutating func string(ofLength length: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
        separate()
        bytes.append(0x22)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: length) { buffer in
            fill(buffer)
            bytes.append(contentsOf: UnsafeBufferPointer(buffer))
        }
        bytes.append(0x22)
    }

    /// Also escapes U+2028 and U+2029, which some readers of lines take for line ends: NDJSON must not break there.
    package mutating func string(_ text: String) {
        separate()
        bytes.append(0x22)
        var text = text
        text.withUTF8 { escaped($0) }
        bytes.append(0x22)
    }

    package mutating func integer(_ value: Int64) {
        separate()
        var magnitude = value.magnitude
        if magnitude < 10, value >= 0 { return bytes.append(0x30 + UInt8(magnitude)) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var first = 20
            repeat {
                first -= 1
                digits[first] = 0x30 + UInt8(magnitude % 10)
                magnitude /= 10
            } while magnitude > 0
            if value < 0 { bytes.append(0x2D) }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[first...]))
        }
    }

    package mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    package mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// A value that is JSON already.
    package mutating func raw(_ json: String) {
        separate()
        bytes.append(contentsOf: json.utf8)
    }

    package mutating func raw(_ json: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    /// A value as read; its numbers keep their characters. Calls itself, so its depth is what `JSONLimits` allowed.
    package mutating func value(_ value: JSON) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .number(let text): raw(text)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let members):
            beginObject()
            for member in members {
                string(member.name)
                bytes.append(0x3A)
                needsComma = false
                self.value(member.value)
            }
            endObject()
        }
    }

    package mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    package mutating func member(_ name: String, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    package mutating func member(_ name: String, _ value: Int) {
        key(name)
        integer(Int64(value))
    }

    package mutating func member(_ name: String, _ value: Bool) {
        key(name)
        bool(value)
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(0x2C) }
        needsComma = true
    }

    /// Appends the text in stretches that need no escape: nearly every text is one.
    private mutating func escaped(_ utf8: UnsafeBufferPointer<UInt8>) {
        var done = 0
        for index in utf8.indices where JSONWriter.mayNeedEscape(utf8[index]) {
            guard let (escape, length) = JSONWriter.escape(utf8[index...]) else { continue }
            bytes.append(contentsOf: utf8[done..<index])
            bytes.append(contentsOf: escape.utf8)
            done = index + length
        }
        bytes.append(contentsOf: utf8[done...])
    }

    private static func mayNeedEscape(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<0x20, 0x22, 0x5C: true
        case 0xE2: true  // starts U+2028, and a lot of harmless punctuation
        default: false
        }
    }

    /// The escape of the character at the start of `rest` and the length of that character, or nil if it needs none.
    private static func escape(_ rest: Slice<UnsafeBufferPointer<UInt8>>) -> (String, Int)? {
        switch rest.first {
        case 0x22: ("\\\"", 1)
        case 0x5C: ("\\\\", 1)
        case 0x0A: ("\\n", 1)
        case 0x0D: ("\\r", 1)
        case 0x09: ("\\t", 1)
        case let byte? where byte < 0x20: ("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16), 1)
        default:
            if rest.starts(with: [0xE2, 0x80, 0xA8]) { ("\\u2028", 3) }
            else if rest.starts(with: [0xE2, 0x80, 0xA9]) { ("\\u2029", 3) }
            else { nil }
        }
    }
}
