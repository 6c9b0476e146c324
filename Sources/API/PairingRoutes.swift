import Domain
import HTTP
import JSON
import Text

/// Pairings, their meetings, and what people ask before and after: who could sponsor, who has sponsored whom.
struct PairingRoutes: Sendable {
    let federation: Federation

    var routes: [Route] {
        let pairings = ResourceRoutes<Pairing>(federation)
        let meetings = ResourceRoutes<Meeting>(federation)
        return pairings.routes + [
            pairings.transition(taking: Pairing.transitionFields) { (id, step, expected, caller, tx) throws(DomainError) in
                try Pairing.store.transition(id, step, expecting: expected, by: caller, in: tx)
            },
            .read("/v1/pairings/suggestions", needsToken: true, suggest),
        ] + meetings.routes + meetings.routes(under: Pairing.self, by: "pairing_id") + [.read("/v1/coops/{id}/lineage", needsToken: true, showLineage)]
    }

    // MARK: Suggestions

    private func suggest(_ call: Call) throws -> Response {
        let coop = try coop(call)
        let found = try federation.suggestedSponsors(of: coop, for: call.caller)
        let language = call.request.language
        var json = JSONWriter()
        json.beginObject()
        json.member("coop_id", coop.text)
        json.key("obstacles")
        json.remarks(found.obstacles, in: language)
        json.key("items")
        json.beginArray()
        for sponsor in found.sponsors {
            json.beginObject()
            json.coop(sponsor.coop)
            json.member("department_code", sponsor.coop.departmentCode)
            json.member("region_code", sponsor.coop.regionCode)
            json.member("free_places", sponsor.freePlaces)
            json.member("score", sponsor.score)
            json.key("reasons")
            json.remarks(sponsor.reasons, in: language)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return answer(json)
    }

    /// The co-op that the query names; a manager's own where it names none.
    private func coop(_ call: Call) throws(Problem) -> Identifier<Coop> {
        try call.takesEachParameterOnce()
        if let other = call.query.first(where: { $0.name != "coop_id" }) {
            throw .parameter(
                other.name, code: "parameter.unknown", en: "`\(other.name)` is not known here; known is coop_id.", fr: "`\(other.name)` est inconnu ici ; est connu coop_id.")
        }
        guard let value = call.query.first?.value else {
            if let own = call.caller.coop { return own }
            throw .parameter("coop_id", en: "`coop_id` is required: who looks for a sponsor.", fr: "`coop_id` est obligatoire : la coopérative qui cherche une marraine.")
        }
        guard let id = Identifier<Coop>(value) else {
            throw .parameter("coop_id", en: "`coop_id` must be an id: a UUID in lower case.", fr: "`coop_id` doit être un identifiant : un UUID en minuscules.")
        }
        return id
    }

    // MARK: Lineage

    private func showLineage(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let id = try call.id(of: Coop.self)
        let lineage = try federation.lineage(of: id, for: call.caller)
        var json = JSONWriter()
        json.beginObject()
        json.member("coop_id", id.text)
        for (name, links) in [("sponsors", lineage.sponsors), ("sponsored", lineage.sponsored)] {
            json.key(name)
            json.beginArray()
            for link in links { json.link(link) }
            json.endArray()
        }
        json.endObject()
        return answer(json)
    }

    private func answer(_ json: JSONWriter) -> Response {
        Response(status: 200, headers: ["Content-Type": "application/json", "Cache-Control": "private, no-cache"], body: json.bytes)
    }
}

extension JSONWriter {
    fileprivate mutating func coop(_ coop: Coop) {
        member("coop_id", coop.id.text)
        member("slug", coop.slug)
        member("name", coop.name)
    }

    fileprivate mutating func link(_ link: Lineage.Link) {
        beginObject()
        member("depth", link.depth)
        coop(link.coop)
        member("pairing_id", link.pairing.id.text)
        member("status", link.pairing.status.rawValue)
        member("identified_on", link.pairing.identifiedOn.text)
        member("signed_on", link.pairing.signedOn?.text)
        member("closed_on", link.pairing.closedOn?.text)
        endObject()
    }

    fileprivate mutating func remarks(_ remarks: [Suggestions.Remark], in language: Language) {
        beginArray()
        for remark in remarks {
            beginObject()
            member("code", remark.code)
            member("text", remark.text[language])
            endObject()
        }
        endArray()
    }
}
