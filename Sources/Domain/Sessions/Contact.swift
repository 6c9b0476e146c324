import SQLite
import Text

/// By what people are known again (invariant 7).
struct Contact {
    private let email: String?
    private let phone: String?
    private let name: String?
    private let postal: String?

    init(of registration: Registration) {
        (email, phone) = (registration.email?.folded, registration.phone)
        (name, postal) = (registration.contactName?.folded.words, registration.postal?.folded.words)
    }

    /// What a statement has to select for `isOf`.
    static let columns = "email, phone, postal, contact_name"

    /// Whether a row, whose columns begin with this one, has the same e-mail address, else the same telephone, else the same name and address.
    func isOf(_ row: Statement, _ column: Int) -> Bool {
        if let email, let theirs = row.optionalText(column) { return email == theirs.folded }
        if let phone, let theirs = row.optionalText(column + 1) { return phone == theirs }
        guard let name, let postal, let theirs = row.optionalText(column + 2), postal == theirs.folded.words, let theirName = row.optionalText(column + 3) else {
            return false
        }
        return name == theirName.folded.words
    }
}

extension String {
    /// Words with one space between.
    fileprivate var words: String {
        var before = UInt8(ascii: " ")
        let isSo = utf8.allSatisfy { byte in
            defer { before = byte }
            return byte > 0x20 && byte < 0x7F || byte == 0x20 && before != 0x20
        }
        return isSo && before != 0x20 ? self : split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
