import Domain
import HTTP
import JSON

/// Group sessions, who leads them, who comes, and what the group has answered.
struct SessionRoutes: Sendable {
    let federation: Federation

    var routes: [Route] {
        let sessions = ResourceRoutes<Session>(federation)
        let registrations = ResourceRoutes<Registration>(federation)
        let answers = ResourceRoutes<AnswerSheet>(federation)
        return ResourceRoutes<Facilitator>(federation).routes + sessions.routes + [
            sessions.transition(taking: Session.transitionFields) { (id, step, expected, caller, tx) throws(DomainError) in
                try Session.store.transition(id, step, expecting: expected, by: caller, in: tx)
            },
            .read("/v1/sessions/{id}/calls", needsToken: true, offers: ResourceRoutes<Registration>.formats) { call in
                try Registration.authorize(.change, by: call.caller)
                return try registrations.list(call, where: [("session_id", registrations.visibleParent(Session.self, call).text), ("contact_task", "to_call")])
            },
        ] + registrations.routes.filter { $0.method != "POST" } + [
            registrations.list(under: Session.self, by: "session_id"),
            SignUpRoutes(federation: federation, registrations: registrations).route,
            registrations.transition(taking: Registration.transitionFields) { (id, step, expected, caller, tx) throws(DomainError) in
                try Registration.store.transition(id, step, expecting: expected, by: caller, in: tx)
            },
        ] + OwnRegistrationRoutes(federation: federation).routes + answers.routes + answers.routes(under: Session.self, by: "session_id")
    }
}
