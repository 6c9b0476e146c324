import JSON
import SQLite
import Text

/// An idea for the vie coopérative: what it is for, the steps, the variants, and what became of it.
package struct Idea: Record {
    package enum Scope: String, Sendable, CaseIterable { case network, coop }
    package enum Origin: String, Sendable, CaseIterable { case workshop, coop, federation }
    package enum Status: String, Sendable, CaseIterable { case draft, submitted, published, declined, archived, merged }
    package enum FederalStatus: String, Sendable, CaseIterable {
        case none, studied, planned, delivered, dropped
        case inProgress = "in_progress"
    }

    package static let type = RecordType.idea
    package static let store = Store<Idea>()

    package var meta = Meta()
    package var slug = ""
    package var title = ""
    /// Other titles under which people know it.
    package var aliases: [String] = []
    package var summary = ""
    package var steps: [String] = []
    package var variants: [Variant] = []
    package var examples: [String] = []
    package var recurrence: String?
    package var themeID = Identifier<Theme>(high: 0, low: 0)
    package var questionID: Identifier<Question>?
    package var resourceIDs: [Identifier<Resource>] = []
    package var prizeIDs: [Identifier<Prize>] = []
    package var scope = Scope.network
    package var authorCoopID: Identifier<Coop>?
    package var origin = Origin.coop
    package var status = Status.draft
    /// The canonical idea of a merged one.
    package var mergedIntoID: Identifier<Idea>?
    /// The idea that a merged one was merged into itself, which may have been merged further since.
    var mergedViaID: Identifier<Idea>?
    /// The ideas merged into this one, and their titles and aliases.
    package var mergedIdeaIDs: [Identifier<Idea>] = []
    package var mergedTitles: [String] = []
    /// Co-ops that endorse it.
    package var endorsementCount = 0
    /// Co-ops that run it or have completed it.
    package var adoptionCount = 0
    /// What the federation makes of it.
    package var federalStatus = FederalStatus.none
    /// From this day, at midnight in Paris, others than the federation see `federal_status`; nil: at once.
    package var federalVisibleFrom: Day?
    /// Whether that day has come; the clock sets it, so that a document does not depend on when it is read.
    var federalStatusVisible = true

    package init() {}

    package static let fields: [Field<Idea>] = [
        Field("slug", \.slug, .slug),
        Field("title", \.title, .line(1...200), required: true),
        Field("aliases", \.aliases, .list(of: .line(1...200), upTo: 20, unique: true)),
        Field("summary", \.summary, .paragraph(0...4000)),
        Field("steps", \.steps, .list(of: .paragraph(1...1000), upTo: 50)),
        Field("variants", \.variants, .list(of: Variant.codec, upTo: 20)),
        Field("examples", \.examples, .list(of: .line(1...500), upTo: 50)),
        Field("recurrence", \.recurrence, .optional(.line(1...200))),
        Field("theme_id", \.themeID, .reference(), required: true),
        Field("question_id", \.questionID, .optional(.reference())),
        Field("resource_ids", \.resourceIDs, .list(of: .reference(), upTo: 50, unique: true)),
        Field("prize_ids", \.prizeIDs, .list(of: .reference(), upTo: 20, unique: true)),
        Field("scope", \.scope, .choice),
        Field("author_coop_id", \.authorCoopID, .optional(.reference()), .creation),
        Field("origin", \.origin, .choice, .creation),
        Field("status", \.status, .choice, .server),
        Field("merged_into_id", \.mergedIntoID, .optional(.reference()), .server),
        Field("merged_via_id", \.mergedViaID, .optional(.reference()), .hidden),
        Field("merged_idea_ids", \.mergedIdeaIDs, .list(of: .reference(), upTo: 1000), .server),
        Field("merged_titles", \.mergedTitles, .list(of: .line(1...200), upTo: 10_000), .server),
        Field("endorsement_count", \.endorsementCount, .integer(0...Int.max), .server),
        Field("adoption_count", \.adoptionCount, .integer(0...Int.max), .server),
        Field("federal_status", \.federalStatus, .choice),
        Field("federal_visible_from", \.federalVisibleFrom, .optional(.day)),
        Field("federal_status_visible", \.federalStatusVisible, .flag, .hidden),
    ]

    package var searchText: String? { ([title] + aliases + mergedTitles + [summary]).joined(separator: "\n") }

    package var absence: Feed.Gone { replacement.map { .merged(into: $0.text) } ?? .scope }
    package var replacement: Identifier<Idea>? { status == .merged ? mergedIntoID : nil }
    package static var replacementColumn: String? { "merged_into_id" }

    private static let federal = Redaction(["federal_status", "federal_visible_from"], of: Self.self)

    package var readers: [Reader] {
        let hidden = federalStatusVisible ? .none : Self.federal
        var readers = [Reader(.federation)]
        if status == .merged { return readers }
        if status == .published, scope == .network {
            readers += [Reader(.network, hiding: hidden), Reader(.public, hiding: hidden)]
        } else if let authorCoopID {
            readers.append(Reader(.coop(authorCoopID), hiding: hidden))
        }
        return readers
    }
}

extension Idea {
    /// Another way to do it, with steps of its own.
    package struct Variant: Sendable, Equatable {
        package let slug: String
        package let title: String
        package let steps: [String]

        static let codec = Codec<Variant>(
            cell: .json, isNullable: false,
            parse: { json, pointer, faults in
                guard case .object(let members) = json else {
                    faults.add(pointer, "field.type", en: "must be an object of slug, title and steps", fr: "doit être un objet avec slug, title et steps")
                    return nil
                }
                for member in members where !["slug", "title", "steps"].contains(member.name) {
                    faults.add("\(pointer)/\(member.name.pointerEscaped)", "field.unknown", en: "is not a field of a variant", fr: "n'est pas un champ d'une variante")
                }
                for name in ["slug", "title"] where json[name] == nil {
                    faults.add("\(pointer)/\(name)", "field.required", en: "is required", fr: "est obligatoire")
                }
                let slug = json["slug"].flatMap { Codec<String>.slug.parse($0, "\(pointer)/slug", &faults) }
                let title = json["title"].flatMap { Codec<String>.line(1...200).parse($0, "\(pointer)/title", &faults) }
                let steps = Codec<[String]>.list(of: .paragraph(1...1000), upTo: 50).parse(json["steps"] ?? .array([]), "\(pointer)/steps", &faults)
                guard let slug, let title, let steps else { return nil }
                return Variant(slug: slug, title: title, steps: steps)
            },
            column: { _ in preconditionFailure("variants are stored as a list") },
            load: { _, _ in preconditionFailure("variants are stored as a list") },
            write: { variant, json in
                json.beginObject()
                json.member("slug", variant.slug)
                json.member("title", variant.title)
                json.key("steps")
                json.beginArray()
                for step in variant.steps { json.string(step) }
                json.endArray()
                json.endObject()
            })
    }
}
