import Crypto
import JSON
import SQLite
import Text

/// What may be asked of a list of one type.
package struct ListRules: Sendable {
    /// Fields to filter by, several values apart by commas.
    package let filters: [String]
    /// Names to sort by, with the column of each; no column may hold NULL.
    package let sorts: [String: String]
    /// As in `sort`: `name`, `-updated_at`.
    package let defaultSort: String
    /// Filters through another table: the name, the table, and its column; its `<type>_id` is the record's.
    package let links: [String: (table: String, column: String)]
    /// Fields that some documents hide, with the layers whose documents always carry them: a filter is an oracle too.
    package let restricted: [String: Set<UInt8>]

    package init(
        filters: [String], sorts: [String: String] = [:], defaultSort: String, links: [String: (table: String, column: String)] = [:],
        restricted: [String: Set<UInt8>] = [:]
    ) {
        self.filters = filters
        self.sorts = sorts.merging(["id": "id", "created_at": "created_ms", "updated_at": "updated_ms"]) { own, _ in own }
        self.defaultSort = defaultSort
        self.links = links
        self.restricted = restricted
    }

    /// Whether the caller may filter or sort by the name: only where its most specific layer's documents carry it.
    func permits(_ name: String, _ caller: Caller) -> Bool {
        guard let letters = restricted[name] else { return true }
        return caller.layers.first.map { letters.contains($0.letter) } ?? false
    }
}

/// A parameter of a list that will not do.
package struct ListRefusal: Error, Sendable {
    package let parameter: String
    package let detail: Bilingual

    fileprivate init(_ parameter: String, en: String, fr: String) {
        self.parameter = parameter
        detail = Bilingual(en: en, fr: fr)
    }
}

/// What a page of a list depends on besides the feed: the address, the format and the reader's layers.
package struct ListPlace: Hashable, Sendable {
    package let path: String
    package let query: String
    package let format: String
    package let layers: [Audience]

    package init(path: String, query: String, format: String, layers: [Audience]) {
        (self.path, self.query, self.format, self.layers) = (path, query, format, layers)
    }
}

/// A page of a list as it is sent, and the address of the next.
package struct ListPage: Sendable {
    package let body: [UInt8]
    package let next: String?

    package init(body: [UInt8], next: String?) { (self.body, self.next) = (body, next) }
}

