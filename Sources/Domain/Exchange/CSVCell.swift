import JSON

/// How a value stands in a cell, both ways.
enum CSVCell {
    /// The cell of a document's value; `import` makes the same value of it again.
    ///
    /// Null, and a value that the document hides, is nothing at all; an empty text is `""`. A list is its elements with `|`
    /// between, or JSON text where that would not come back the same.
    static func append(_ value: JSON?, to bytes: inout [UInt8]) {
        switch value {
        case nil, .null: break
        case .bool(let flag): bytes += flag ? "true".utf8 : "false".utf8
        case .number(let text), .string(let text): append(text, to: &bytes)
        case .array(let elements):
            if elements.isEmpty { return }
            if let joined = joined(elements) { append(joined, to: &bytes) } else { append(json(.array(elements)), to: &bytes) }
        case .object(let members): append(json(.object(members)), to: &bytes)
        }
    }

    /// A cell's value as a request would send it, for the rules of the field to judge; nil where the cell says nothing.
    static func value<R>(_ cell: CSVReader.Cell, for field: Field<R>) -> JSON? {
        let text = withoutGuard(cell.text)
        guard !text.isEmpty else {
            if field.cell == .list { return .array([]) }
            // Spreadsheets may quote every cell, so "" is an empty text only where the field may be one.
            var faults = Faults()
            if cell.isQuoted, field.cell == .text, field.parse(.string(""), "", &faults) != nil { return .string("") }
            return field.isNullable ? .null : nil
        }
        switch field.cell {
        case .text: return .string(text)
        case .integer: return text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? .number(text) : .string(text)
        case .flag: return flag(text).map { .bool($0) } ?? .string(text)
        case .json: return parsed(text) ?? .string(text)
        case .list:
            if text.hasPrefix("["), let list = parsed(text) { return list }
            return .array(elements(text).map { .string($0) })
        }
    }

    static func elements(_ text: String) -> [String] { text.split(separator: "|", omittingEmptySubsequences: false).map(String.init) }

    private static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "oui": true
        case "false", "0", "non": false
        default: nil
        }
    }

    private static func parsed(_ text: String) -> JSON? { try? JSON.parse(Array(text.utf8)) }

    private static func json(_ value: JSON) -> String {
        var json = JSONWriter()
        json.value(value)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func joined(_ elements: [JSON]) -> String? {
        let texts = elements.compactMap(\.stringValue)
        guard texts.count == elements.count, texts.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: "|")) }), texts.first?.hasPrefix("[") == false
        else { return nil }
        return texts.joined(separator: "|")
    }

    // MARK: Text

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        let guarded = isFormula(text) ? "'" + text : text
        guard guarded.isEmpty || guarded.utf8.contains(where: { ",;\"\r\n".utf8.contains($0) }) else {
            bytes += guarded.utf8
            return
        }
        bytes.append(UInt8(ascii: "\""))
        for byte in guarded.utf8 {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Undoes the apostrophe that keeps a spreadsheet from running the cell, and no other one.
    static func withoutGuard(_ text: String) -> String {
        text.utf8.first == UInt8(ascii: "'") && isFormula(text) ? String(text.dropFirst()) : text
    }

    /// Whether a spreadsheet could run it, or whether it looks as if it had been guarded already: `'=1` has to get an
    /// apostrophe too, since the one it has would be taken for the guard.
    private static func isFormula(_ text: String) -> Bool {
        guard let first = text.utf8.first(where: { $0 != UInt8(ascii: "'") }) else { return false }
        return "=+-@\t\r\0".utf8.contains(first)
    }
}
