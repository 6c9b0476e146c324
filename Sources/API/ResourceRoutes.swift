import Domain
import HTTP
import JSON
import Text

/// List, read, create, change and delete of one type of record: the same five for each.
struct ResourceRoutes<R: Record>: Sendable {
    let federation: Federation
    /// `/v1/coops`
    let path: String
    /// Tells whoever creates a record something about it, as one more member of the answer.
    typealias Remark = (name: String, json: [UInt8])
    private let remark: (@Sendable (Draft<R>, Caller) throws(DomainError) -> Remark?)?

    init(_ federation: Federation, remarkingOn remark: (@Sendable (Draft<R>, Caller) throws(DomainError) -> Remark?)? = nil) {
        self.federation = federation
        self.remark = remark
        path = "/v1/" + R.type.plural
    }

    /// Without the operations that nobody may do.
    var routes: [Route] {
        var routes: [Route] = [.read(path, needsToken: !R.isPublic, offers: Self.formats) { try list($0) }, .read(path + "/{id}", needsToken: !R.isPublic, show)]
        if !R.roles(for: .create).isEmpty { routes.append(.write("POST", path) { try create($0, $0.json()) }) }
        if !R.roles(for: .change).isEmpty { routes.append(.write("PATCH", path + "/{id}", update)) }
        if !R.roles(for: .delete).isEmpty { routes.append(.write("DELETE", path + "/{id}", delete)) }
        return routes
    }

    static var formats: [String] { ["application/json", "application/x-ndjson", "text/csv"] }

    /// The records of one parent, which a field names: `/v1/ideas/{id}/endorsements`.
    func routes<Parent: Record>(under parent: Parent.Type, by field: String) -> [Route] {
        [list(under: parent, by: field), .write("POST", below(parent)) { try create($0, under: parent, by: field) }]
    }

    func list<Parent: Record>(under parent: Parent.Type, by field: String) -> Route {
        .read(below(parent), needsToken: !R.isPublic, offers: Self.formats) { call in
            guard call.query.allSatisfy({ $0.name != field }) else {
                throw Problem.parameter(field, en: "`\(field)` stands in the path already.", fr: "`\(field)` figure déjà dans le chemin.")
            }
            return try list(call, where: [(field, visibleParent(parent, call).text)])
        }
    }

    func create<Parent: Record>(_ call: Call, under parent: Parent.Type, by field: String) throws -> Route.Write {
        try write(call, under: parent) { id in try create(call, body(call, with: field, id.text)) }
    }

    /// A write below a parent. That the parent is not there is said before all else; but only who is refused has it looked up, since the
    /// rules of what lies below find it themselves.
    func write<Parent: Record>(_ call: Call, under parent: Parent.Type, _ prepare: (Identifier<Parent>) throws -> Route.Write) throws -> Route.Write {
        let id = try call.id(of: parent)
        // Imports may name a parent that the operator does not see: the rules let it past.
        if call.caller.isOperator { _ = try visibleParent(parent, call) }
        let write: Route.Write
        do { write = try prepare(id) } catch {
            _ = try visibleParent(parent, call)
            throw error
        }
        let caller = call.caller
        return { (tx) throws(DomainError) in
            do throws(DomainError) { return try write(tx) } catch {
                guard try Parent.store.isKnown(id, to: caller, in: tx) else { throw .notFound(type: Parent.type.rawValue) }
                throw error
            }
        }
    }

    private func below<Parent: Record>(_ parent: Parent.Type) -> String { "/v1/\(Parent.type.plural)/{id}/\(R.type.plural)" }

    func visibleParent<Parent: Record>(_ parent: Parent.Type, _ call: Call) throws -> Identifier<Parent> {
        let id = try call.id(of: parent)
        if try federation.findDocument(of: id, for: call.caller) == nil, try federation.replacement(of: id, for: call.caller) == nil {
            throw DomainError.notFound(type: Parent.type.rawValue)
        }
        return id
    }

    /// The body with the parent's id, which it may name itself if it names the same.
    func body(_ call: Call, with field: String, _ id: String) throws -> JSON {
        guard case .object(let members) = try call.json() else { return try call.json() }
        guard let given = members.first(where: { $0.name == field }) else { return .object(members + [JSON.Member(field, .string(id))]) }
        guard given.value == .string(id) else {
            throw DomainError.invalid([
                Fault("#/\(field)", "path.mismatch", en: "differs from the id in the path; leave it out", fr: "diffère de l'identifiant du chemin ; ne le fournissez pas")
            ])
        }
        return .object(members)
    }

    func list(_ call: Call, where fixed: [(name: String, value: String)] = []) throws -> Response {
        let format = MediaType.choose(call.request.headers["Accept"], from: Self.formats) ?? Self.formats[0]
        let place = ListPlace(path: call.request.path, query: call.request.query, format: format, layers: call.caller.layers)
        let numbers = federation.heads.snapshot
        let page: ListPage
        if let known = federation.lists.value(for: place, at: numbers) {
            page = known
        } else {
            page = try read(call, fixed, format, numbers)
            federation.lists.keep(page, bytes: page.body.count, for: place, at: numbers)
        }
        let type = format == "text/csv" ? "text/csv; charset=utf-8; header=present" : format
        var response = Response(status: 200, headers: ["Content-Type": type], body: page.body)
        if let next = page.next { response.headers.add("Link", "<\(next)>; rel=\"next\"") }
        response.headers.add("Cache-Control", "private, no-cache")
        return response
    }

