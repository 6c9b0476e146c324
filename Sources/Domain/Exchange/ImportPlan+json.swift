import JSON
import Text

extension ImportPlan {
    /// Many times what a request may hold: a federation's whole data in one file.
    private static let limits = JSONLimits(depth: 32, members: 2_000_000)

    mutating func readJSON(_ file: ImportFile, _ index: Int) {
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(file.bytes, limits: Self.limits)
        } catch {
            let place = ImportPlace(file: index, name: file.name, line: error.line, pointer: error.pointer)
            return fault(
                place, error.code.rawValue, en: "is no JSON that can be read: \(error.detail.en) (column \(error.column))",
                fr: "n'est pas du JSON lisible (colonne \(error.column)) : \(error.detail.fr)")
        }
        let source = JSONSource(file: index, name: file.name, json: json)
        switch json["meta"]?["schema"]?.stringValue {
        case "coop-registry-sample/1": registry(source)
        case "coop-mooc/1": mooc(source)
        case "coop-workshop/1": workshop(source)
        default:
            fault(
                ImportPlace(file: index, name: file.name, pointer: "#/meta/schema"), "import.schema",
                en: "must be one of: coop-registry-sample/1, coop-mooc/1, coop-workshop/1",
                fr: "doit être l'une de ces valeurs : coop-registry-sample/1, coop-mooc/1, coop-workshop/1")
        }
    }

    // MARK: The three layouts

    private mutating func registry(_ source: JSONSource) {
        for activity in source.json["meta"]?["activities"]?.members ?? [] {
            let members = [JSON.Member("slug", .string(activity.name)), JSON.Member("title", activity.value)]
            add(Activity.self, members, at: source.place("#/meta/activities/\(activity.name.pointerEscaped)"))
        }
        // Where the sample's figures come from stays in the sample; sites have no slug of their own here.
        let aside: Set = [
            "department_name", "department_basis", "region", "membership_evidence", "source", "as_of_year", "fictitious_fields", "activities_basis", "sites",
        ]
        for (coop, place) in elements("coops", of: source) {
            add(Coop.self, coop.filter { !aside.contains($0.name) }, at: place)
            let slug = JSON.Member("coop", coop.value(of: "slug") ?? .null)
            let sites = coop.value(of: "sites") ?? .array([])
            for (site, place) in elements(sites, at: place.pointer.map { $0 + "/sites" } ?? "", of: source) {
                add(Site.self, [slug] + site.filter { $0.name != "slug" }, at: place)
            }
        }
        leaveAside(["meta", "coops"], of: source)
    }

    private mutating func mooc(_ source: JSONSource) {
        for (mooc, place) in elements("moocs", of: source) { add(Mooc.self, mooc.filter { $0.name != "evidence" }, at: place) }
        for (module, place) in elements("modules", of: source) {
            let published = JSON.Member("status", .string(Module.Status.published.rawValue))
            add(Module.self, module.filter { !["evidence", "why"].contains($0.name) } + [published], at: place)
        }
        leaveAside(["meta", "moocs", "modules"], of: source)
    }

    private mutating func workshop(_ source: JSONSource) {
        for (theme, place) in elements("themes", of: source) { add(Theme.self, theme, at: place) }
        for (question, place) in elements("questions", of: source) { add(Question.self, question, at: place) }
        for (resource, place) in elements("resources", of: source) {
            add(Resource.self, resource.filter { !["candidate_urls", "note"].contains($0.name) }, at: place)
        }
        // An idea names its prizes; that a prize names its ideas says the same again.
        for (prize, place) in elements("prizes", of: source) { add(Prize.self, prize.filter { $0.name != "ideas" }, at: place) }
        let origin = [("origin", Idea.Origin.workshop.rawValue), ("status", Idea.Status.published.rawValue), ("scope", Idea.Scope.network.rawValue)]
        for (idea, place) in elements("ideas", of: source) {
            let kept = idea.filter { !["order", "question_deduced", "resources_scope", "core_resource"].contains($0.name) }
            add(Idea.self, kept + origin.map { JSON.Member($0.0, .string($0.1)) }, at: place)
        }
        leaveAside(["meta", "themes", "questions", "resources", "prizes", "ideas"], of: source)
    }

    // MARK: Their parts

    private mutating func elements(_ name: String, of source: JSONSource) -> [(members: [JSON.Member], place: ImportPlace)] {
        elements(source.json[name] ?? .null, at: "#/\(name)", of: source)
    }

    /// The objects of a list; anything else is a fault.
    private mutating func elements(_ list: JSON, at pointer: String, of source: JSONSource) -> [(members: [JSON.Member], place: ImportPlace)] {
        guard let elements = list.elements else {
            fault(source.place(pointer), "field.type", en: "must be a list", fr: "doit être une liste")
            return []
        }
        var objects: [(members: [JSON.Member], place: ImportPlace)] = []
        for (index, element) in elements.enumerated() {
            let place = source.place("\(pointer)/\(index)")
            if let members = element.members {
                objects.append((members, place))
            } else {
                fault(place, "field.type", en: "must be an object", fr: "doit être un objet")
            }
        }
        return objects
    }

    /// Says which parts of a file have no resource that could hold them.
    private mutating func leaveAside(_ taken: Set<String>, of source: JSONSource) {
        let names = (source.json.members ?? []).map(\.name).filter { !taken.contains($0) }.joined(separator: ", ")
        guard !names.isEmpty else { return }
        note(
            Bilingual(
                en: "\(source.name): left aside, since the server has no place for it yet: \(names).",
                fr: "\(source.name) : laissé de côté, le serveur n'ayant pas encore de place pour cela : \(names)."))
    }
}

/// A JSON file in reading.
private struct JSONSource {
    let file: Int
    let name: String
    let json: JSON

    func place(_ pointer: String) -> ImportPlace { ImportPlace(file: file, name: name, pointer: pointer) }
}

extension [JSON.Member] {
    fileprivate func value(of name: String) -> JSON? { first { $0.name == name }?.value }
}
