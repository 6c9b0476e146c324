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
        var high: UInt64 = 0
        var low: UInt64 = 0
        var count = 0
        for byte in text {
            defer { count += 1 }
            if count == 8 || count == 13 || count == 18 || count == 23 {
                guard byte == 0x2D else { return nil }
                continue
            }
            let digit: UInt64
            switch byte {
            case 0x30...0x39: digit = UInt64(byte - 0x30)
            case 0x61...0x66: digit = UInt64(byte - 0x61 + 10)
            default: return nil
            }
            if count < 18 { high = high << 4 | digit } else { low = low << 4 | digit }
            guard count < 36 else { return nil }
        }
        guard count == 36 else { return nil }
        self.init(high: high, low: low)
    }

    package var text: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
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
            return 36
        }
    }

    package var value: Value { .text(text) }
}

extension Identifier: CustomStringConvertible {
    package var description: String { text }
}
