import JSON
import SQLite
import Text

/// What a CSV cell of a field holds.
package enum Cell: Sendable { case text, integer, flag, list, json }

/// How a field's value travels: out of a request's JSON (checked), into and out of its column, and into a document.
package struct Codec<Value: Sendable & Equatable>: Sendable {
    package let cell: Cell
    package let isNullable: Bool
    /// The type of the record that the value names; nil for values that name none.
    package var target: RecordType?
    /// Adds a fault and returns nil when the value will not do.
    package let parse: @Sendable (JSON, _ pointer: String, inout Faults) -> Value?
    package let column: @Sendable (Value) -> SQLite.Value
    /// Binds what `column` gives.
    let bind: @Sendable (Value, Statement, Int) throws(DatabaseError) -> Void
    /// - Throws: where the column holds what only another program can have written.
    package let load: @Sendable (Statement, Int) throws(DatabaseError) -> Value
    package let write: @Sendable (Value, inout JSONWriter) -> Void

    init(
        cell: Cell, isNullable: Bool, target: RecordType? = nil, parse: @escaping @Sendable (JSON, _ pointer: String, inout Faults) -> Value?,
        column: @escaping @Sendable (Value) -> SQLite.Value, bind: (@Sendable (Value, Statement, Int) throws(DatabaseError) -> Void)? = nil,
        load: @escaping @Sendable (Statement, Int) throws(DatabaseError) -> Value, write: @escaping @Sendable (Value, inout JSONWriter) -> Void
    ) {
        (self.cell, self.isNullable, self.target) = (cell, isNullable, target)
        (self.parse, self.column, self.load, self.write) = (parse, column, load, write)
        if let bind { self.bind = bind } else { self.bind = { (value, statement, index) throws(DatabaseError) in try statement.bind(index, column(value)) } }
    }
}

extension Codec {
    /// The same, or null.
    package static func optional<Wrapped>(_ codec: Codec<Wrapped>) -> Codec where Value == Wrapped? {
        Codec(
            cell: codec.cell, isNullable: true, target: codec.target,
            parse: { json, pointer, faults in json == .null ? .some(nil) : codec.parse(json, pointer, &faults).map { .some($0) } },
            column: { $0.map(codec.column) ?? .null },
            bind: { (value, statement, index) throws(DatabaseError) in
                if let value { try codec.bind(value, statement, index) } else { try statement.bind(index, .null) }
            },
            load: { (statement, column) throws(DatabaseError) in statement.isNull(column) ? nil : try codec.load(statement, column) },
            write: { value, json in if let value { codec.write(value, &json) } else { json.null() } })
    }

    /// A value that is text in JSON and in its column; `read` gives nil for what is no such value.
    fileprivate static func text(
        _ code: String, en: String, fr: String, write: @escaping @Sendable (Value) -> String, read: @escaping @Sendable (String) -> Value?
    ) -> Codec {
        Codec(
            cell: .text, isNullable: false,
            parse: { json, pointer, faults in
                guard let text = json.text(at: pointer, &faults) else { return nil }
                guard let value = read(text) else {
                    faults.add(pointer, code, en: en, fr: fr)
                    return nil
                }
                return value
            },
            column: { .text(write($0)) },
            load: { (statement, column) throws(DatabaseError) in
                guard let value = read(statement.text(column)) else { throw statement.damage(column, "\(Value.self)") }
                return value
            },
            write: { $1.string(write($0)) })
    }
}

extension Codec {
    /// The same for texts of one length, in ASCII, without a `String` between them and their column or document, which is most of what that costs.
    fileprivate func inPlace(
        length: Int, read: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Value?, fill: @escaping @Sendable (Value, UnsafeMutableBufferPointer<UInt8>) -> Void
    ) -> Codec {
        Codec(
            cell: cell, isNullable: isNullable, target: target, parse: parse, column: column,
            bind: { (value, statement, index) throws(DatabaseError) in try statement.bind(index, textOfLength: length) { fill(value, $0) } },
            load: { (statement, column) throws(DatabaseError) in
                guard let value = statement.withUTF8(column, read) else { throw statement.damage(column, "\(Value.self)") }
                return value
            },
            write: { value, json in json.string(ofLength: length) { fill(value, $0) } })
    }
}

