extension JSON {
    /// Reads one JSON text: RFC 8259 by the letter, and of RFC 7493 that it is UTF-8 with unique names. `\u0000` and numbers
    /// of any size pass, since what a field may hold is the field's rule.
    ///
    /// - Throws: the first fault in the order of the bytes.
    package static func parse(_ bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONError) -> JSON {
        var reader = JSONReader(bytes, limits: limits)
        return try reader.document()
    }
}

/// Reads in one pass, with the open arrays and objects on a stack of its own instead of calls.
struct JSONReader {
    let bytes: [UInt8]
    var index = 0
    private let limits: JSONLimits
    private var members = 0
    private var open: [Container] = []

    init(_ bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The byte to read next, nil at the end.
    var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func document() throws(JSONError) -> JSON {
        try refuseOtherEncodings()
        skipSpace()
        guard next != nil else { throw fault(.empty, en: "there is nothing but white space", fr: "il n'y a que des espaces") }
        while true {
            guard let value = try scalarOrOpening() else { continue }
            if let root = try place(value) {
                guard next == nil else { throw unexpected(en: "the end of the text", fr: "la fin du texte") }
                return root
            }
        }
    }

    // MARK: Structure

    /// Reads a scalar or an empty container. Answers nil after an opening bracket (and an object's first name): the next
    /// value is then inside it.
    private mutating func scalarOrOpening() throws(JSONError) -> JSON? {
        if let top = open.last, !top.isObject { try count(at: index) }
        switch next {
        case UInt8(ascii: "{"):
            try enter(isObject: true)
            if next == UInt8(ascii: "}") { return leave() }
            try name()
            return nil
        case UInt8(ascii: "["):
            try enter(isObject: false)
            return next == UInt8(ascii: "]") ? leave() : nil
        case UInt8(ascii: "\""):
            return .string(try string())
        case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
            return .number(try number())
        case UInt8(ascii: "t"):
            return try literal("true", .bool(true))
        case UInt8(ascii: "f"):
            return try literal("false", .bool(false))
        case UInt8(ascii: "n"):
            return try literal("null", .null)
        default:
            throw unexpected(en: "a value", fr: "une valeur")
        }
    }

    /// Puts a finished value where it belongs and goes on to where the next one starts, closing every container that ends
    /// on the way. Answers the value if nothing is open around it: it is the whole text.
    private mutating func place(_ value: JSON) throws(JSONError) -> JSON? {
        var value = value
        while let top = open.indices.last {
            let isObject = open[top].isObject
            open[top].append(value)
            skipSpace()
            switch next {
            case UInt8(ascii: ","):
                index += 1
                skipSpace()
                if isObject { try name() }
                return nil
            case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
                value = leave()
            default:
                throw unexpected(en: "a comma or \(isObject ? "}" : "]")", fr: "une virgule ou \(isObject ? "}" : "]")")
            }
        }
        skipSpace()
        return value
    }

    private mutating func enter(isObject: Bool) throws(JSONError) {
        guard open.count < limits.depth else { throw fault(.tooDeep, en: "more than \(limits.depth) levels", fr: "plus de \(limits.depth) niveaux") }
        open.append(Container(isObject: isObject))
        index += 1
        skipSpace()
    }

    /// Passes the closing bracket. Only called with a container open.
    private mutating func leave() -> JSON {
        index += 1
        return open.removeLast().value
    }

    /// Reads a member's name and its colon.
    private mutating func name() throws(JSONError) {
        guard next == UInt8(ascii: "\"") else { throw unexpected(en: "a member's name in quotes", fr: "un nom de membre entre guillemets") }
        let start = index
        try count(at: start)
        let name = try string()
        guard open[open.count - 1].takeName(name) else {
            let path = open.dropLast().map(\.step) + [name]
            throw JSONError(.duplicateKey, in: bytes, at: start, pointer: JSON.pointer(path), en: "this object has this name already", fr: "cet objet a déjà ce nom")
        }
        skipSpace()
        guard next == UInt8(ascii: ":") else { throw unexpected(en: "a colon", fr: "deux-points") }
        index += 1
        skipSpace()
    }

    private mutating func count(at offset: Int) throws(JSONError) {
        members += 1
        guard members <= limits.members else {
            throw JSONError(.tooLarge, in: bytes, at: offset, en: "more than \(limits.members) members and elements", fr: "plus de \(limits.members) membres et éléments")
        }
    }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    // MARK: Faults

    func fault(_ code: JSONError.Code, en: String, fr: String) -> JSONError { JSONError(code, in: bytes, at: index, en: en, fr: fr) }

    /// The fault of a byte that cannot be here; if it is not even UTF-8, that is the fault.
    private func unexpected(en: String, fr: String) -> JSONError {
        guard let byte = next else { return fault(.syntax, en: "the text ends where \(en) should be", fr: "le texte finit là où il faut \(fr)") }
        if byte >= 0x80, utf8Length(at: index) == nil { return fault(.encoding, en: "this is not UTF-8", fr: "ce n'est pas de l'UTF-8") }
        return fault(.syntax, en: "here should be \(en)", fr: "il faut ici \(fr)")
    }

    /// UTF-16 and UTF-32 show by a NUL among the first two bytes, because a JSON text starts with an ASCII character
    /// (RFC 4627 section 3); with a mark they, like UTF-8, start with EF, FE or FF.
    private func refuseOtherEncodings() throws(JSONError) {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) || bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
            throw fault(.encoding, en: "a byte order mark has no place in JSON", fr: "une marque d'ordre des octets n'a pas sa place en JSON")
        }
        if bytes.count > 1, bytes.prefix(2).contains(0) { throw fault(.encoding, en: "this is UTF-16 or UTF-32, not UTF-8", fr: "c'est de l'UTF-16 ou de l'UTF-32, pas de l'UTF-8") }
    }
}

/// An array or object whose end is not read yet.
private struct Container {
    let isObject: Bool
    private var elements: [JSON] = []
    private var members: [JSON.Member] = []
    private var name = ""
    private var names: Set<String> = []

    init(isObject: Bool) { self.isObject = isObject }

    var value: JSON { isObject ? .object(members) : .array(elements) }

    /// The part of a JSON Pointer that leads from here to the value being read.
    var step: String { isObject ? name : String(elements.count) }

    mutating func append(_ value: JSON) {
        if isObject { members.append(JSON.Member(name, value)) } else { elements.append(value) }
    }

    /// Takes the next member's name; false if the object has it already. Compared as Swift compares strings, where é is é however it
    /// is composed: so does everybody who looks a member up, and would find only one of the two.
    mutating func takeName(_ name: String) -> Bool {
        self.name = name
        // Few names are compared faster than hashed, and most objects have few.
        if members.count < 16 { return !members.contains { $0.name == name } }
        if names.isEmpty { names = Set(members.map(\.name)) }
        return names.insert(name).inserted
    }
}
