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
        ] + registrations.routes.filter { $0.method != "POST" && $0.method != "DELETE" } + [
            .write("DELETE", "/v1/registrations/{id}", erase),
            registrations.list(under: Session.self, by: "session_id"),
            .read("/v1/registrations/{id}/export", needsToken: true, export),
            SignUpRoutes(federation: federation, registrations: registrations).route,
            registrations.transition(taking: Registration.transitionFields) { (id, step, expected, caller, tx) throws(DomainError) in
                try Registration.store.transition(id, step, expecting: expected, by: caller, in: tx)
            },
        ] + OwnRegistrationRoutes(federation: federation).routes + answers.routes + answers.routes(under: Session.self, by: "session_id")
    }

    /// With `erase=true` the person is forgotten, at once and for good (GDPR article 17); a registration is not deleted otherwise.
    private func erase(_ call: Call) throws -> Route.Write {
        try Registration.authorize(.delete, by: call.caller)
        guard call.query.allSatisfy({ $0.name == "erase" && $0.value == "true" }), call.query.count <= 1 else {
            throw Problem.parameter(call.query[0].name, en: "This address takes no query but `erase=true`.", fr: "Cette adresse n'accepte que le paramètre `erase=true`.")
        }
        let id = try call.id(of: Registration.self)
        let expected = try call.expectation()
        let caller = call.caller
        let isErasure = !call.query.isEmpty
        return { (tx) throws(DomainError) in
            if isErasure {
                try Registration.store.require(id, expecting: expected, for: caller, in: tx)
                _ = try Erasure.perform(id, by: caller, in: tx)
            } else {
                try Registration.store.delete(id, expecting: expected, by: caller, in: tx)
            }
            return Outcome(status: 204)
        }
    }

    /// Everything that is kept about one person, for whoever asks the co-op for it (GDPR article 15).
    private func export(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        try Registration.authorize(.change, by: call.caller)
        let id = try call.id(of: Registration.self)
        let document = try federation.document(of: id, for: call.caller).bytes
        let history = try federation.history(of: id, after: 0, limit: 10_000, for: call.caller)
        var json = JSONWriter(reserving: document.count + 200 * history.count)
        json.beginObject()
        json.member("exported_at", federation.now().text)
        json.key("registration")
        json.raw(document)
        json.key("history")
        json.beginArray()
        for entry in history { entry.write(to: &json) }
        json.endArray()
        json.endObject()
        return Response(
            status: 200,
            headers: ["Content-Type": "application/json", "Cache-Control": "no-store", "Content-Disposition": "attachment; filename=\"registration-\(id).json\""],
            body: json.bytes)
    }
}