extension Codec where Value == String {
    /// One line of text: names, titles. Lengths count code points after NFC, as SQLite's length() does.
    package static func line(_ length: ClosedRange<Int>) -> Codec { prose(length, lines: false) }

    /// Text of several lines.
    package static func paragraph(_ length: ClosedRange<Int>) -> Codec { prose(length, lines: true) }

    private static func prose(_ length: ClosedRange<Int>, lines: Bool) -> Codec {
        Codec(
            cell: .text, isNullable: false,
            parse: { json, pointer, faults in
                guard let text = json.text(at: pointer, &faults)?.nfc else { return nil }
                if let bad = text.unicodeScalars.first(where: { $0.isForbiddenInText || (!lines && ($0 == "\n" || $0 == "\t")) }) {
                    let name = "U+" + String(bad.value, radix: 16, uppercase: true)
                    faults.add(
                        pointer, "text.forbidden-char", en: "holds a character that is not allowed here (\(name)); remove it",
                        fr: "contient un caractère non autorisé ici (\(name)) ; retirez-le")
                    return nil
                }
                guard length.contains(text.unicodeScalars.count) else {
                    faults.add(
                        pointer, "text.length", en: "must have \(length.lowerBound) to \(length.upperBound) characters",
                        fr: "doit compter de \(length.lowerBound) à \(length.upperBound) caractères")
                    return nil
                }
                if length.lowerBound > 0, text.allSatisfy(\.isWhitespace) {
                    faults.add(pointer, "text.blank", en: "must not be blank", fr: "ne doit pas être vide")
                    return nil
                }
                return text
            },
            column: { .text($0) }, load: { $0.text($1) }, write: { $1.string($0) })
    }

    /// A name for addresses: `a-casa-cumuna`.
    package static let slug = matched(
        "text.slug", en: "must be 1 to 80 of a-z, 0-9 and single hyphens inside", fr: "doit compter de 1 à 80 caractères parmi a-z, 0-9 et des traits d'union simples à l'intérieur"
    ) { isSlug($0, joinedBy: ["-"]) }

    /// The slug of an activity, which the federation's data writes with underscores: `land_development`.
    package static let activity = matched(
        "text.slug", en: "must be 1 to 80 of a-z, 0-9 and single hyphens or underscores inside",
        fr: "doit compter de 1 à 80 caractères parmi a-z, 0-9 et des traits d'union ou de soulignement simples à l'intérieur"
    ) { isSlug($0, joinedBy: ["-", "_"]) }

