import Foundation

extension String {
    /// Canonical composition (Unicode NFC), the form in which text is stored and measured.
    package var nfc: String {
        // Nothing below U+0300 changes under composition (UAX #15, quick check), and French stays below: lead bytes up to 0xCB.
        utf8.allSatisfy { $0 < 0xCC } ? self : precomposedStringWithCanonicalMapping
    }

    /// The form in which text is searched: no case, no accent, ligatures apart, typographic apostrophes straight.
    ///
    /// `"Cœur d’Été"` becomes `"coeur d'ete"`.
    package var folded: String {
        if utf8.allSatisfy({ $0 < 0x80 }) {
            return String(unsafeUninitializedCapacity: utf8.count) { buffer in
                for (index, byte) in utf8.enumerated() { buffer[index] = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
                return utf8.count
            }
        }
        var plain: [UInt8] = []
        plain.reserveCapacity(utf8.count)
        for scalar in unicodeScalars {
            if scalar == "’" {
                plain.append(UInt8(ascii: "'"))
            } else if Int(scalar.value) < Self.foldedScalars.count {
                plain.append(contentsOf: Self.foldedScalars[Int(scalar.value)])
            } else {
                return foldedByFoundation
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    /// What Foundation makes of each scalar of the Latin blocks that French lives in; none of them combines with its neighbours.
    private static let foldedScalars = (0..<0x180).map { value in
        Unicode.Scalar(value).map { Array(String(Character($0)).foldedByFoundation.utf8) } ?? []
    }

    private var foldedByFoundation: String {
        var plain = folding(options: [.caseInsensitive, .diacriticInsensitive, .widthInsensitive], locale: nil)
        for (from, to) in [("œ", "oe"), ("æ", "ae"), ("ß", "ss"), ("’", "'"), ("ʼ", "'")] {
            plain = plain.replacingOccurrences(of: from, with: to)
        }
        return plain
    }
}

extension Unicode.Scalar {
    /// Scalars that have no business in a name or a paragraph: controls other than tab and line feed, directional overrides,
    /// zero-width characters, private use and non-characters. U+200D joins emoji and is let through.
    package var isForbiddenInText: Bool {
        switch value {
        case 0x09, 0x0A: false
        case 0...0x1F, 0x7F...0x9F: true
        case 0x200B, 0x200C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB: true
        case 0xE000...0xF8FF, 0xFDD0...0xFDEF, 0xF0000...0x10FFFF: true
        default: value & 0xFFFE == 0xFFFE
        }
    }
}
