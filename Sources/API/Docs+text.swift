/// Texts of the contract as HTML: the little of Markdown that they use, and blocks of YAML.
extension Docs {
    /// A path that may break at its slashes, for narrow screens.
    static func breakable(_ path: String) -> String { HTML.escaped(path).replacing("/", with: "<wbr>/") }

    private static let codeMargin = "    "

    /// Paragraphs, `##` headings, tables, and code with a margin of four, apart by blank lines.
    static func prose(_ text: String) -> String {
        var html = ""
        for block in text.split(separator: "\n\n") {
            let lines = block.split(separator: "\n")
            if let first = lines.first, first.hasPrefix("## ") {
                html += "<h2>\(inline(first.dropFirst(3)))</h2>\n"
            } else if lines.first?.hasPrefix("|") ?? false {
                html += table(lines)
            } else if lines.allSatisfy({ $0.hasPrefix(codeMargin) }) {
                html += yaml(lines[...])
            } else {
                html += "<p>\(inline(lines.joined(separator: "\n")))</p>\n"
            }
        }
        return html
    }

    /// Code between back quotes; everything else as it is.
    static func inline(_ text: some StringProtocol) -> String {
        let parts = HTML.escaped(text).split(separator: "`", omittingEmptySubsequences: false)
        return parts.enumerated().map { index, part in
            index % 2 == 1 ? "<code>\(part)</code>" : part.replacing("vie coopérative", with: "<i lang=\"fr\">vie coopérative</i>")
        }.joined()
    }

    /// A first line of headings, a second of dashes, then rows.
    private static func table(_ lines: [Substring]) -> String {
        func cells(_ line: Substring, _ tag: String) -> String {
            let cells = line.split(separator: "|").map { "<\(tag)>\(inline($0.drop { $0 == " " }))</\(tag.prefix(2))>" }
            return "<tr>\(cells.joined())</tr>"
        }
        let head = lines.first.map { cells($0, "th scope=\"col\"") } ?? ""
        let rows = lines.dropFirst(2).map { cells($0, "td") }.joined()
        return "<div class=\"wide\" tabindex=\"0\"><table><thead>\(head)</thead><tbody>\(rows)</tbody></table></div>\n"
    }

    /// A component's name, linked to where the page shows it.
    static func link(_ reference: Substring?) -> String {
        guard let reference else { return "" }
        let parts = reference.split(separator: "/", omittingEmptySubsequences: false)
        return "<a href=\"\(HTML.escaped(anchor(of: reference)))\">\(HTML.escaped(parts.dropFirst(3).first ?? reference))</a>"
    }

    /// The part of a `$ref` that has an anchor: a component, not a field of it.
    private static func anchor(of reference: Substring) -> String {
        reference.split(separator: "/", omittingEmptySubsequences: false).prefix(4).joined(separator: "/")
    }

    /// Lines of the contract with their common indentation taken away, and links for the `$ref`s.
    static func yaml(_ lines: ArraySlice<Substring>) -> String {
        let margin = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        let html = lines.map { line in
            let line = line.dropFirst(margin)
            guard let reference = Outline.reference(in: line) else { return HTML.escaped(line) }
            let (before, after) = (line[..<reference.startIndex], line[reference.endIndex...])
            return "\(HTML.escaped(before))<a href=\"\(HTML.escaped(anchor(of: reference)))\">\(HTML.escaped(reference))</a>\(HTML.escaped(after))"
        }
        return "<pre translate=\"no\" tabindex=\"0\">\(html.joined(separator: "\n"))</pre>"
    }
}
