import JSON
import Text

/// The rows of all files, read and checked before the writer is asked for.
struct ImportPlan: Sendable {
    /// What others name comes first, whatever the order of the files: an idea needs its theme, a module its activity.
    private static let order: [RecordType] = [.activity, .coop, .site, .referent, .theme, .question, .resource, .prize, .mooc, .module, .idea]

    private var rows: [RecordType: [any ImportRow]] = [:]
    private(set) var faults = ImportFaults()
    private(set) var notes: [Bilingual] = []
    /// Slugs of the rows at fault, by type, which other rows may name.
    private(set) var leftOut: [RecordType: Set<String>] = [:]

    init(_ files: [ImportFile]) {
        for (index, file) in files.enumerated() where !faults.isFull {
            if file.isJSON { readJSON(file, index) } else { readCSV(file, index) }
        }
    }

    var inOrder: [any ImportRow] { Self.order.flatMap { rows[$0] ?? [] } }

    mutating func add<R: Importable>(_ type: R.Type, _ members: [JSON.Member], at place: ImportPlace) {
        if let row = TypedRow<R>(members, at: place, &faults) {
            rows[R.type, default: []].append(row)
        } else if let slug = members.first(where: { $0.name == "slug" })?.value.stringValue {
            leftOut[R.type, default: []].insert(slug)
        }
    }

    mutating func note(_ note: Bilingual) { notes.append(note) }

    mutating func fault(_ place: ImportPlace, at path: String? = nil, _ code: String, en: String, fr: String) {
        faults.add(place, at: path, code, en: en, fr: fr)
    }
}

extension ImportFile {
    /// By its name, else by its first character.
    fileprivate var isJSON: Bool {
        let name = name.lowercased()
        if name.hasSuffix(".json") || name.hasSuffix(".csv") { return name.hasSuffix(".json") }
        return bytes.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 } == UInt8(ascii: "{")
    }
}