    private func read(_ call: Call, _ fixed: [(name: String, value: String)], _ format: String, _ numbers: Heads.Snapshot) throws -> ListPage {
        let listing: Listing<R>
        do throws(ListRefusal) {
            listing = try Listing<R>(call.query + fixed, rules: R.listRules, for: call.caller)
        } catch {
            throw Problem.parameter(error.parameter, en: "`\(error.parameter)` \(error.detail.en).", fr: "`\(error.parameter)` \(error.detail.fr).")
        }
        let page = try federation.read { (connection) throws(DomainError) in try listing.page(in: connection, numbers: numbers) }
        let next = page.next.map { place in
            call.request.path + "?" + (call.query.filter { $0.name != "after" }.map { "\($0.name)=\(Query.escape($0.value))" } + ["after=\(place)"]).joined(separator: "&")
        }
        let body: [UInt8] =
            switch format {
            case "application/x-ndjson": Array(page.items.map { $0 + [0x0A] }.joined())
            case "text/csv": R.csvHeader() + R.csv(page.items)
            default: document(page, next: next)
            }
        return ListPage(body: body, next: next)
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
        let id = try call.id(of: R.self)
        if R.replacementColumn == nil {
            try call.takesNoQuery()
        } else if let canonical = try federation.replacement(of: id, for: call.caller) {
            guard try call.follows() else { return try stub(id, rev: canonical.rev, replacedBy: canonical.id, call) }
            return Response(status: 308, headers: ["Location": "\(path)/\(canonical.id)", "Cache-Control": "private, no-cache"])
        } else {
            _ = try call.follows()
        }
        return try answer(federation.document(of: id, for: call.caller), call)
    }

    /// What is left of a record that was merged into another: its document, for those who still have one.
    private func stub(_ id: Identifier<R>, rev: Int64, replacedBy canonical: Identifier<R>, _ call: Call) throws -> Response {
        if let document = try federation.findDocument(of: id, for: call.caller) { return answer(document, call) }
        var json = JSONWriter()
        json.beginObject()
        json.member("id", id.text)
        json.key("rev")
        json.integer(rev)
        json.member(R.replacementColumn ?? "canonical_id", canonical.text)
        json.endObject()
        return answer((ETag(rev: rev, layer: call.caller.layers.last?.letter ?? Audience.public.letter), json.bytes), call)
    }

    private func answer(_ document: (etag: ETag, bytes: [UInt8]), _ call: Call) -> Response {
        let (etag, bytes) = document
        let isKnown = call.clientHas(etag.text)
        var response = Response(status: isKnown ? 304 : 200, body: isKnown ? [] : bytes)
        if !isKnown { response.headers.add("Content-Type", "application/json") }
        response.headers.add("ETag", etag.text)
        response.headers.add("Cache-Control", "private, no-cache")
        return response
    }

    private func create(_ call: Call, _ body: JSON) throws -> Route.Write {
        try R.authorize(.create, by: call.caller)
        try call.takesNoQuery()
        let draft = try Draft<R>(body, for: .create)
        let caller = call.caller
        let remark = try remark?(draft, caller) ?? nil
        return { (tx) throws(DomainError) in
            let created = try R.store.create(draft, by: caller, in: tx)
            var outcome = try outcome(created.isNew ? 201 : 200, of: created.record, for: caller, isNew: created.isNew, in: tx)
            if let remark, created.isNew, outcome.body.last == UInt8(ascii: "}") {
                outcome.body.removeLast()
                outcome.body += Array(",\"\(remark.name)\":".utf8) + remark.json + [UInt8(ascii: "}")]
            }
            return outcome
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

    /// A change with rules of its own: `POST /v1/ideas/{id}/merge`.
    func operation<Input: Sendable>(
        _ name: String, _ action: Action, _ parse: @escaping @Sendable (JSON) throws(DomainError) -> Input,
        _ perform: @escaping @Sendable (Identifier<R>, Input, Expectation, Caller, Transaction) throws(DomainError) -> R
    ) -> Route {
        .write("POST", path + "/{id}/" + name) { call in
            try R.authorize(action, by: call.caller)
            try call.takesNoQuery()
            let id = try call.id(of: R.self)
            let input = try parse(call.json())
            let expected = try call.expectation()
            let caller = call.caller
            return { (tx) throws(DomainError) in try outcome(of: perform(id, input, expected, caller, tx), for: caller, in: tx) }
        }
    }

    /// The same without a body.
    func operation(
        _ name: String, _ action: Action, _ perform: @escaping @Sendable (Identifier<R>, Expectation, Caller, Transaction) throws(DomainError) -> R
    ) -> Route {
        .write("POST", path + "/{id}/" + name) { call in
            try R.authorize(action, by: call.caller)
            try call.takesNoQuery()
            try call.takesNoBody()
            let id = try call.id(of: R.self)
            let expected = try call.expectation()
            let caller = call.caller
            return { (tx) throws(DomainError) in try outcome(of: perform(id, expected, caller, tx), for: caller, in: tx) }
        }
    }

    /// A step of the type's state machine.
    func transition<State: CaseIterable>(
        taking fields: [State: Set<String>] = [:],
        _ step: @escaping @Sendable (Identifier<R>, Transition<State>, Expectation, Caller, Transaction) throws(DomainError) -> R
    ) -> Route {
        operation("transitions", .transition, { (json) throws(DomainError) in try Transition<State>(json, taking: fields) }, step)
    }
}

extension RecordType {
    /// As in paths: `coops`, `activities`.
    package var plural: String { self == .activity ? "activities" : rawValue + "s" }
}
