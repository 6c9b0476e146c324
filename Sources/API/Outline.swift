/// The contract's text, split by its indentation: keys with what stands beside and below them.
///
/// Not a YAML reader. It relies on how openapi.yaml is written: two spaces a level, block style for everything that the page
/// shows on its own, `$ref`s within a line. What is written otherwise is left out of the page, never fatal.
struct Outline: Sendable {
    let key: String
    /// Beside the key: `Co-ops` of `name: Co-ops`.
    let value: Substring
    /// The lines below the key, as they stand in the file.
    let lines: ArraySlice<Substring>
    private let indent: Int

    init(of text: String) {
        self.init(key: "", value: "", lines: text.split(separator: "\n", omittingEmptySubsequences: false)[...], indent: -2)
    }

    private init(key: String, value: Substring, lines: ArraySlice<Substring>, indent: Int) {
        self.key = key
        self.value = value
        self.lines = lines
        self.indent = indent
    }

    /// The keys one level below, in order.
    var children: [Outline] { Self.split(lines, at: indent + 2) }

    subscript(_ key: String) -> Outline? { children.first { $0.key == key } }

    /// The elements of a list below the key, each with its keys; an element that is a flow map has its text as `value`.
    var elements: [Outline] {
        var elements: [Outline] = []
        var start: Int?
        let marks = lines.indices.filter { Self.indent(of: lines[$0]) == indent + 2 && lines[$0].dropFirst(indent + 2).hasPrefix("- ") }
        for mark in marks + [lines.endIndex] {
            if let start {
                // The dash stands where the element's other keys have two spaces.
                let first = lines[start].dropFirst(indent + 4)
                let own = [Substring(String(repeating: " ", count: indent + 4)) + first] + lines[(start + 1)..<mark]
                elements.append(Outline(key: "", value: first, lines: own[...], indent: indent + 2))
            }
            start = mark
        }
        return elements
    }

    /// The key's text: beside it, quoted or plain, or below it after `|`.
    var text: String {
        if value == "|" {
            let body = lines.map { $0.dropFirst(min(indent + 2, Self.indent(of: $0))) }
            return body.joined(separator: "\n")
        }
        if value.count >= 2, value.hasPrefix("'"), value.hasSuffix("'") {
            return String(value.dropFirst().dropLast()).replacing("''", with: "'")
        }
        return String(value)
    }

    /// What a `$ref` in the value or right below names: `#/components/responses/Problem`.
    var reference: Substring? {
        Self.reference(in: value) ?? lines.lazy.compactMap(Self.reference).first
    }

    static func reference(in line: Substring) -> Substring? {
        guard let start = line.firstRange(of: "$ref: '")?.upperBound, let end = line[start...].firstIndex(of: "'") else { return nil }
        return line[start..<end]
    }

    /// The values of the first `enum` in the value or below.
    var choices: [String] {
        for line in [value] + lines {
            guard let start = line.firstRange(of: "enum: [")?.upperBound else { continue }
            return Self.list(line[start...].prefix { $0 != "]" })
        }
        return []
    }

    /// The names in `[a, b]`.
    static func list(_ text: Substring) -> [String] { text.split { "[], ".contains($0) }.map(String.init) }

    private static func split(_ lines: ArraySlice<Substring>, at indent: Int) -> [Outline] {
        let starts = lines.indices.filter { index in
            self.indent(of: lines[index]) == indent && !lines[index].isEmpty && !lines[index].dropFirst(indent).hasPrefix("- ")
        }
        return starts.enumerated().compactMap { number, start in
            let end = number + 1 < starts.count ? starts[number + 1] : lines.endIndex
            let line = lines[start].dropFirst(indent)
            // A path holds no colon but the one at its end, and no key of ours holds one inside.
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let key = line[..<colon].filter { $0 != "'" }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            return Outline(key: key, value: value, lines: lines[(start + 1)..<end], indent: indent)
        }
    }

    /// A blank line belongs to whatever it stands in.
    private static func indent(of line: Substring) -> Int { line.isEmpty ? .max : line.prefix { $0 == " " }.count }
}
