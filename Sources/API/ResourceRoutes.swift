import Domain
import HTTP
import JSON
import Text

/// List, read, create, change and delete of one type of record: the same five for each.
struct ResourceRoutes<R: Record>: Sendable {
    let federation: Federation
    /// `/v1/coops`
    let path: String

    init(_ federation: Federation) {
        self.federation = federation
        path = "/v1/" + R.type.plural
    }

    var routes: [Route] {
        [
            .read(path, needsToken: !R.isPublic, offers: ["application/json", "application/x-ndjson", "text/csv"], list),
            .write("POST", path, create),
            .read(path + "/{id}", needsToken: !R.isPublic, show),
            .write("PATCH", path + "/{id}", update),
            .write("DELETE", path + "/{id}", delete),
        ]
    }

    private func list(_ call: Call) throws -> Response {
        let listing: Listing<R>
        do throws(ListRefusal) {
            listing = try Listing<R>(call.query, rules: R.listRules, for: call.caller)
        } catch {
            throw Problem.parameter(error.parameter, en: "`\(error.parameter)` \(error.detail.en).", fr: "`\(error.parameter)` \(error.detail.fr).")
        }
        let numbers = federation.heads.snapshot
        let page = try federation.read { (connection) throws(DomainError) in try listing.page(in: connection, numbers: numbers) }
        let next = page.next.map { place in
            path + "?" + (call.query.filter { $0.name != "after" }.map { "\($0.name)=\(Query.escape($0.value))" } + ["after=\(place)"]).joined(separator: "&")
        }
        var response: Response
        switch MediaType.choose(call.request.headers["Accept"], from: ["application/json", "application/x-ndjson", "text/csv"]) {
        case "application/x-ndjson":
            response = Response(status: 200, headers: ["Content-Type": "application/x-ndjson"], body: Array(page.items.map { $0 + [0x0A] }.joined()))
        case "text/csv":
            response = Response(status: 200, headers: ["Content-Type": "text/csv; charset=utf-8; header=present"], body: R.csvHeader() + R.csv(page.items))
        default:
            response = Response(status: 200, headers: ["Content-Type": "application/json"], body: document(page, next: next))
        }
        if let next { response.headers.add("Link", "<\(next)>; rel=\"next\"") }
        response.headers.add("Cache-Control", "private, no-cache")
        return response
    }

    private func document(_ page: Listing<R>.Page, next: String?) -> [UInt8] {
        var json = JSONWriter(reserving: page.items.reduce(256) { $0 + $1.count + 1 })
        json.beginObject()
        json.key("items")
        json.beginArray()
        for item in page.items { json.raw(item) }
        json.endArray()
        if let next { json.member("next", next) }
        if let total = page.total { json.member("total", total) }
        json.endObject()
        return json.bytes
    }

    private func show(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let (etag, bytes) = try federation.document(of: call.id(of: R.self), for: call.caller)
        let isKnown = call.clientHas(etag.text)
        var response = Response(status: isKnown ? 304 : 200, body: isKnown ? [] : bytes)
        if !isKnown { response.headers.add("Content-Type", "application/json") }
        response.headers.add("ETag", etag.text)
        response.headers.add("Cache-Control", "private, no-cache")
        return response
    }

    private func create(_ call: Call) throws -> Route.Write {
        try R.authorize(.create, by: call.caller)
        try call.takesNoQuery()
        let draft = try Draft<R>(call.json(), for: .create)
        let caller = call.caller
        return { (tx) throws(DomainError) in
            let created = try R.store.create(draft, by: caller, in: tx)
            return try outcome(created.isNew ? 201 : 200, of: created.record, for: caller, isNew: created.isNew, in: tx)
        }
    }

    private func update(_ call: Call) throws -> Route.Write {
        try R.authorize(.change, by: call.caller)
        try call.takesNoQuery()
        let id = try call.id(of: R.self)
        let patch = try Draft<R>(call.json("application/merge-patch+json"), for: .patch)
        let expected = try call.expectation()
        let caller = call.caller
        return { (tx) throws(DomainError) in
            try outcome(of: R.store.update(id, with: patch, expecting: expected, by: caller, in: tx), for: caller, in: tx)
        }
    }

    private func delete(_ call: Call) throws -> Route.Write {
        try R.authorize(.delete, by: call.caller)
        try call.takesNoQuery()
        let id = try call.id(of: R.self)
        let expected = try call.expectation()
        let caller = call.caller
        return { (tx) throws(DomainError) in
            try R.store.delete(id, expecting: expected, by: caller, in: tx)
            return Outcome(status: 204)
        }
    }

    /// The record as the caller sees it after the write.
    func outcome(_ status: Int = 200, of record: R, for caller: Caller, isNew: Bool = false, in tx: Transaction) throws(DomainError) -> Outcome {
        guard let shown = try R.store.document(of: record, for: caller, in: tx) else { return Outcome(status: 204) }
        return Outcome(
            status: status, etag: ETag(rev: record.meta.rev, layer: shown.layer.letter).text, location: isNew ? "\(path)/\(record.id)" : nil,
            body: shown.bytes, record: (R.type, record.id.text))
    }

    /// A step of the type's state machine.
    func transition<State: CaseIterable>(
        taking fields: [State: Set<String>] = [:],
        _ step: @escaping @Sendable (Identifier<R>, Transition<State>, Expectation, Caller, Transaction) throws(DomainError) -> R
    ) -> Route {
        .write("POST", path + "/{id}/transitions") { call in
            try R.authorize(.transition, by: call.caller)
            try call.takesNoQuery()
            let id = try call.id(of: R.self)
            let transition = try Transition<State>(call.json(), taking: fields)
            let expected = try call.expectation()
            let caller = call.caller
            return { (tx) throws(DomainError) in try outcome(of: step(id, transition, expected, caller, tx), for: caller, in: tx) }
        }
    }
}

extension RecordType {
    /// As in paths: `coops`, `activities`.
    package var plural: String { self == .activity ? "activities" : rawValue + "s" }
}
