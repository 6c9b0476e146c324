import Domain
import HTTP
import JSON
import Text

/// Devices as their managers see them, and the one-time codes by which they come in.
struct DeviceRoutes: Sendable {
    let federation: Federation
    /// Wrong codes by address.
    private let failures = RateLimiter(limit: 10, windowSeconds: 60)
    /// Of first groups that name no row: they die like those that do, so that nobody learns which there are.
    private let guesses = RateLimiter(limit: Enrolment.tries, windowSeconds: Int(Enrolment.lifetimeSeconds))

    init(federation: Federation) { self.federation = federation }

    var routes: [Route] {
        [
            .read("/v1/devices", needsToken: true, list),
            // Neither is repeated by Idempotency-Key: no stored answer holds a secret.
            Route(method: "POST", template: "/v1/devices/codes", needsToken: true, offers: ["application/json"], handler: .read(createCode)),
            Route(method: "DELETE", template: "/v1/devices/{id}", needsToken: true, offers: ["application/json"], handler: .read(revoke)),
            Route(method: "POST", template: "/v1/enrolments", needsToken: false, offers: ["application/json"], handler: .read(enrol)),
        ]
    }

    // These wait for the writer on the HTTP thread: it is done by hand, now and then.

    private func list(_ call: Call) throws -> Response {
        try call.takesEachParameterOnce()
        var (coop, after, limit): (Identifier<Coop>?, String, Int) = (nil, "", 100)
        for (name, value) in call.query {
            switch name {
            case "coop_id":
                guard let id = Identifier<Coop>(value) else { throw Problem.parameter(name, en: "`coop_id` must be an id.", fr: "`coop_id` doit être un identifiant.") }
                coop = id
            case "after":
                guard Identifier<Token>(value) != nil else { throw Problem.parameter(name, en: "`after` must be an id.", fr: "`after` doit être un identifiant.") }
                after = value
            case "limit":
                guard let count = Int(value), (1...500).contains(count) else {
                    throw Problem.parameter(name, en: "`limit` must be 1 to 500.", fr: "`limit` doit être compris entre 1 et 500.")
                }
                limit = count
            default:
                throw Problem.parameter(
                    name, code: "parameter.unknown", en: "`\(name)` is not known here; known are coop_id, after and limit.",
                    fr: "`\(name)` est inconnu ici ; sont connus coop_id, after et limit.")
            }
        }
        let devices = try federation.devices(of: coop, for: call.caller).filter { $0.token.id.text > after }
        return .json { json in
            json.key("items")
            json.beginArray()
            for device in devices.prefix(limit) { device.write(to: &json) }
            json.endArray()
            if devices.count > limit {
                let filter = coop.map { "coop_id=\($0)&" } ?? ""
                json.member("next", "/v1/devices?\(filter)after=\(devices[limit - 1].token.id)&limit=\(limit)")
            }
        }
    }

    private func createCode(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        var form = try Form(call.json(), knowing: ["coop_id", "referent_id", "helper", "label"])
        let coop = form.optional("coop_id", Codec<Identifier<Coop>>.reference())
        let referent = form.optional("referent_id", Codec<Identifier<Referent>>.reference())
        let isHelper = form.value("helper", .flag) ?? false
        let label = form.value("label", .line(0...100)) ?? ""
        try form.throwIfAny()
        let made = try federation.createEnrolment(.init(coop: coop, isHelper: isHelper, referent: referent, label: label), by: call.caller)
        var response = Response.json { json in
            json.member("code", made.code.text)
            json.member("coop_id", made.coop.text)
            json.member("expires_at", made.expires.text)
        }
        response.status = 201
        return response
    }

    private func revoke(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        try federation.revokeDevice(call.id(of: Token.self), by: call.caller)
        return Response(status: 204)
    }

    private func enrol(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        if call.isLimited, let seconds = failures.blocked(call.remote) { throw Problem.rateLimited(retryAfter: seconds) }
        var form = try Form(call.json(), knowing: ["code", "label"])
        let text = form.required("code", .line(1...64))
        let label = form.value("label", .line(0...100)) ?? ""
        try form.throwIfAny()
        guard let text, let code = Enrolment.Code(text) else { throw DomainError.unknownCode }
        let outcome = try federation.enrol(code, label: label)
        switch outcome {
        case .enrolled(let token, let secret):
            var response = Response.json { json in
                json.member("token", secret.text)
                json.member("token_id", token.id.text)
                json.member("coop_id", token.coop?.text)
                json.member("referent_id", token.referent?.text)
                json.member("helper", token.isHelper)
                json.member("label", token.label)
            }
            response.status = 201
            return response
        case .spent:
            if call.isLimited { failures.count(call.remote) }
            throw DomainError.spentCode
        case .unknown(let isNamed):
            if call.isLimited { failures.count(call.remote) }
            guard !isNamed else { throw DomainError.unknownCode }
            guard guesses.blocked(code.name) == nil else { throw DomainError.spentCode }
            guesses.count(code.name)
            throw DomainError.unknownCode
        }
    }
}

extension DomainError {
    fileprivate static let unknownCode = DomainError.invalid([
        Fault("#/code", "enrolment.unknown", en: "is not right; type it as the manager shows it", fr: "n'est pas correct ; saisissez-le comme le gestionnaire l'affiche")
    ])

    fileprivate static let spentCode = DomainError.gone(
        code: "enrolment.spent",
        Bilingual(
            en: "This code was used, is too old, or was tried too often. Ask your manager for a new one.",
            fr: "Ce code a servi, est trop ancien ou a été essayé trop souvent. Demandez-en un nouveau à votre gestionnaire."))
}

extension Device {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", token.id.text)
        json.member("label", token.label)
        json.member("coop_id", token.coop?.text)
        json.member("referent_id", token.referent?.text)
        json.member("helper", token.isHelper)
        json.member("created_at", token.created.text)
        json.member("seen_at", seen?.at.text)
        json.member("app", seen?.app)
        json.key("behind")
        if let behind { json.integer(behind) } else { json.null() }
        json.member("expires_at", token.expires?.text)
        json.member("revoked_at", token.revoked?.text)
        json.endObject()
    }
}
