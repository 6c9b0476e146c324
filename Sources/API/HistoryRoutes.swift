import Domain
import HTTP
import JSON

/// What happened to a record: `/v1/referents/{id}/history`.
struct HistoryRoutes: Sendable {
    let federation: Federation

    var routes: [Route] { [.read("/v1/{type}/{id}/history", needsToken: true, show)] }

    private func show(_ call: Call) throws -> Response {
        guard let type = RecordType.allCases.first(where: { $0.plural[...] == call.parameters[0] }) else { throw Problem.notFound }
        return try show(type.record, call)
    }

    private func show<R: Record>(_ type: R.Type, _ call: Call) throws -> Response {
        let id = try call.id(of: R.self, at: 1)
        let (after, limit) = try page(call)
        let entries = try federation.history(of: id, after: after, limit: limit + 1, for: call.caller)
        var json = JSONWriter()
        json.beginObject()
        json.key("items")
        json.beginArray()
        for entry in entries.prefix(limit) { entry.write(to: &json) }
        json.endArray()
        if entries.count > limit { json.member("next", "\(call.request.path)?after=\(entries[limit - 1].rev)&limit=\(limit)") }
        json.endObject()
        return Response(status: 200, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: json.bytes)
    }

    private func page(_ call: Call) throws(Problem) -> (after: Int64, limit: Int) {
        try call.takesEachParameterOnce()
        var after: Int64 = 0
        var limit = 100
        for (name, value) in call.query {
            switch (name, Int64(value)) {
            case ("after", let rev?) where rev >= 0: after = rev
            case ("limit", let count?) where (1...500).contains(count): limit = Int(count)
            case ("after", _): throw .parameter(name, en: "`after` must be a rev.", fr: "`after` doit être un rev.")
            case ("limit", _): throw .parameter(name, en: "`limit` must be 1 to 500.", fr: "`limit` doit être compris entre 1 et 500.")
            default:
                throw .parameter(
                    name, code: "parameter.unknown", en: "`\(name)` is not known here; known are after and limit.",
                    fr: "`\(name)` est inconnu ici ; sont connus after et limit.")
            }
        }
        return (after, limit)
    }
}

extension History.Entry {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.key("rev")
        json.integer(rev)
        json.member("at", at.text)
        json.member("action", action.rawValue)
        json.member("from", from)
        json.member("to", to)
        json.key("fields")
        json.beginArray()
        for field in fields { json.string(field) }
        json.endArray()
        json.key("by")
        json.beginObject()
        json.member("actor", actor)
        json.member("coop_id", coop?.text)
        json.member("label", label)
        json.endObject()
        json.endObject()
    }
}
