import SQLite

/// A record's id: a UUID (RFC 9562), always written lower-case. `Of` only keeps the ids of two types apart.
package struct Identifier<Of>: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The same id for another type: a token of a co-op names the audience of that co-op.
    package init<Other>(_ other: Identifier<Other>) { self.init(high: other.high, low: other.low) }

    /// - Returns: nil unless the text is 36 characters, lower-case, with hyphens at their places.
    package init?(_ text: some StringProtocol) { self.init(utf8: text.utf8) }

    init?(utf8 text: some Sequence<UInt8>) {
        guard let parsed = text.withContiguousStorageIfAvailable({ Self(bytes: $0) }) ?? Array(text).withUnsafeBufferPointer({ Self(bytes: $0) })
        else { return nil }
        self = parsed
    }

    private init?(bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == 36, bytes[8] == 0x2D, bytes[13] == 0x2D, bytes[18] == 0x2D, bytes[23] == 0x2D else { return nil }
        // Without a branch a digit, which no processor could foretell.
        var isHexadecimal = true
        func append(_ range: Range<Int>, to number: inout UInt64) {
            for index in range {
                let (digit, letter) = (bytes[index] &- 0x30, bytes[index] &- 0x61)
                isHexadecimal = isHexadecimal && (digit < 10 || letter < 6)
                number = number << 4 | UInt64((digit < 10 ? digit : letter &+ 10) & 15)
            }
        }
        var (high, low): (UInt64, UInt64) = (0, 0)
        append(0..<8, to: &high)
        append(9..<13, to: &high)
        append(14..<18, to: &high)
        append(19..<23, to: &low)
        append(24..<36, to: &low)
        self.init(high: high, low: low)
        guard isHexadecimal else { return nil }
    }

    package var text: String {
        String(unsafeUninitializedCapacity: Self.length) { buffer in
            fill(buffer)
            return Self.length
        }
    }

    static var length: Int { 36 }

    /// Writes the text's bytes.
    func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        var position = 0
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 {
                buffer[position] = 0x2D
                position += 1
            }
            let half = index < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: half >> UInt64((15 - index % 16) * 4)) & 15
            buffer[position] = digit < 10 ? 0x30 + digit : 0x61 + digit - 10
            position += 1
        }
    }

    package var value: Value { .text(text) }
}

extension Identifier: CustomStringConvertible {
    package var description: String { text }
}

extension Statement {
    func bind<Of>(_ index: Int, _ id: Identifier<Of>?) throws(DatabaseError) {
        guard let id else { return try bind(index, .null) }
        try bind(index, textOfLength: Identifier<Of>.length, id.fill)
    }

    /// - Returns: nil where the column holds no id.
    func identifier<Of>(_ column: Int) -> Identifier<Of>? { withUTF8(column) { Identifier(utf8: $0) } }
}
