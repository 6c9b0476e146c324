import Domain
import HTTP
import JSON
import Text
import Webhooks

/// Webhooks as their owners keep them: the federation, and a co-op's manager.
struct WebhookRoutes: Sendable {
    let federation: Federation
    /// Which addresses may be saved.
    let addressGuard: AddressGuard

    private static let path = "/v1/webhooks"

    var routes: [Route] {
        [
            .read(Self.path, needsToken: true, list),
            // Neither is repeated by Idempotency-Key: no stored answer holds a secret.
            Route(method: "POST", template: Self.path, needsToken: true, offers: ["application/json"], handler: .read(create)),
            Route(method: "POST", template: Self.path + "/{id}/rotate", needsToken: true, offers: ["application/json"], handler: .read(rotate)),
            .read(Self.path + "/{id}", needsToken: true, show),
            .write("PATCH", Self.path + "/{id}", update),
            .write("DELETE", Self.path + "/{id}", delete),
        ] + DeliveryRoutes(federation: federation).routes
    }

    // MARK: Reading

    private func list(_ call: Call) throws -> Response {
        let query = try WebhookQuery(call, knowing: ["coop_id", "after", "limit"])
        let coop = try query.id("coop_id", of: Coop.self)
        let after = try query.id("after", of: Webhook.self)?.text ?? ""
        let all = try federation.webhooks(for: call.caller).filter { (coop == nil || $0.coop == coop) && $0.id.text > after }
        let limit = try query.limit()
        return .json { json in
            json.key("items")
            json.beginArray()
            for webhook in all.prefix(limit) { webhook.write(to: &json) }
            json.endArray()
            guard all.count > limit else { return }
            let filter = coop.map { "coop_id=\($0)&" } ?? ""
            json.member("next", "\(Self.path)?\(filter)after=\(all[limit - 1].id)&limit=\(limit)")
        }
    }

    private func show(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let webhook = try federation.webhook(call.id(of: Webhook.self), for: call.caller)
        let isKnown = call.clientHas(webhook.etag.text)
        var response = isKnown ? Response(status: 304) : Response(status: 200, headers: ["Content-Type": "application/json"], body: webhook.document())
        response.headers.add("ETag", webhook.etag.text)
        response.headers.add("Cache-Control", "private, no-cache")
        return response
    }

    // MARK: Making and changing

    // These two wait for the writer on the HTTP thread: it is done by hand, now and then.

    private func create(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        try Webhook.authorize(call.caller)
        let draft = try Webhook.Draft(call.json(), replacing: nil, addressGuard)
        let caller = call.caller
        let made = try federation.perform { (tx) throws(DomainError) in try Webhook.create(draft, by: caller, in: tx) }
        var response = made.answerWithSecret
        response.status = 201
        response.headers.add("Location", "\(Self.path)/\(made.id)")
        return response
    }

    private func rotate(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let id = try call.id(of: Webhook.self)
        let caller = call.caller
        _ = try federation.webhook(id, for: caller)
        var form = try Form(call.json(), knowing: ["drop_old"])
        let dropsOld = form.value("drop_old", .flag) ?? false
        try form.throwIfAny()
        return try federation.perform { (tx) throws(DomainError) in try Webhook.rotate(id, droppingOld: dropsOld, by: caller, in: tx) }.answerWithSecret
    }

    private func update(_ call: Call) throws -> Route.Write {
        try call.takesNoQuery()
        let id = try call.id(of: Webhook.self)
        let caller = call.caller
        let present = try federation.webhook(id, for: caller)
        let draft = try Webhook.Draft(call.json("application/merge-patch+json"), replacing: present, addressGuard)
        let expected = try call.expectation()
        return { (tx) throws(DomainError) in
            let changed = try Webhook.update(id, with: draft, expecting: expected, by: caller, in: tx)
            return Outcome(status: 200, etag: changed.etag.text, body: changed.document())
        }
    }

    private func delete(_ call: Call) throws -> Route.Write {
        try call.takesNoQuery()
        let id = try call.id(of: Webhook.self)
        let caller = call.caller
        _ = try federation.webhook(id, for: caller)
        let expected = try call.expectation()
        return { (tx) throws(DomainError) in
            try Webhook.delete(id, expecting: expected, by: caller, in: tx)
            return Outcome(status: 204)
        }
    }
}

extension Webhook {
    fileprivate func document(secret: String? = nil) -> [UInt8] {
        var json = JSONWriter()
        write(to: &json, secret: secret)
        return json.bytes
    }

