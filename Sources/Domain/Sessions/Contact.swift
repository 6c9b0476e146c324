import SQLite
import Text

/// By what people are known again (invariant 7).
struct Contact: Sendable {
    private let email: String?
    private let phone: String?
    private let name: String?
    private let postal: String?

    init(of registration: Registration) {
        self.init(email: registration.email, phone: registration.phone, name: registration.contactName, postal: registration.postal)
    }

    /// The columns that a statement has to select, and of its row the contact that begins with this one.
    static let columns = "email, phone, postal, contact_name"
    init(_ row: Statement, _ column: Int) {
        self.init(email: row.optionalText(column), phone: row.optionalText(column + 1), name: row.optionalText(column + 3), postal: row.optionalText(column + 2))
    }

    private init(email: String?, phone: String?, name: String?, postal: String?) {
        (self.email, self.phone) = (email?.folded, phone)
        (self.name, self.postal) = (name?.folded.words, postal?.folded.words)
    }

    /// Whether both have the same e-mail address, else the same telephone, else the same name and address.
    func isSame(as other: Contact) -> Bool {
        if let email, let theirs = other.email { return email == theirs }
        if let phone, let theirs = other.phone { return phone == theirs }
        guard let name, let postal else { return false }
        return postal == other.postal && name == other.name
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
