import SQLite
import Text

/// What an import knows while it runs on the writer: which records are here, what became of the rows so far.
struct ImportSession {
    enum Found {
        case id(Identifier<Void>)
        /// The files have it, but its own row is at fault, which says enough.
        case leftOut
        case unknown
    }

    /// Which records a look-up table covers: all of a type, or those of one co-op.
    fileprivate struct Part: Hashable {
        let type: RecordType
        let coop: String?
    }

    var faults: ImportFaults
    var report = ImportReport()
    var notes: [Bilingual] = []
    /// Loaded at first use, so that 100,000 rows of a co-op are not as many searches.
    private var known: [Part: [[String]: [Identifier<Void>]]] = [:]
    private var leftOut: [RecordType: Set<String>]
    private var seen: [Int: Set<Identifier<Void>>] = [:]

    init(faults: ImportFaults, leftOut: [RecordType: Set<String>]) {
        self.faults = faults
        self.leftOut = leftOut
    }

    mutating func count(_ effect: ImportReport.Effect, _ type: RecordType) { report.count(effect, type) }

    /// What names this slug is not reported as well.
    mutating func leaveOut(_ type: RecordType, _ slug: String?) {
        if let slug { leftOut[type, default: []].insert(slug) }
    }

    mutating func find(_ slug: String, of type: RecordType, in tx: Transaction) throws(DomainError) -> Found {
        let part = Part(type: type, coop: nil)
        if known[part] == nil { known[part] = try load(part, ["slug"], in: tx) }
        if let id = known[part]?[[slug]]?.first { return .id(id) }
        return leftOut[type]?.contains(slug) == true ? .leftOut : .unknown
    }

    /// The stored record that a row means: the one with its id where it has one, else the one with its key; nil for a new one.
    ///
    /// - Throws: `.conflict` (`import.ambiguous`) where several have the key, as homonyms of one co-op may.
    mutating func match<R: Importable>(_ wanted: R, id: Identifier<R>?, in tx: Transaction) throws(DomainError) -> R? {
        if let id { return try R.store.find(id, in: tx.connection) }
        let key = R.key(of: wanted)
        let part = R.part(of: key)
        if known[part] == nil { known[part] = try load(part, R.keyFields, in: tx) }
        let ids = known[part]?[key] ?? []
        guard ids.count < 2 else {
            throw .conflict(
                code: "import.ambiguous",
                Bilingual(
                    en: "Several records here have the same \(R.keyFields.joined(separator: ", ")); add a column id to say which.",
                    fr: "Plusieurs enregistrements ont les mêmes \(R.keyFields.joined(separator: ", ")) ; ajoutez une colonne id pour préciser."))
        }
        guard let id = ids.first else { return nil }
        return try R.store.find(Identifier(id), in: tx.connection)
    }

    /// Notes that a row of the file was this record.
    ///
    /// - Throws: `.conflict` (`import.duplicate`) where an earlier row of the same file was it already.
    mutating func keep<R: Importable>(_ record: R, from place: ImportPlace) throws(DomainError) {
        guard seen[place.file, default: []].insert(record.meta.id).inserted else {
            throw .conflict(
                code: "import.duplicate",
                Bilingual(en: "An earlier line of the file is about the same record.", fr: "Une ligne précédente du fichier porte sur le même enregistrement."))
        }
        let key = R.key(of: record)
        let part = R.part(of: key)
        if known[part] != nil, known[part]?[key]?.contains(record.meta.id) != true { known[part]?[key, default: []].append(record.meta.id) }
    }

    /// Looks the type up again where a change has given the record another key.
    mutating func forget<R: Importable>(_ stored: R, ifMovedTo record: R) {
        let key = R.key(of: stored)
        if key != R.key(of: record) { known[R.part(of: key)] = nil }
    }

    private func load(_ part: Part, _ columns: [String], in tx: Transaction) throws(DomainError) -> [[String]: [Identifier<Void>]] {
        try storing { () throws(DatabaseError) in
            var table: [[String]: [Identifier<Void>]] = [:]
            let sql = "SELECT id, \(columns.joined(separator: ", ")) FROM \(part.type.rawValue)" + (part.coop == nil ? "" : " WHERE coop_id = ?")
            let rows = try tx.connection.all(sql, part.coop.map { [.text($0)] } ?? []) { row in
                (Identifier<Void>(row.text(0)), columns.indices.map { row.text($0 + 1) })
            }
            for (id, key) in rows {
                if let id { table[key, default: []].append(id) }
            }
            return table
        }
    }
}

extension Importable {
    fileprivate static func key(of record: Self) -> [String] {
        keyFields.map { name in
            guard case .text(let text)? = fields.first(where: { $0.name == name })?.column(record) else { preconditionFailure("\(name) of \(type) is no text") }
            return text
        }
    }

    fileprivate static func part(of key: [String]) -> ImportSession.Part {
        ImportSession.Part(type: type, coop: keyFields.first == "coop_id" ? key.first : nil)
    }
}
