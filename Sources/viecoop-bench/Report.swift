import Foundation

/// A row of the table.
struct Row {
    let what: String
    var load: Load
    /// What it is held against, a second, in the same rounds: nginx's requests, or the server's own creations.
    var other: Double?
    /// The median of the rounds' ratios to that.
    var ratio: Double?
    /// The least that is wanted: of the ratio where there is one, else of requests a second.
    var wanted: Double
}

/// Prints tables for people, in Markdown, so that they can be pasted.
struct Report {
    static func print(_ rows: [Row]) {
        var lines = [["what", "requests/s", "p50 ms", "p99 ms", "bytes", "against", "ratio", "wanted", ""]]
        for row in rows {
            let isMet = (row.ratio ?? row.load.perSecond) >= row.wanted
            lines.append([
                row.what, grouped(row.load.perSecond), fixed(row.load.p50), fixed(row.load.p99), grouped(row.load.bytes),
                row.other.map(grouped) ?? "", row.ratio.map(fixed) ?? "", row.ratio == nil ? grouped(row.wanted) : fixed(row.wanted),
                row.load.errors > 0 ? "\(row.load.errors) errors" : isMet ? "" : "below",
            ])
        }
        print(lines)
    }

    static func print(_ lines: [[String]]) {
        guard let head = lines.first else { return }
        let widths = head.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        for (number, line) in lines.enumerated() {
            let cells = zip(line, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + space : space + cell.0
            }
            Swift.print("| " + cells.joined(separator: " | ") + " |")
            if number == 0 {
                Swift.print("|" + zip(widths, widths.indices).map { width, column in
                    String(repeating: "-", count: width + 1) + (column == 0 ? "-" : ":")
                }.joined(separator: "|") + "|")
            }
        }
        Swift.print()
    }

    static func grouped(_ value: Double) -> String {
        var digits = String(Int(value.rounded()))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
            place -= 3
        }
        return digits
    }

    static func fixed(_ value: Double) -> String { String(format: "%.2f", value) }
}

/// What happens now, for the person who waits; not part of the result.
func progress(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
