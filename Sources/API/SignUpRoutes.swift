import Domain
import HTTP
import JSON

/// `POST /v1/sessions/{id}/registrations`: a manager keys somebody in, or anyone signs up without a token and gets a secret link.
struct SignUpRoutes: Sendable {
    let federation: Federation
    let registrations: ResourceRoutes<Registration>
    /// Against mass sign-up of people who do not exist: by session, never by contact, which would tell who is registered.
    private let limiter = RateLimiter(limit: 20, windowSeconds: 3600)

    init(federation: Federation, registrations: ResourceRoutes<Registration>) {
        self.federation = federation
        self.registrations = registrations
    }

    var route: Route {
        Route(
            method: "POST", template: "/v1/sessions/{id}/registrations", needsToken: false, offers: ["application/json"], handler: .write(signUp),
            finishing: { outcome, call in call.caller.role == nil ? withLink(outcome) : outcome })
    }

    private func signUp(_ call: Call) throws -> Route.Write {
        guard call.caller.role == nil else { return try registrations.create(call, under: Session.self, by: "session_id") }
        try call.takesNoQuery()
        if call.isLimited {
            // Ids that are no session's must not fill the limiter.
            let session = try registrations.visibleParent(Session.self, call).text
            if let seconds = limiter.blocked(session) { throw Problem.rateLimited(retryAfter: seconds) }
            limiter.count(session)
        }
        return try registrations.write(call, under: Session.self) { session in
            let draft = try Draft<Registration>(registrations.body(call, with: "session_id", session.text), for: .create)
            return { (tx) throws(DomainError) in
                // A client's own id is no secret; a record that is there is not shown for knowing it.
                let created = try Registration.store.create(draft, by: .anonymous, in: tx)
                return Outcome(
                    status: 201, etag: ETag(rev: created.record.meta.rev, layer: Audience.public.letter).text, body: created.record.ownDocument,
                    record: (.registration, created.record.id.text))
            }
        }
    }

    /// The link is made anew with each answer, so that nothing secret is kept for repeated requests.
    private func withLink(_ outcome: Outcome) -> Outcome {
        guard let id = (try? JSON.parse(outcome.body))?["id"]?.stringValue.flatMap({ Identifier<Registration>($0) }) else { return outcome }
        var outcome = outcome
        let path = "/v1/my/registrations/\(federation.link(to: id).secret)"
        outcome.location = path
        outcome.body.removeLast()
        outcome.body += Array(",\"link\":\"\(path)\"}".utf8)
        return outcome
    }
}

/// `/v1/my/registrations/{secret}`: what a person without a token does with their own registration.
struct OwnRegistrationRoutes: Sendable {
    let federation: Federation
    private let path = "/v1/my/registrations/{secret}"

    init(federation: Federation) { self.federation = federation }

    var routes: [Route] {
        [
            .read(path, show),
            Route(method: "PATCH", template: path, needsToken: false, offers: ["application/json"], handler: .write(resize)),
            Route(method: "POST", template: path + "/transitions", needsToken: false, offers: ["application/json"], handler: .write(transition)),
        ]
    }

    private func show(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let registration = try federation.registration(link(call))
        return outcome(registration).response
    }

    private func resize(_ call: Call) throws -> Route.Write {
        try call.takesNoQuery()
        let link = try link(call)
        let patch = try Draft<Registration>(call.json("application/merge-patch+json"), for: .patch)
        guard patch.given == ["party_size"], patch.echoed.isEmpty else {
            throw DomainError.invalid([
                Fault("#", "registration.link", en: "with the link only party_size can be changed; call the co-op for the rest", fr: "avec le lien, seul party_size peut être modifié ; appelez la coopérative pour le reste")
            ])
        }
        var draft = Registration()
        patch.apply(to: &draft)
        let size = draft.partySize
        let expected = try call.expectation()
        return { (tx) throws(DomainError) in try outcome(Registration.store.resize(link, to: size, expecting: expected, in: tx)) }
    }

    private func transition(_ call: Call) throws -> Route.Write {
        try call.takesNoQuery()
        let link = try link(call)
        let step = try Transition<Registration.Status>(call.json())
        let expected = try call.expectation()
        return { (tx) throws(DomainError) in try outcome(Registration.store.transition(link, step, expecting: expected, in: tx)) }
    }

    private func link(_ call: Call) throws -> Registration.Link {
        guard let link = federation.link(call.parameters[0]) else { throw Problem.notFound }
        return link
    }

    private func outcome(_ registration: Registration) -> Outcome {
        Outcome(
            status: 200, etag: ETag(rev: registration.meta.rev, layer: Audience.public.letter).text, body: registration.ownDocument,
            record: (.registration, registration.id.text))
    }
}
