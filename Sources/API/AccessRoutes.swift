import Domain
import HTTP
import JSON
import Text

/// Who am I, and the tokens.
struct AccessRoutes: Sendable {
    let federation: Federation

    var routes: [Route] {
        [
            .read("/v1/me", me),
            .read("/v1/tokens", needsToken: true, list),
            Route(method: "POST", template: "/v1/tokens", needsToken: true, offers: ["application/json"], handler: .read(create)),
            Route(method: "DELETE", template: "/v1/tokens/{id}", needsToken: true, offers: ["application/json"], handler: .read(revoke)),
        ]
    }

    private func me(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let caller = call.caller
        let token = try caller.token.flatMap { id in try federation.allTokens().first { $0.id == id } }
        var json = JSONWriter()
        json.beginObject()
        json.member("role", caller.role?.rawValue)
        json.member("coop_id", caller.coop?.text)
        json.member("helper", caller.isHelper)
        json.member("referent_id", caller.referent?.text)
        json.key("layers")
        json.beginArray()
        for layer in caller.layers { json.string(layer.name) }
        json.endArray()
        json.member("token_id", caller.token?.text)
        json.member("label", token?.label)
        json.member("expires_at", token?.expires?.text)
        json.endObject()
        return .personal(json.bytes)
    }

    private func list(_ call: Call) throws -> Response {
        try checkAdmin(call)
        var json = JSONWriter()
        json.beginObject()
        json.key("items")
        json.beginArray()
        for token in try federation.allTokens() { token.write(to: &json) }
        json.endArray()
        json.endObject()
        return .personal(json.bytes)
    }

    // Waits for the writer on the HTTP thread: tokens are made by hand, now and then.
    private func create(_ call: Call) throws -> Response {
        try checkAdmin(call)
        let (token, secret) = try federation.createToken(Token.Draft(call.json()))
        var json = JSONWriter()
        token.write(to: &json, secret: secret.text)
        var response = Response.personal(json.bytes)
        response.status = 201
        response.headers.add("Location", "/v1/tokens/\(token.id)")
        return response
    }

    private func revoke(_ call: Call) throws -> Response {
        try checkAdmin(call)
        _ = try federation.revokeToken(call.id(of: Token.self))
        return Response(status: 204)
    }

    private func checkAdmin(_ call: Call) throws {
        guard call.caller.role == .federationAdmin else { throw DomainError.scopeMissing }
        try call.takesNoQuery()
    }
}

extension Response {
    /// JSON about a person or a device, which nobody keeps.
    fileprivate static func personal(_ bytes: [UInt8]) -> Response {
        Response(status: 200, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: bytes)
    }
}

extension Token {
    fileprivate func write(to json: inout JSONWriter, secret: String? = nil) {
        json.beginObject()
        json.member("id", id.text)
        json.member("role", role.rawValue)
        json.member("coop_id", coop?.text)
        json.member("helper", isHelper)
        json.member("referent_id", referent?.text)
        json.member("label", label)
        json.member("created_at", created.text)
        json.member("expires_at", expires?.text)
        json.member("revoked_at", revoked?.text)
        if let secret { json.member("token", secret) }
        json.endObject()
    }
}

extension Token.Draft {
    /// - Throws: `.invalid` with every fault.
    fileprivate init(_ json: JSON) throws(DomainError) {
        var form = try Form(json, knowing: ["role", "coop_id", "helper", "referent_id", "label", "expires_at"])
        let role = form.required("role", Codec<Role>.choice)
        let coop = form.optional("coop_id", Codec<Identifier<Coop>>.reference())
        let referent = form.optional("referent_id", Codec<Identifier<Referent>>.reference())
        let isHelper = form.value("helper", .flag) ?? false
        let label = form.value("label", .line(0...100)) ?? ""
        var expires: Timestamp?
        if let given = json["expires_at"], given != .null {
            expires = given.stringValue.flatMap { Timestamp($0) }
            if expires == nil {
                form.add("#/expires_at", "time.format", en: "must be a time such as 2026-12-31T22:59:00Z", fr: "doit être une date et heure comme 2026-12-31T22:59:00Z")
            }
        }
        try form.throwIfAny()
        guard let role else { preconditionFailure("a missing role is a fault") }
        self.init(role: role, coop: coop, isHelper: isHelper, referent: referent, label: label, expires: expires)
    }
}
