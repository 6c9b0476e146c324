import Crypto

/// Where a device stands in the feed: opaque to it, authenticated, and good for one token only.
package struct Cursor: Sendable, Hashable {
    /// What the cursor knows of one audience.
    package struct Place: Sendable, Hashable {
        /// Rows up to this seq are consumed.
        package var pos: Int64
        /// The head when the audience was joined: NULL rows up to it were never held.
        package var base: Int64
        /// While the audience is being left: the highest head that the device had read when it lost the audience.
        package var had: Int64?
    }

    package var epoch: String
    /// The highest head that any page or repair behind this cursor has read.
    package var seen: Int64
    /// What the pull was filtered to; empty for everything.
    package var types: [RecordType]
    /// By audience number.
    package var places: [Int64: Place]

    package enum Failure: Error { case invalid }

    /// Bytes of the authentication code that are kept: 128 bits.
    private static let codeLength = 16

    /// - Parameter holder: the token's id, so that nobody reads on where another device stands.
    package func sealed(with key: HMACKey, for holder: Identifier<Token>?) -> String {
        var bytes: [UInt8] = [1, UInt8(truncatingIfNeeded: epoch.utf8.count)]
        bytes += epoch.utf8
        bytes.appendVarint(seen)
        bytes.appendVarint(Int64(types.count))
        for type in types { bytes.appendVarint(Int64(RecordType.allCases.firstIndex(of: type) ?? 0)) }
        for (number, place) in places.sorted(by: { $0.key < $1.key }) {
            bytes.appendVarint(number)
            bytes.appendVarint(place.pos)
            bytes.appendVarint(place.base)
            bytes.appendVarint(place.had.map { $0 + 1 } ?? 0)
        }
        bytes += Self.code(bytes, key, holder)
        return Base64URL.encode(bytes)
    }

    /// - Throws: `.invalid` for a text that this server did not make for this holder.
    package init(sealed text: String, key: HMACKey, for holder: Identifier<Token>?) throws(Failure) {
        guard text.utf8.count <= 8192, let bytes = Base64URL.decode(text), bytes.count > Self.codeLength + 2 else { throw .invalid }
        let payload = Array(bytes.dropLast(Self.codeLength))
        guard Crypto.constantTimeEqual(Self.code(payload, key, holder), Array(bytes.suffix(Self.codeLength))) else { throw .invalid }
        var reader = VarintReader(payload)
        guard reader.byte() == 1, let length = reader.byte(), let epoch = reader.text(Int(length)), let seen = reader.varint(), let count = reader.varint() else { throw .invalid }
        var types: [RecordType] = []
        for _ in 0..<min(count, 256) {
            guard let index = reader.varint(), index < RecordType.allCases.count else { throw .invalid }
            types.append(RecordType.allCases[Int(index)])
        }
        var places: [Int64: Place] = [:]
        while !reader.isAtEnd {
            guard let number = reader.varint(), let pos = reader.varint(), let base = reader.varint(), let had = reader.varint() else { throw .invalid }
            places[number] = Place(pos: pos, base: base, had: had == 0 ? nil : had - 1)
        }
        (self.epoch, self.seen, self.types, self.places) = (epoch, seen, types, places)
    }

    /// A cursor for somebody who holds nothing yet, at this head.
    package init(epoch: String, seen: Int64, types: [RecordType]) {
        (self.epoch, self.seen, self.types, places) = (epoch, seen, types, [:])
    }

    /// The cursor of a device that holds all that these audiences show at this head.
    package init(epoch: String, at head: Int64, types: [RecordType], audiences: [Int64]) {
        self.init(epoch: epoch, seen: head, types: types)
        for number in audiences { places[number] = Place(pos: head, base: head, had: nil) }
    }

    /// The cursor of a device that has everything up to `head` in all its audiences.
    package func moved(to head: Int64) -> Cursor {
        var cursor = self
        cursor.seen = max(seen, head)
        cursor.places = places.mapValues { _ in Place(pos: head, base: head, had: nil) }
        return cursor
    }

    private static func code(_ payload: [UInt8], _ key: HMACKey, _ holder: Identifier<Token>?) -> [UInt8] {
        Array(key.code(of: payload + Array((holder?.text ?? "public").utf8)).prefix(codeLength))
    }
}

/// Base 64 for addresses, without padding (RFC 4648 section 5).
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    package static func encode(_ bytes: [UInt8]) -> String {
        let count = (bytes.count * 4 + 2) / 3
        return String(unsafeUninitializedCapacity: count) { text in
            var (word, bits, length) = (0, 0, 0)
            for byte in bytes {
                word = (word << 8 | Int(byte)) & 0xFFFF
                bits += 8
                while bits >= 6 {
                    bits -= 6
                    text[length] = alphabet[word >> bits & 63]
                    length += 1
                }
            }
            if bits > 0 {
                text[length] = alphabet[word << (6 - bits) & 63]
                length += 1
            }
            return length
        }
    }

    /// - Returns: nil for other letters, a wrong length, or bits that no encoder leaves set.
    package static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count * 3 / 4)
        var word: UInt32 = 0
        var bits = 0
        for letter in text.utf8 {
            let value = values[Int(letter)]
            guard value < 64 else { return nil }
            word = word << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
                word &= (1 << UInt32(bits)) - 1
            }
        }
        return bits < 6 && word == 0 ? bytes : nil
    }
}

extension [UInt8] {
    /// LEB128 of a number that is not negative.
    fileprivate mutating func appendVarint(_ value: Int64) {
        var rest = UInt64(bitPattern: value)
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

private struct VarintReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func text(_ count: Int) -> String? {
        guard bytes.count - position >= count else { return nil }
        defer { position += count }
        return String(decoding: bytes[position..<position + count], as: UTF8.self)
    }

    /// - Returns: nil for more than 63 bits.
    mutating func varint() -> Int64? {
        var value: Int64 = 0
        var shift: Int64 = 0
        while let byte = byte(), shift < 63 {
            value |= Int64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }
}
