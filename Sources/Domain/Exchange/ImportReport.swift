import Text

/// A file as the operator gave it; the name says what a CSV file holds (`coops.csv`), and stands in faults.
package struct ImportFile: Sendable {
    package let name: String
    package let bytes: [UInt8]

    package init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// What an import did, or, in a dry run, would do.
package struct ImportReport: Sendable, Equatable {
    package fileprivate(set) var created: [RecordType: Int] = [:]
    package fileprivate(set) var updated: [RecordType: Int] = [:]
    package fileprivate(set) var unchanged: [RecordType: Int] = [:]
    /// What was left aside, a sentence each.
    package var notes: [Bilingual] = []

    package init() {}

    package var changesNothing: Bool { created.isEmpty && updated.isEmpty }

    enum Effect { case created, updated, unchanged }

    mutating func count(_ effect: Effect, _ type: RecordType) {
        switch effect {
        case .created: created[type, default: 0] += 1
        case .updated: updated[type, default: 0] += 1
        case .unchanged: unchanged[type, default: 0] += 1
        }
    }
}

/// One thing wrong with a file.
package struct ImportFault: Sendable, Equatable {
    package let file: String
    /// From 1; nil for the elements of a JSON file, which the pointer finds.
    package let line: Int?
    /// In CSV the column; in JSON a JSON Pointer as a URI fragment (`#/coops/3/city`). Nil where a whole line is at fault.
    package let field: String?
    package let code: String
    package let detail: Bilingual
}

/// Why nothing was imported.
package enum ImportFailure: Error, Sendable {
    /// Every fault, in the order of files and lines; the first 10,000 where there are more.
    case faults([ImportFault])
    case domain(DomainError)
}

/// Where a record stands in the files.
struct ImportPlace: Sendable {
    /// Its number among the files of the call.
    let file: Int
    let name: String
    let line: Int?
    let pointer: String?

    init(file: Int, name: String, line: Int? = nil, pointer: String? = nil) {
        (self.file, self.name, self.line, self.pointer) = (file, name, line, pointer)
    }

    /// - Parameter path: of what is at fault in the record, as the file names it: `coop`, `activities/2`; nil for all of it.
    func fault(_ path: String?, _ code: String, _ detail: Bilingual) -> ImportFault {
        let field: String? = if let pointer { path.map { "\(pointer)/\($0)" } ?? pointer } else { path.map { String($0.prefix { $0 != "/" }) } }
        return ImportFault(file: name, line: line, field: field, code: code, detail: detail)
    }
}

/// Gathers the faults of an import.
struct ImportFaults: Sendable {
    static let limit = 10_000
    private var found: [(file: Int, fault: ImportFault)] = []

    var isEmpty: Bool { found.isEmpty }
    /// Nobody reads on: the import may stop.
    var isFull: Bool { found.count >= Self.limit }

    mutating func add(_ place: ImportPlace, at path: String? = nil, _ code: String, en: String, fr: String) {
        add(place, at: path, code, Bilingual(en: en, fr: fr))
    }

    mutating func add(_ place: ImportPlace, at path: String? = nil, _ code: String, _ detail: Bilingual) {
        if !isFull { found.append((place.file, place.fault(path, code, detail))) }
    }

    var inOrder: [ImportFault] {
        found.enumerated().sorted { left, right in
            (left.element.file, left.element.fault.line ?? 0, left.offset) < (right.element.file, right.element.fault.line ?? 0, right.offset)
        }.map(\.element.fault)
    }
}
