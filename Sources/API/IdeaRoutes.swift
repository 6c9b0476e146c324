import Domain
import HTTP
import JSON

/// Ideas, and what co-ops do with them.
struct IdeaRoutes: Sendable {
    let federation: Federation

    var routes: [Route] {
        let ideas = ResourceRoutes<Idea>(federation, remarkingOn: remark)
        let endorsements = ResourceRoutes<Endorsement>(federation)
        let adoptions = ResourceRoutes<Adoption>(federation)
        return ideas.routes + [
            ideas.transition { (id, step: Transition<Idea.Status>, expected, caller, tx) throws(DomainError) in
                try Idea.store.transition(id, step, expecting: expected, by: caller, in: tx)
            },
            ideas.operation("merge", .merge, { (json) throws(DomainError) in try MergeRequest<Idea>(json) }) { (id, merge, expected, caller, tx) throws(DomainError) in
                try Idea.store.merge(id, into: merge.into, expecting: expected, by: caller, in: tx)
            },
            ideas.operation("unmerge", .merge) { (id, expected, caller, tx) throws(DomainError) in
                try Idea.store.unmerge(id, expecting: expected, by: caller, in: tx)
            },
        ] + endorsements.routes + endorsements.routes(under: Idea.self, by: "idea_id") + [
            endorsements.transition { (id, step, expected, caller, tx) throws(DomainError) in
                try Endorsement.store.transition(id, step, expecting: expected, by: caller, in: tx)
            }
        ] + adoptions.routes + adoptions.routes(under: Idea.self, by: "idea_id") + [
            adoptions.transition(taking: Adoption.transitionFields) { (id, step, expected, caller, tx) throws(DomainError) in
                try Adoption.store.transition(id, step, expecting: expected, by: caller, in: tx)
            }
        ]
    }

    /// Whoever brings an idea in hears which ones are near it.
    private func remark(_ draft: Draft<Idea>, _ caller: Caller) throws(DomainError) -> ResourceRoutes<Idea>.Remark? {
        var idea = Idea()
        draft.apply(to: &idea)
        let near = try federation.similarIdeas(title: idea.title, summary: idea.summary, for: caller).filter { $0.id != draft.id }
        if near.isEmpty { return nil }
        var json = JSONWriter()
        json.beginArray()
        for similar in near {
            json.beginObject()
            json.member("id", similar.id.text)
            json.member("title", similar.title)
            json.endObject()
        }
        json.endArray()
        return ("similar", json.bytes)
    }
}
