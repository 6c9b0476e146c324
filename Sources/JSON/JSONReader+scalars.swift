extension JSONReader {
    /// Reads a string, from its opening to behind its closing quote.
    mutating func string() throws(JSONError) -> String {
        index += 1
        let start = index
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                let text = String(decoding: bytes[start..<index], as: UTF8.self)
                index += 1
                return text
            case UInt8(ascii: "\\"):
                return try stringWithEscapes(from: start)
            default:
                try passCharacter(byte)
            }
        }
        throw fault(.syntax, en: "the text ends inside a string", fr: "le texte finit à l'intérieur d'une chaîne")
    }

    /// The rest of a string from its first backslash on; `start` is behind the opening quote.
    private mutating func stringWithEscapes(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<index])
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text.append(contentsOf: String(try escape()).utf8)
            default:
                let from = index
                try passCharacter(byte)
                text.append(contentsOf: bytes[from..<index])
            }
        }
        throw fault(.syntax, en: "the text ends inside a string", fr: "le texte finit à l'intérieur d'une chaîne")
    }

    private mutating func passCharacter(_ first: UInt8) throws(JSONError) {
        if first >= 0x80 {
            guard let length = utf8Length(at: index) else { throw fault(.encoding, en: "this is not UTF-8", fr: "ce n'est pas de l'UTF-8") }
            index += length
        } else {
            guard first >= 0x20 else { throw fault(.syntax, en: "a control character has to be escaped", fr: "un caractère de contrôle doit être échappé") }
            index += 1
        }
    }

    /// Reads `\n`, `\u00e9` or a pair `\ud83c\udf89`. A fault points at the backslash of the escape that is wrong.
    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = index
        index += 1
        let kind = next
        index += 1
        switch kind {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            guard let unit = hexadecimalUnit() else { break }
            if let scalar = Unicode.Scalar(unit) { return scalar }
            if UTF16.isLeadSurrogate(unit), let pair = try trailSurrogate(after: unit) { return pair }
            index = start
            throw fault(.encoding, en: "half of a surrogate pair is no character", fr: "la moitié d'une paire de substitution n'est pas un caractère")
        default: break
        }
        index = start
        throw fault(.syntax, en: "this escape does not exist", fr: "cet échappement n'existe pas")
    }

    /// Reads the escape of the second half of a pair; nil, at an undefined place, if there is no such half.
    private mutating func trailSurrogate(after lead: UInt16) throws(JSONError) -> Unicode.Scalar? {
        let start = index
        guard next == UInt8(ascii: "\\"), byte(at: index + 1) == UInt8(ascii: "u") else { return nil }
        index += 2
        guard let trail = hexadecimalUnit() else {
            index = start
            throw fault(.syntax, en: "this escape does not exist", fr: "cet échappement n'existe pas")
        }
        guard UTF16.isTrailSurrogate(trail) else { return nil }
        return Unicode.Scalar(0x10000 + UInt32(lead & 0x3FF) << 10 + UInt32(trail & 0x3FF))
    }

    /// Reads four hexadecimal digits; nil, at an undefined place, if they are not there.
    private mutating func hexadecimalUnit() -> UInt16? {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            switch next {
            case let digit? where (0x30...0x39).contains(digit): unit = unit << 4 | UInt16(digit - 0x30)
            case let digit? where (0x41...0x46).contains(digit): unit = unit << 4 | UInt16(digit - 0x37)
            case let digit? where (0x61...0x66).contains(digit): unit = unit << 4 | UInt16(digit - 0x57)
            default: return nil
            }
            index += 1
        }
        return unit
    }

    /// Reads a number by the grammar and answers its characters: what they are worth is for the field to say.
    mutating func number() throws(JSONError) -> String {
        let start = index
        if next == UInt8(ascii: "-") { index += 1 }
        if next == UInt8(ascii: "0") { index += 1 } else { try digits() }
        if next == UInt8(ascii: ".") {
            index += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func digits() throws(JSONError) {
        let start = index
        while let byte = next, (0x30...0x39).contains(byte) { index += 1 }
        guard index > start else { throw fault(.syntax, en: "here should be a digit", fr: "il faut ici un chiffre") }
    }

    mutating func literal(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let matches = word.withUTF8Buffer { bytes[index...].starts(with: $0) }
        guard matches else { throw fault(.syntax, en: "here should be a value", fr: "il faut ici une valeur") }
        index += word.utf8CodeUnitCount
        return value
    }

    private func byte(at index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    /// The length of the character of several bytes that starts here, or nil if this is not UTF-8 by table 3-7 of the
    /// Unicode Standard: overlong forms, surrogates and what is beyond U+10FFFF have second bytes outside its ranges.
    func utf8Length(at index: Int) -> Int? {
        let length: Int
        let second: ClosedRange<UInt8>
        switch byte(at: index) ?? 0 {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return nil
        }
        guard let next = byte(at: index + 1), second.contains(next) else { return nil }
        for place in 2..<4 where place < length {
            guard let byte = byte(at: index + place), byte & 0xC0 == 0x80 else { return nil }
        }
        return length
    }
}