    private static func isSlug(_ text: String, joinedBy signs: Set<Character>) -> Bool {
        text.utf8.count <= 80 && !text.isEmpty
            && text.split(omittingEmptySubsequences: false, whereSeparator: signs.contains).allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
            }
    }

    /// A month of the calendar: `2026-03`.
    package static let month = matched(
        "month.format", en: "must be a month that exists, as YYYY-MM", fr: "doit être un mois qui existe, au format AAAA-MM"
    ) { Day("\($0)-01") != nil }

    /// An address that mail can be sent to: one @, a dot behind it, no space, at most 254 octets (RFC 5321 section 4.5.3.1.3).
    package static let email = matched(
        "email.format", en: "must be an e-mail address, such as prenom.nom@exemple.coop", fr: "doit être une adresse e-mail, comme prenom.nom@exemple.coop"
    ) { text in
        // By bytes: an address is checked at every sign-up, and a search for characters was most of its cost.
        let bytes = text.utf8
        guard bytes.count <= 254, let at = bytes.firstIndex(of: UInt8(ascii: "@")), bytes.startIndex < at, bytes[..<at].count <= 64 else { return false }
        var (dots, before) = (0, UInt8(ascii: "."))
        for byte in bytes[bytes.index(after: at)...] {
            if byte == UInt8(ascii: "@") || byte == UInt8(ascii: ".") && before == byte { return false }
            if byte == UInt8(ascii: ".") { dots += 1 }
            before = byte
        }
        return dots > 0 && before != UInt8(ascii: ".") && !bytes.contains { $0 <= 0x20 || $0 == 0x7F || forbiddenInEmail.contains($0) }
            && (bytes.allSatisfy { $0 < 0x80 } || !text.unicodeScalars.contains { $0.isForbiddenInText })
    }

    private static let forbiddenInEmail = Array("<>,;:\\\"()[]".utf8)

    /// An international number, `+` and 6 to 15 digits (ITU-T E.164); spaces, dots and hyphens are dropped, a French 0 becomes +33.
    package static let phone = Codec.text(
        "phone.format", en: "must be a phone number, such as +33 6 12 34 56 78", fr: "doit être un numéro de téléphone, comme +33 6 12 34 56 78",
        write: { $0 },
        read: { text in
            var digits = text.filter { !" .-\u{A0}\u{202F}()".contains($0) }
            if digits.utf8.count == 10, digits.hasPrefix("0") { digits = "+33" + digits.dropFirst() }
            guard digits.hasPrefix("+"), (7...16).contains(digits.utf8.count), digits.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return digits
        })

    /// An absolute http or https address without user name.
    package static let webAddress = matched(
        "url.format", en: "must be an address that begins with https:// or http://", fr: "doit être une adresse qui commence par https:// ou http://"
    ) { text in
        guard text.utf8.count <= 2000, let rest = ["https://", "http://"].lazy.filter({ text.hasPrefix($0) }).map({ text.dropFirst($0.count) }).first else { return false }
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return !host.isEmpty && !host.contains("@") && text.unicodeScalars.allSatisfy { $0.value > 0x20 && !$0.isForbiddenInText && !"<>\"\\".unicodeScalars.contains($0) }
    }

    /// One of a list that is no type of its own: department codes, time zones.
    package static func member(of list: Set<String>, _ code: String, en: String, fr: String) -> Codec { matched(code, en: en, fr: fr) { list.contains($0) } }

    private static func matched(_ code: String, en: String, fr: String, _ matches: @escaping @Sendable (String) -> Bool) -> Codec {
        let checked = text(code, en: en, fr: fr, write: { $0 }, read: { matches($0) ? $0 : nil })
        // What is stored was checked on its way in.
        return Codec(cell: .text, isNullable: false, parse: checked.parse, column: checked.column, load: { $0.text($1) }, write: checked.write)
    }
}

extension Codec where Value == Int {
    /// A whole number, sent without fraction or exponent.
    package static func integer(_ range: ClosedRange<Int>) -> Codec {
        Codec(
            cell: .integer, isNullable: false,
            parse: { json, pointer, faults in
                guard case .number(let text) = json else {
                    faults.add(pointer, "field.type", en: "must be a whole number", fr: "doit être un nombre entier")
                    return nil
                }
                guard text != "-0", let value = Int(text), range.contains(value) else {
                    faults.add(
                        pointer, "number.range", en: "must be a whole number from \(range.lowerBound) to \(range.upperBound)",
                        fr: "doit être un nombre entier de \(range.lowerBound) à \(range.upperBound)")
                    return nil
                }
                return value
            },
            column: { .integer(Int64($0)) }, load: { Int(truncatingIfNeeded: $0.integer($1)) }, write: { $1.integer(Int64($0)) })
    }
}

