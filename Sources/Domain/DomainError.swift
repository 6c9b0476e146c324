import SQLite
import Text

/// One thing wrong with a field; `pointer` is a JSON Pointer as a URI fragment: `#/steps/3`.
package struct Fault: Sendable, Equatable {
    package let pointer: String
    package let code: String
    package let detail: Bilingual

    package init(_ pointer: String, _ code: String, en: String, fr: String) {
        self.pointer = pointer
        self.code = code
        detail = Bilingual(en: en, fr: fr)
    }
}

/// Gathers every fault of an input, so that a person mends them all at once.
package struct Faults: Sendable {
    package private(set) var all: [Fault] = []
    package init() {}
    package mutating func add(_ pointer: String, _ code: String, en: String, fr: String) {
        all.append(Fault(pointer, code, en: en, fr: fr))
    }
    package mutating func add(contentsOf other: Faults) { all += other.all }
    package func throwIfAny() throws(DomainError) { if !all.isEmpty { throw .invalid(all) } }
}

/// Why the domain refused. The API gives each case its status.
package enum DomainError: Error, Sendable {
    case invalid([Fault])
    /// Absent, or not visible to the caller: the two must not be told apart. `type` as in the path: `referent`.
    case notFound(type: String)
    /// Somebody changed the record since the caller read it; `etag` is the present one as the caller sees it.
    case stale(etag: String)
    /// `If-Match` is missing on a change.
    case preconditionRequired
    /// A rule forbids it in the present state; `members` are further members of the problem, each JSON.
    case conflict(code: String, Bilingual, members: [(name: String, json: String)] = [])
    /// The caller sees the record but may not do this to it.
    case forbidden(code: String, Bilingual)
    /// It was there, and will not be again.
    case gone(code: String, Bilingual)
    /// The query would cost more than its budget.
    case tooCostly
    /// The write queue is full, or the server is stopping.
    case busy
    /// There is no room to write, or the disk fails; reading goes on.
    case storageFull(DatabaseError)
    case storage(DatabaseError)

    /// For the log: what the database said, or the codes of what was refused; nothing that somebody has written.
    package var cause: String {
        switch self {
        case .storage(let error), .storageFull(let error): "SQLite \(error.code): \(error.message)"
        case .conflict(let code, _, _), .forbidden(let code, _), .gone(let code, _): code
        case .invalid(let faults): faults.map { "\($0.pointer) \($0.code)" }.joined(separator: ", ")
        case .notFound(let type): "no such \(type)"
        case .stale, .preconditionRequired: "stale"
        case .tooCostly, .busy: "busy"
        }
    }

    package static func idTaken() -> DomainError {
        .conflict(
            code: "id.taken",
            Bilingual(
                en: "This id is taken. Make a new one, or leave it out and the server makes it.",
                fr: "Cet identifiant est déjà pris. Créez-en un autre, ou ne le fournissez pas : le serveur s'en charge."))
    }

    /// The error of a statement, by its result code; a broken UNIQUE, foreign key or CHECK is a conflict with stored data.
    package init(_ error: DatabaseError) {
        switch error.kind {
        case .unique:
            self = .conflict(
                code: "unique", Bilingual(en: "Another record has these values already.", fr: "Un autre enregistrement a déjà ces valeurs."))
        case .foreignKey:
            self = .conflict(
                code: "reference",
                Bilingual(
                    en: "Another record refers to this one, or this one to a record that does not exist.",
                    fr: "Un autre enregistrement s'y rapporte, ou celui-ci se rapporte à un enregistrement qui n'existe pas."))
        case .storage: self = .storageFull(error)
        case .interrupted: self = .tooCostly
        case .busy: self = .busy
        case .check, .corrupt, .other: self = .storage(error)
        }
    }
}
