import JSON
import Text

extension ImportPlan {
    /// Columns that an export has and that are the server's own.
    private static let ignored: Set = ["rev", "created_at", "updated_at"]

    mutating func readCSV(_ file: ImportFile, _ index: Int) {
        var reader = CSVReader(file.bytes)
        let names: [String]
        switch reader.next() {
        case nil:
            return fault(
                ImportPlace(file: index, name: file.name, line: 1), "csv.empty", en: "is empty; its first line has to name the columns",
                fr: "est vide ; sa première ligne doit nommer les colonnes")
        case .fault(let reason, let line)?:
            return fault(ImportPlace(file: index, name: file.name, line: line), reason.rawValue, en: reason.detail.en, fr: reason.detail.fr)
        case .cells(let cells, _)?: names = cells.map(\.text)
        }
        let stem = file.name.split(separator: "/").last?.lowercased().prefix { $0.isLetter } ?? ""
        switch (stem, names) {
        case ("coops", _): rows(Coop.self, &reader, names, file, index)
        case ("sites", _): rows(Site.self, &reader, names, file, index)
        case ("referents", _): rows(Referent.self, &reader, names, file, index)
        case (_, let names) where names.contains("family_name"): rows(Referent.self, &reader, names, file, index)
        case (_, let names) where names.contains("workstations"): rows(Site.self, &reader, names, file, index)
        case (_, let names) where names.contains("department_code"): rows(Coop.self, &reader, names, file, index)
        default:
            fault(
                ImportPlace(file: index, name: file.name, line: 1), "csv.type", en: "tells neither by its name nor by its columns whether it holds coops, sites or referents; name it coops.csv, sites.csv or referents.csv",
                fr: "ne dit ni par son nom ni par ses colonnes s'il contient coops, sites ou referents ; nommez-le coops.csv, sites.csv ou referents.csv")
        }
    }

    private mutating func rows<R: Importable>(_ type: R.Type, _ reader: inout CSVReader, _ names: [String], _ file: ImportFile, _ index: Int) {
        guard let columns = columns(type, names, at: ImportPlace(file: index, name: file.name, line: 1)) else { return }
        while !faults.isFull, let row = reader.next() {
            switch row {
            case .fault(let reason, let line):
                fault(ImportPlace(file: index, name: file.name, line: line), reason.rawValue, en: reason.detail.en, fr: reason.detail.fr)
            case .cells(let cells, let line):
                let place = ImportPlace(file: index, name: file.name, line: line)
                // Spreadsheets leave rows of separators behind.
                if cells.allSatisfy({ $0.text.isEmpty }) { continue }
                guard cells.count == columns.count else {
                    fault(
                        place, "csv.columns", en: "has \(cells.count) cells where the first line has \(columns.count)",
                        fr: "compte \(cells.count) cellules alors que la première ligne en a \(columns.count)")
                    continue
                }
                add(type, zip(columns, cells).compactMap { $0.member($1) }, at: place)
            }
        }
    }

    /// What each column holds; nil, with every fault of the first line, where one will not do.
    private mutating func columns<R: Importable>(_ type: R.Type, _ names: [String], at place: ImportPlace) -> [CSVColumn<R>]? {
        var columns: [CSVColumn<R>] = []
        var given: Set<String> = []
        var isSound = true
        for name in names {
            guard let column = Self.ignored.contains(name) ? .ignored : CSVColumn<R>(name) else {
                let known = R.shownFields.map(\.name).joined(separator: ", ")
                fault(
                    place, at: name.shortened, "csv.column-unknown", en: "is no column of \(R.type.rawValue)s; known are id, \(known)",
                    fr: "n'est pas une colonne connue (\(R.type.rawValue)) ; colonnes connues : id, \(known)")
                isSound = false
                continue
            }
            if !given.insert(column.field ?? name).inserted {
                fault(place, at: name, "csv.column-twice", en: "stands twice in the first line", fr: "figure deux fois dans la première ligne")
                isSound = false
            }
            columns.append(column)
        }
        for field in R.fields where field.isRequired && !given.contains(field.name) {
            fault(place, at: field.name, "csv.column-missing", en: "is missing from the first line", fr: "manque dans la première ligne")
            isSound = false
        }
        return isSound ? columns : nil
    }
}

/// What the cells under a name are.
private enum CSVColumn<R: Record> {
    case id, ignored
    case field(Field<R>)
    /// Slugs of the records that a field names by id.
    case slugs(of: Field<R>, name: String)

    init?(_ name: String) {
        if name == "id" {
            self = .id
        } else if let field = R.shownFields.first(where: { $0.name == name }) {
            self = .field(field)
        } else if let field = R.shownFields.first(where: { $0.slugName == name }) {
            self = .slugs(of: field, name: name)
        } else {
            return nil
        }
    }

    /// The field that the column gives, so that no two give the same.
    var field: String? {
        switch self {
        case .id: "id"
        case .ignored: nil
        case .field(let field), .slugs(let field, _): field.name
        }
    }

    /// Nil where the cell says nothing.
    func member(_ cell: CSVReader.Cell) -> JSON.Member? {
        let text = CSVCell.withoutGuard(cell.text)
        switch self {
        case .ignored: return nil
        case .id: return text.isEmpty ? nil : JSON.Member("id", .string(text))
        case .field(let field): return CSVCell.value(cell, for: field).map { JSON.Member(field.name, $0) }
        case .slugs(let field, let name):
            if field.cell == .list { return JSON.Member(name, .array(text.isEmpty ? [] : CSVCell.elements(text).map { .string($0) })) }
            return JSON.Member(name, text.isEmpty ? .null : .string(text))
        }
    }
}