extension Codec where Value == Bool {
    package static let flag = Codec(
        cell: .flag, isNullable: false,
        parse: { json, pointer, faults in
            guard case .bool(let value) = json else {
                faults.add(pointer, "field.type", en: "must be true or false", fr: "doit être true ou false")
                return nil
            }
            return value
        },
        column: { .integer($0 ? 1 : 0) }, load: { $0.integer($1) != 0 }, write: { $1.bool($0) })
}

extension Codec where Value == Day {
    package static let day = Codec.text(
        "date.format", en: "must be a date that exists, as YYYY-MM-DD", fr: "doit être une date qui existe, au format AAAA-MM-JJ", write: { $0.text }, read: { Day($0) })
}

extension Codec where Value == Timestamp {
    /// An instant, kept as text that sorts.
    package static let time = Codec.text(
        "time.format", en: "must be a time such as 2026-12-31T22:59:00Z", fr: "doit être une date et heure comme 2026-12-31T22:59:00Z", write: { $0.text },
        read: { Timestamp($0) }
    ).inPlace(length: Timestamp.length, read: { Timestamp(utf8: $0) }, fill: { $0.fill($1) })
}

extension Codec where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the type's raw values.
    package static var choice: Codec {
        let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return Codec.text("choice.unknown", en: "must be one of: \(names)", fr: "doit être l'une de ces valeurs : \(names)", write: { $0.rawValue }, read: { Value(rawValue: $0) })
    }
}

extension Codec {
    /// The id of another record; that it exists is the foreign key's business.
    package static func reference<Of: Record>() -> Codec where Value == Identifier<Of> {
        var codec = Codec.text(
            "id.format", en: "must be an id: a UUID in lower case", fr: "doit être un identifiant : un UUID en minuscules", write: { $0.text }, read: { Identifier($0) }
        ).inPlace(length: Identifier<Of>.length, read: { Identifier(utf8: $0) }, fill: { $0.fill($1) })
        codec.target = Of.type
        return codec
    }

    /// A list, kept as JSON text in its column, each element checked at its own pointer.
    package static func list<Element>(of element: Codec<Element>, upTo limit: Int, unique: Bool = false) -> Codec where Value == [Element] {
        Codec(
            cell: .list, isNullable: false, target: element.target,
            parse: { json, pointer, faults in
                guard case .array(let items) = json else {
                    faults.add(pointer, "field.type", en: "must be a list", fr: "doit être une liste")
                    return nil
                }
                guard items.count <= limit else {
                    faults.add(pointer, "list.length", en: "must have at most \(limit) elements", fr: "doit compter au plus \(limit) éléments")
                    return nil
                }
                let values = items.enumerated().compactMap { element.parse($1, "\(pointer)/\($0)", &faults) }
                guard values.count == items.count else { return nil }
                if unique, let double = values.indices.first(where: { values[..<$0].contains(values[$0]) }) {
                    faults.add("\(pointer)/\(double)", "list.duplicate", en: "stands twice in the list", fr: "figure deux fois dans la liste")
                    return nil
                }
                return values
            },
            column: { .text(String(decoding: JSONWriter.list($0, element.write), as: UTF8.self)) },
            load: { (statement, column) throws(DatabaseError) in
                var faults = Faults()
                guard case .array(let items)? = try? JSON.parse(statement.blob(column)) else { throw statement.damage(column, "list") }
                return items.compactMap { element.parse($0, "", &faults) }
            },
            write: { values, json in
                json.beginArray()
                for value in values { element.write(value, &json) }
                json.endArray()
            })
    }
}

extension JSONWriter {
    fileprivate static func list<Element>(_ elements: [Element], _ write: (Element, inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.beginArray()
        for element in elements { write(element, &json) }
        json.endArray()
        return json.bytes
    }
}

extension JSON {
    fileprivate func text(at pointer: String, _ faults: inout Faults) -> String? {
        if case .string(let text) = self { return text }
        faults.add(pointer, "field.type", en: "must be text", fr: "doit être du texte")
        return nil
    }
}
