import Text

/// Reads CSV (RFC 4180) row by row: UTF-8 with or without a byte order mark, cells apart by `,` or `;` as the first line has
/// them, lines ended by CRLF, LF or CR, also mixed.
///
/// A bad row is a fault of its own and reading goes on behind it, so that a person mends all of them at once.
struct CSVReader {
    struct Cell: Equatable {
        let text: String
        /// `""` is an empty text, and nothing at all is no value.
        let isQuoted: Bool
    }

    enum Row {
        /// `line` is the one on which the row begins, from 1.
        case cells([Cell], line: Int)
        case fault(Fault, line: Int)
    }

    enum Fault: String, CaseIterable {
        /// A quote that never ends, or something else than a separator behind one, or one inside a cell without quotes.
        case quote = "csv.quote"
        case length = "csv.line-length"
        case encoding = "csv.encoding"
    }

    /// More than any real row has; keeps a file without line ends, or without a closing quote, from being taken for one cell.
    private static let limit = 1 << 20

    private let bytes: [UInt8]
    private let separator: UInt8
    private var index: Int
    private var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        separator = Self.separator(of: bytes)
    }

    /// Whichever of the two the first line has more of, outside of quotes.
    private static func separator(of bytes: [UInt8]) -> UInt8 {
        var commas = 0
        var semicolons = 0
        var isInside = false
        for byte in bytes.prefix(limit) {
            switch byte {
            case UInt8(ascii: "\""): isInside.toggle()
            case UInt8(ascii: ",") where !isInside: commas += 1
            case UInt8(ascii: ";") where !isInside: semicolons += 1
            case UInt8(ascii: "\n") where !isInside, UInt8(ascii: "\r") where !isInside:
                if commas + semicolons > 0 { return semicolons > commas ? UInt8(ascii: ";") : UInt8(ascii: ",") }
            default: break
            }
        }
        return semicolons > commas ? UInt8(ascii: ";") : UInt8(ascii: ",")
    }

    /// The next row that is not blank; nil at the end.
    mutating func next() -> Row? {
        while endLine() {}
        guard index < bytes.count else { return nil }
        let start = (index: index, line: line)
        do throws(Fault) {
            return .cells(try cells(), line: start.line)
        } catch {
            // What is amiss may be a quote that swallowed the lines behind it, so go on with the second line of the row.
            (index, line) = start
            while index < bytes.count, !endLine() { index += 1 }
            return .fault(error, line: start.line)
        }
    }

    private mutating func cells() throws(Fault) -> [Cell] {
        let start = index
        var cells: [Cell] = []
        var isUTF8 = true
        while true {
            let isQuoted = index < bytes.count && bytes[index] == UInt8(ascii: "\"")
            let text = isQuoted ? try quoted(from: start) : try plain(from: start)
            if let text { cells.append(Cell(text: text, isQuoted: isQuoted)) } else { isUTF8 = false }
            if index == bytes.count || endLine() {
                guard isUTF8 else { throw .encoding }
                return cells
            }
            guard bytes[index] == separator else { throw .quote }
            index += 1
        }
    }

    /// - Returns: nil where the cell is not UTF-8.
    private mutating func plain(from start: Int) throws(Fault) -> String? {
        let begin = index
        while index < bytes.count {
            let byte = bytes[index]
            if byte == separator || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
            guard byte != UInt8(ascii: "\"") else { throw .quote }
            guard index - start < Self.limit else { throw .length }
            index += 1
        }
        return String(validating: bytes[begin..<index], as: UTF8.self)
    }

    /// A cell in quotes, from its first one; inside it a CRLF is one line feed.
    ///
    /// - Returns: nil where the cell is not UTF-8.
    private mutating func quoted(from start: Int) throws(Fault) -> String? {
        let firstLine = line
        var content: [UInt8] = []
        index += 1
        while true {
            guard index < bytes.count else { throw .quote }
            guard index - start < Self.limit else { throw line == firstLine ? .length : .quote }
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                index += 1
                guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { break }
                content.append(byte)
                index += 1
            } else if endLine() {
                content.append(byte == UInt8(ascii: "\r") && bytes[index - 1] == byte ? byte : UInt8(ascii: "\n"))
            } else {
                content.append(byte)
                index += 1
            }
        }
        return String(validating: content, as: UTF8.self)
    }

    /// Passes the end of a line, if one is here.
    private mutating func endLine() -> Bool {
        guard index < bytes.count else { return false }
        switch bytes[index] {
        case UInt8(ascii: "\n"): index += 1
        case UInt8(ascii: "\r"): index += index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n") ? 2 : 1
        default: return false
        }
        line += 1
        return true
    }
}

extension CSVReader.Fault: Error {
    var detail: Bilingual {
        switch self {
        case .quote:
            Bilingual(
                en: "a quotation mark does not fit: put cells that hold one between two, and double it inside",
                fr: "un guillemet est mal placé : mettez la cellule entre guillemets et doublez ceux qu'elle contient")
        case .length:
            Bilingual(en: "is longer than 1 MiB; does it lack line ends?", fr: "dépasse 1 Mio ; manque-t-il des fins de ligne ?")
        case .encoding:
            Bilingual(
                en: "is not UTF-8; save the file as \"CSV UTF-8\"", fr: "n'est pas en UTF-8 ; enregistrez le fichier au format « CSV UTF-8 »")
        }
    }
}
