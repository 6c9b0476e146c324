import Domain

struct IdeaRoutes: Sendable {
    let federation: Federation

    var routes: [Route] {
        let ideas = ResourceRoutes<Idea>(federation)
        return ideas.routes + [
            ideas.transition { (id, step: Transition<Idea.Status>, expected, caller, tx) throws(DomainError) in
                try Idea.store.transition(id, step, expecting: expected, by: caller, in: tx)
            }
        ]
    }
}