/// A query for one page of a list.
package struct Listing<R: Record>: Sendable {
    package struct Page: Sendable {
        /// Documents, most often bytes straight from the feed.
        package var items: [[UInt8]] = []
        /// Where the next page begins; nil at the end.
        package var next: String?
        package var total: Int?
    }

    private let caller: Caller
    private let limit: Int
    private let conditions: [String]
    private let values: [Value]
    private let keys: [(column: String, descending: Bool)]
    private let sort: String
    private let after: [Value]?
    private let counts: Bool

    /// - Parameter parameters: the query's names and values, decoded, in order.
    /// - Throws: `ListRefusal` for an unknown name or a bad value: nothing is ever ignored.
    package init(_ parameters: [(name: String, value: String)], rules: ListRules, for caller: Caller) throws(ListRefusal) {
        var conditions: [String] = []
        var values: [Value] = []
        var limit = 100
        var sort = rules.defaultSort
        var after: String?
        var counts = false
        var seen: Set<String> = []
        for (name, value) in parameters {
            guard seen.insert(name).inserted else {
                throw ListRefusal(name, en: "stands twice; separate several values by commas", fr: "figure deux fois ; séparez les valeurs par des virgules")
            }
            switch name {
            case "limit":
                guard let number = Int(value), (1...500).contains(number) else {
                    throw ListRefusal(name, en: "must be a whole number from 1 to 500", fr: "doit être un nombre entier de 1 à 500")
                }
                limit = number
            case "sort": sort = value
            case "after": after = value
            case "count":
                guard value == "true" || value == "false" else { throw ListRefusal(name, en: "must be true or false", fr: "doit être true ou false") }
                counts = value == "true"
            case "updated_since":
                guard let time = Timestamp(value) else {
                    throw ListRefusal(name, en: "must be a time such as 2026-03-02T09:00:00Z", fr: "doit être une date et heure comme 2026-03-02T09:00:00Z")
                }
                conditions.append("updated_ms >= ?")
                values.append(.integer(time.milliseconds))
            case "q" where R().searchText != nil:
                let terms = value.folded.split(whereSeparator: \.isWhitespace)
                guard value.utf8.count <= 200, terms.count <= 10, !terms.isEmpty, !value.unicodeScalars.contains(where: \.isForbiddenInText) else {
                    throw ListRefusal(name, en: "must be 1 to 10 words, at most 200 bytes", fr: "doit compter de 1 à 10 mots, au plus 200 octets")
                }
                for term in terms {
                    conditions.append("instr(search, ?) > 0")
                    values.append(.text(String(term)))
                }
            default:
                let (condition, bound) = try Self.filter(name, value, rules, caller)
                conditions.append(condition)
                values += bound
            }
        }
        self.caller = caller
        self.limit = limit
        self.conditions = conditions
        self.values = values
        self.counts = counts
        self.sort = sort
        let keys = try Self.keys(sort, rules, caller)
        self.keys = keys
        self.after = if let after { try Self.place(after, sort: sort, count: keys.count) } else { nil }
    }

    private static func filter(_ name: String, _ value: String, _ rules: ListRules, _ caller: Caller) throws(ListRefusal) -> (String, [Value]) {
        let parts = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard (1...50).contains(parts.count) else { throw ListRefusal(name, en: "must have at most 50 values", fr: "doit compter au plus 50 valeurs") }
        let marks = parts.map { _ in "?" }.joined(separator: ", ")
        if let link = rules.links[name], rules.permits(name, caller) {
            guard !name.hasSuffix("_id") || parts.allSatisfy({ Identifier<Void>($0) != nil }) else {
                throw ListRefusal(name, en: "must be an id: a UUID in lower case", fr: "doit être un identifiant : un UUID en minuscules")
            }
            return ("id IN (SELECT \(R.type.rawValue)_id FROM \(link.table) WHERE \(link.column) IN (\(marks)))", parts.map { .text($0) })
        }
        guard rules.filters.contains(name), rules.permits(name, caller), let field = R.store.fields[name] else {
            let known = (rules.filters + rules.links.keys).filter { rules.permits($0, caller) }.sorted().joined(separator: ", ")
            throw ListRefusal(
                name, en: "is not known here; known are limit, after, sort, count, updated_since\(R().searchText == nil ? "" : ", q"), \(known)",
                fr: "est inconnu ici ; sont connus limit, after, sort, count, updated_since\(R().searchText == nil ? "" : ", q"), \(known)")
        }
        var values: [Value] = []
        for part in parts {
            let json: JSON = switch field.cell {
            case .integer: .number(part)
            case .flag: part == "true" ? .bool(true) : part == "false" ? .bool(false) : .string(part)
            default: .string(part)
            }
            var faults = Faults()
            var record = R()
            guard let assignment = field.parse(json, "", &faults) else {
                let fault = faults.all.first?.detail ?? Bilingual(en: "is not valid", fr: "n'est pas valide")
                throw ListRefusal(name, en: fault.en, fr: fault.fr)
            }
            assignment.apply(&record)
            values.append(field.column(record))
        }
        return ("\"\(name)\" IN (\(marks))", values)
    }

    private static func keys(_ sort: String, _ rules: ListRules, _ caller: Caller) throws(ListRefusal) -> [(column: String, descending: Bool)] {
        var keys: [(column: String, descending: Bool)] = []
        for part in sort.split(separator: ",", omittingEmptySubsequences: false) {
            let descending = part.hasPrefix("-")
            let name = String(descending ? part.dropFirst() : part)
            guard let column = rules.sorts[name], rules.permits(name, caller), !keys.contains(where: { $0.column == "\"\(column)\"" }) else {
                let known = rules.sorts.keys.filter { rules.permits($0, caller) }.sorted().joined(separator: ", ")
                throw ListRefusal("sort", en: "can be \(known), each once, with - in front for falling order", fr: "peut être \(known), chacun une fois, précédé de - pour l'ordre décroissant")
            }
            keys.append(("\"\(column)\"", descending))
        }
        // The id breaks ties, in the direction of the last key.
        if !keys.contains(where: { $0.column == "\"id\"" }) { keys.append(("\"id\"", keys.last?.descending ?? false)) }
        return keys
    }

    // MARK: Running it

    package func page(in connection: Connection, numbers: Heads.Snapshot) throws(DomainError) -> Page {
        try storing { () throws(DatabaseError) in
            var page = Page()
            var filter = conditions
            var bound = values
            if let after {
                let (condition, values) = beyond(after)
                filter.append(condition)
                bound += values
            }
            let order = keys.map { "\($0.column)\($0.descending ? " DESC" : "")" }.joined(separator: ", ")
            let sql = "SELECT rev, \(keys.map(\.column).joined(separator: ", ")) FROM \(R.type.rawValue)\(Self.whereClause(filter)) ORDER BY \(order)"
            let statement = try connection.statement(sql)
            defer { statement.reset() }
            try statement.bind(bound)
            var last: [Value] = []
            while try statement.step() {
                guard let shown = try Feed.document(rev: statement.integer(0), layers: caller.layers, number: { numbers.entries[$0]?.number }, in: connection) else { continue }
                if page.items.count == limit {
                    page.next = sealed(last)
                    break
                }
                page.items.append(shown.bytes)
                last = keys.indices.map { statement.value($0 + 1) }
            }
            if counts { page.total = try total(in: connection, numbers: numbers) }
            return page
        }
    }

    private func total(in connection: Connection, numbers: Heads.Snapshot) throws(DatabaseError) -> Int {
        let visible = caller.layers.compactMap { numbers.entries[$0]?.number }
        guard !visible.isEmpty else { return 0 }
        let shown = visible.map { _ in "EXISTS (SELECT 1 FROM feed WHERE place = ? + rev AND entry IS NOT NULL)" }.joined(separator: " OR ")
        let sql = "SELECT count(*) FROM \(R.type.rawValue)\(Self.whereClause(conditions + ["(\(shown))"]))"
        return try connection.first(sql, values + visible.map { .integer(Feed.place($0, 0)) }) { Int(truncatingIfNeeded: $0.integer(0)) } ?? 0
    }

    private static func whereClause(_ conditions: [String]) -> String { conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ") }

    /// The rows behind a place, also where keys run in different directions: greater in the first key, or equal in it and
    /// greater in the second, and so on.
    private func beyond(_ place: [Value]) -> (String, [Value]) {
        var alternatives: [String] = []
        var bound: [Value] = []
        for index in keys.indices {
            let equal = keys[..<index].map { "\($0.column) = ?" }
            alternatives.append("(" + (equal + ["\(keys[index].column) \(keys[index].descending ? "<" : ">") ?"]).joined(separator: " AND ") + ")")
            bound += place[...index]
        }
        return ("(" + alternatives.joined(separator: " OR ") + ")", bound)
    }

    // MARK: Places

    /// A place as clients pass it back: opaque, and bound to the order that it is a place in.
    private func sealed(_ place: [Value]) -> String {
        var json = JSONWriter()
        json.beginArray()
        json.string(sort)
        for value in place {
            switch value {
            case .integer(let number): json.integer(number)
            case .text(let text): json.string(text)
            case .null, .blob: json.null()
            }
        }
        json.endArray()
        return Base64URL.encode(json.bytes)
    }

    private static func place(_ text: String, sort: String, count: Int) throws(ListRefusal) -> [Value] {
        let refusal = ListRefusal(
            "after", en: "is no place in this list; take the address in `next` as it is, with the same sort",
            fr: "n'est pas un repère de cette liste ; reprenez l'adresse `next` telle quelle, avec le même tri")
        guard text.utf8.count <= 4096, let bytes = Base64URL.decode(text), let json = try? JSON.parse(bytes), case .array(let elements) = json,
            elements.count == count + 1, elements[0] == .string(sort)
        else { throw refusal }
        var values: [Value] = []
        for element in elements.dropFirst() {
            switch element {
            case .string(let text): values.append(.text(text))
            case .number(let text):
                guard let number = Int64(text) else { throw refusal }
                values.append(.integer(number))
            default: throw refusal
            }
        }
        return values
    }
}
