import Text

/// A type of record that files may bring along.
protocol Importable: Record {
    /// The fields by which a record of a file is known to be one that is here already. All are text; a co-op's id comes first.
    static var keyFields: [String] { get }
    /// Fields that the file sets on a new record only: what became of it since is not the file's business.
    static var setOnce: Set<String> { get }
    /// The field of a state that a file may move on, by the steps that `checkStep` permits.
    static var stateField: String? { get }
    func checkStep(from stored: Self) throws(DomainError)
    /// Why a stored record is left as it is, whatever the file says; nil where it is open to changes.
    var closedToImport: Bilingual? { get }
}

extension Importable {
    static var keyFields: [String] { ["slug"] }
    static var setOnce: Set<String> { [] }
    static var stateField: String? { nil }
    func checkStep(from stored: Self) throws(DomainError) {}
    var closedToImport: Bilingual? { nil }
}

extension Activity: Importable {}
extension Theme: Importable {}
extension Question: Importable {}
extension Resource: Importable {}
extension Prize: Importable {}
extension Mooc: Importable {}

extension Module: Importable {
    static var setOnce: Set<String> { ["status"] }
}

extension Coop: Importable {
    var closedToImport: Bilingual? {
        guard let successorID else { return nil }
        return Bilingual(en: "\(slug) was merged into \(successorID) and stays as it is.", fr: "\(slug) a fusionné avec \(successorID) et reste en l'état.")
    }
}

extension Site: Importable {
    static var keyFields: [String] { ["coop_id", "name"] }
}

extension Referent: Importable {
    static var keyFields: [String] { ["coop_id", "given_name", "family_name", "started_on"] }
    static var stateField: String? { "status" }

    var closedToImport: Bilingual? {
        guard let anonymisedOn else { return nil }
        return Bilingual(
            en: "The mandate \(id) has forgotten its person on \(anonymisedOn.text) and stays as it is.",
            fr: "Le mandat \(id) ne nomme plus personne depuis le \(anonymisedOn.text) et reste en l'état.")
    }

    func checkStep(from stored: Referent) throws(DomainError) {
        if status != stored.status { try Referent.machine.check(from: stored.status, to: status) }
    }
}

extension Idea: Importable {
    static var setOnce: Set<String> { ["status", "scope", "origin"] }

    var closedToImport: Bilingual? {
        guard status == .merged else { return nil }
        return Bilingual(en: "The idea \(slug) was merged into another and stays as it is.", fr: "L'idée \(slug) a été fusionnée avec une autre et reste en l'état.")
    }
}
