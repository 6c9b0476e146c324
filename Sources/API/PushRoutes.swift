import Domain
import HTTP
import JSON
import Text

/// `POST /v1/push`: what a device did while it was away.
struct PushRoutes: Sendable {
    let federation: Federation
    private static let most = 100

    var routes: [Route] { [.write("POST", "/v1/push", push)] }

    private func push(_ call: Call) throws -> Route.Write {
        try call.takesNoQuery()
        let mutations = try mutations(call)
        let language = call.request.language
        let push = Push(by: call.caller) { Problem($0).document(language: language, instance: "/v1/push") }
        let epoch = federation.epochs.current
        return { (tx) throws(DomainError) in
            let results = try push.run(mutations, in: tx)
            // A pull that has come to `seq` holds all that this push has brought about.
            try tx.publishPending()
            var json = JSONWriter(reserving: results.reduce(128) { $0 + $1.count + 1 })
            json.beginObject()
            json.member("epoch", epoch)
            json.key("seq")
            json.integer(tx.seq)
            json.key("results")
            json.beginArray()
            for result in results { json.raw(result) }
            json.endArray()
            json.endObject()
            return Outcome(status: 200, body: json.bytes)
        }
    }

    private func mutations(_ call: Call) throws -> [(json: JSON, parsed: Result<Mutation, DomainError>)] {
        let json = try call.json()
        var faults = Faults()
        guard case .object(let members) = json else { throw DomainError.invalid([Fault("#", "field.type", en: "must be an object", fr: "doit être un objet")]) }
        for member in members where member.name != "epoch" && member.name != "mutations" {
            faults.add("#/" + member.name.pointerEscaped, "field.unknown", en: "is not a member of a push", fr: "n'est pas un membre d'un envoi")
        }
        guard let epoch = json["epoch"]?.stringValue, let mutations = json["mutations"]?.elements else {
            faults.add("#", "field.required", en: "needs `epoch`, as the last pull gave it, and the list `mutations`", fr: "demande `epoch`, tel que reçu, et la liste `mutations`")
            throw DomainError.invalid(faults.all)
        }
        try faults.throwIfAny()
        guard mutations.count <= Self.most else { throw Problem.tooManyMutations(Self.most) }
        guard epoch == federation.epochs.current else { throw Problem.epochChanged(federation.epochs.current) }
        return mutations.map { json in
            do throws(DomainError) { return (json, .success(try Mutation(json))) } catch { return (json, .failure(error)) }
        }
    }
}

extension Problem {
    fileprivate static func tooManyMutations(_ most: Int) -> Problem {
        Problem(
            413, "push.too-many", title: Bilingual(en: "Too many mutations", fr: "Trop de mutations"),
            detail: Bilingual(en: "Send at most \(most) at once, in order; then the next.", fr: "Envoyez-en \(most) au plus à la fois, dans l'ordre ; puis les suivantes."),
            members: [("maximum", String(most))])
    }

    fileprivate static func epochChanged(_ epoch: String) -> Problem {
        Problem(
            409, "epoch_changed", title: Bilingual(en: "The server was restored", fr: "Le serveur a été restauré"),
            detail: Bilingual(
                en: "Pull first, keep what the device has not sent, and push it again under the new epoch.",
                fr: "Relisez d'abord, gardez ce que l'appareil n'a pas envoyé, et renvoyez-le avec la nouvelle époque."),
            members: [("epoch", JSONWriter.text(epoch)), ("next", "\"/v1/changes\"")])
    }
}
