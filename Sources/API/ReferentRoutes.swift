import Domain

struct ReferentRoutes: Sendable {
    let federation: Federation

    var routes: [Route] {
        let mandates = ResourceRoutes<Referent>(federation)
        return mandates.routes + [
            mandates.transition(taking: Referent.transitionFields) { (id, step, expected, caller, tx) throws(DomainError) in
                try Referent.store.transition(id, step, expecting: expected, by: caller, in: tx)
            }
        ]
    }
}
