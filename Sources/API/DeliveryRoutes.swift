import Domain
import HTTP
import JSON
import Text

/// What became of a webhook's events, and what its owner sends by hand.
struct DeliveryRoutes: Sendable {
    let federation: Federation

    private static let path = "/v1/webhooks/{id}"

    var routes: [Route] {
        [
            .read(Self.path + "/deliveries", needsToken: true, list), .read(Self.path + "/deliveries/{delivery}", needsToken: true, show),
            .write("POST", Self.path + "/deliveries/{delivery}/resend", resend), .write("POST", Self.path + "/ping", ping),
            .write("POST", Self.path + "/replay", replay), .write("POST", Self.path + "/redrive", redrive),
        ]
    }

    // MARK: Reading

    private func list(_ call: Call) throws -> Response {
        let id = try call.id(of: Webhook.self)
        let query = try WebhookQuery(call, knowing: ["state", "after", "limit"])
        let states = Delivery.State.allCases.map(\.rawValue).joined(separator: ", ")
        let state = try query.value("state", en: "one of \(states)", fr: "l'un de \(states)") { Delivery.State(rawValue: $0) }
        let seq = try query.value("after", en: "the id of a delivery", fr: "l'identifiant d'une livraison") { Self.seq($0) } ?? .max
        let limit = try query.limit()
        let found = try federation.deliveries(of: id, state: state, before: seq, limit: limit + 1, for: call.caller)
        return .json { json in
            json.key("items")
            json.beginArray()
            for delivery in found.prefix(limit) { delivery.write(to: &json) }
            json.endArray()
            guard found.count > limit else { return }
            let filter = state.map { "state=\($0.rawValue)&" } ?? ""
            json.member("next", "\(call.request.path)?\(filter)after=\(found[limit - 1].event.seq)&limit=\(limit)")
        }
    }

    private func show(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let found = try federation.delivery(of: call.id(of: Webhook.self), seq(call), for: call.caller)
        return Response(status: 200, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: found.document)
    }

    // MARK: Sending by hand

    private func ping(_ call: Call) throws -> Route.Write {
        let id = try webhook(call)
        let caller = call.caller
        return { (tx) throws(DomainError) in
            let seq = try Webhook.ping(id, by: caller, in: tx)
            return try Self.taken(id, seq, in: tx)
        }
    }

    private func resend(_ call: Call) throws -> Route.Write {
        let id = try webhook(call)
        let seq = try seq(call)
        let caller = call.caller
        return { (tx) throws(DomainError) in
            try Webhook.resend(id, seq, by: caller, in: tx)
            return try Self.taken(id, seq, in: tx)
        }
    }

    private func replay(_ call: Call) throws -> Route.Write {
        let id = try call.id(of: Webhook.self)
        let caller = call.caller
        _ = try federation.webhook(id, for: caller)
        let time = try WebhookQuery(call, knowing: ["since"]).value("since", en: "a time such as 2026-03-02T09:00:00Z", fr: "une date et heure comme 2026-03-02T09:00:00Z") {
            Timestamp($0)
        }
        guard let time else { throw Problem.parameter("since", en: "`since` is required: from when on.", fr: "`since` est obligatoire : depuis quand.") }
        try call.takesNoBody()
        return { (tx) throws(DomainError) in
            let count = try Webhook.replay(id, since: time, by: caller, in: tx)
            return Self.taken { $0.key("events"); $0.integer(count) }
        }
    }

    private func redrive(_ call: Call) throws -> Route.Write {
        let id = try webhook(call)
        let caller = call.caller
        return { (tx) throws(DomainError) in
            let done = try Webhook.redrive(id, by: caller, in: tx)
            return Self.taken { json in
                json.member("sent", done.sent)
                json.member("left", done.left)
            }
        }
    }

    /// Refuses, before the writer is asked, whoever may not see the webhook, and what comes along.
    private func webhook(_ call: Call) throws -> Identifier<Webhook> {
        try call.takesNoQuery()
        let id = try call.id(of: Webhook.self)
        _ = try federation.webhook(id, for: call.caller)
        try call.takesNoBody()
        return id
    }

    private func seq(_ call: Call) throws -> Int64 {
        guard call.parameters.count > 1, let seq = Self.seq(call.parameters[1]) else { throw Problem.notFound }
        return seq
    }

    private static func seq(_ text: some StringProtocol) -> Int64? { Int64(text).flatMap { $0 > 0 && String($0) == text ? $0 : nil } }

    // MARK: Answers

    private static func taken(_ id: Identifier<Webhook>, _ seq: Int64, in tx: Transaction) throws(DomainError) -> Outcome {
        Outcome(status: 202, location: "/v1/webhooks/\(id)/deliveries/\(seq)", body: try Webhook.delivery(of: id, seq, in: tx).document)
    }

    private static func taken(_ write: (inout JSONWriter) -> Void) -> Outcome {
        var json = JSONWriter()
        json.beginObject()
        write(&json)
        json.endObject()
        return Outcome(status: 202, body: json.bytes)
    }
}

extension Delivery {
    fileprivate var document: [UInt8] {
        var json = JSONWriter()
        write(to: &json)
        return json.bytes
    }

    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.key("id")
        json.integer(event.seq)
        json.member("event_id", event.id)
        json.key("event")
        json.raw(event.body)
        json.member("state", state.rawValue)
        json.member("attempts", attempts)
        json.member("next_at", next?.text)
        json.key("last")
        if attempts == 0, last.status == nil, last.error == nil {
            json.null()
        } else {
            last.write(to: &json)
        }
        json.endObject()
    }
}

extension Delivery.Attempt {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("at", at.text)
        json.member("milliseconds", milliseconds)
        json.key("status")
        if let status { json.integer(Int64(status)) } else { json.null() }
        json.member("error", error)
        json.member("answer", answer)
        json.endObject()
    }
}