    /// The one answer that shows it; nobody keeps it.
    fileprivate var answerWithSecret: Response {
        Response(
            status: 200, headers: ["Content-Type": "application/json", "Cache-Control": "no-store", "ETag": etag.text], body: document(secret: secrets.text))
    }

    fileprivate func write(to json: inout JSONWriter, secret: String? = nil) {
        json.beginObject()
        json.member("id", id.text)
        json.key("rev")
        json.integer(meta.rev)
        json.member("coop_id", coop?.text)
        json.member("url", url)
        json.key("events")
        json.beginArray()
        for event in events { json.string(event) }
        json.endArray()
        json.member("description", description)
        json.member("ordered", isOrdered)
        json.member("status", status.rawValue)
        json.member("disabled_reason", disabledReason?.rawValue)
        json.member("failing_since", failingSince?.text)
        json.member("delivered_at", delivered?.text)
        json.member("created_at", meta.created.text)
        json.member("updated_at", meta.updated.text)
        if let secret { json.member("secret", secret) }
        json.endObject()
    }
}

extension Webhook.Draft {
    private static let settable: Set = ["url", "events", "description", "ordered", "status"]

    /// - Parameter present: the webhook that is changed, whose other fields may come back as they are; nil where one is made.
    /// - Throws: `.invalid` with every fault.
    fileprivate init(_ json: JSON, replacing present: Webhook?, _ addressGuard: AddressGuard) throws(DomainError) {
        self.init()
        let document = present.flatMap { try? JSON.parse($0.document()) }
        let names = document?.members.map { Set($0.map(\.name)) } ?? []
        var form = try Form(json, knowing: Self.settable.union(names))
        for name in names.subtracting(Self.settable).sorted() where json[name] != nil && json[name] != document?[name] {
            form.add("#/\(name)", "field.read-only", en: "can't be set", fr: "ne peut pas être modifié")
        }
        let isNew = present == nil
        url = isNew ? form.required("url", .webAddressOfHook) : form.value("url", .webAddressOfHook)
        if let url, let refusal = addressGuard.refusal(of: url) { form.add("#/url", "webhook.url.forbidden", en: refusal.en, fr: refusal.fr) }
        events = isNew ? form.required("events", .list(of: .eventPattern, upTo: 100, unique: true)) : form.value("events", .list(of: .eventPattern, upTo: 100, unique: true))
        if events?.isEmpty == true { form.add("#/events", "list.length", en: "must name at least one event", fr: "doit désigner au moins un événement") }
        description = form.value("description", .line(0...200))
        isOrdered = form.value("ordered", .flag)
        // Only the server disables.
        if json["status"] != document?["status"] || isNew {
            status = form.value("status", .member(of: ["active", "paused"], "choice.unknown", en: "must be active or paused", fr: "doit valoir active ou paused"))
                .flatMap { Webhook.Status(rawValue: $0) }
        }
        try form.throwIfAny()
    }
}

extension Codec where Value == String {
    fileprivate static let webAddressOfHook = Codec.line(1...2000)
}

/// The few parameters of a list of webhooks or deliveries, each at most once.
struct WebhookQuery {
    private let call: Call

    init(_ call: Call, knowing names: [String]) throws(Problem) {
        try call.takesEachParameterOnce()
        if let other = call.query.first(where: { !names.contains($0.name) }) {
            let known = names.joined(separator: ", ")
            throw .parameter(
                other.name, code: "parameter.unknown", en: "`\(other.name)` is not known here; known are \(known).",
                fr: "`\(other.name)` est inconnu ici ; sont connus \(known).")
        }
        self.call = call
    }

    /// nil where the query does not name it, or `read` can't.
    func value<Value>(_ name: String, en: String, fr: String, _ read: (String) -> Value?) throws(Problem) -> Value? {
        guard let text = call.query.first(where: { $0.name == name })?.value else { return nil }
        guard let value = read(text) else { throw .parameter(name, en: "`\(name)` must be \(en).", fr: "`\(name)` doit être \(fr).") }
        return value
    }

    func id<Of>(_ name: String, of type: Of.Type) throws(Problem) -> Identifier<Of>? {
        try value(name, en: "an id", fr: "un identifiant") { Identifier<Of>($0) }
    }

    func limit() throws(Problem) -> Int {
        try value("limit", en: "1 to 500", fr: "compris entre 1 et 500") { Int($0).flatMap { (1...500).contains($0) ? $0 : nil } } ?? 100
    }
}
