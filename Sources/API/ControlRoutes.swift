import Domain
import HTTP
import JSON
import SQLite
import Text

/// What only the operator may do, on the control socket: imports, exports, the feed's audit, and what is forgotten when.
struct ControlRoutes: Sendable {
    private let federation: Federation

    init(_ federation: Federation) { self.federation = federation }

    var routes: [Route] {
        [
            control("POST", "/control/import", bringIn),
            control("GET", "/control/export", export),
            control("POST", "/control/feed/verify", verify),
            control("POST", "/control/feed/rebuild", rebuild),
            control("GET", "/control/retention", terms),
            control("POST", "/control/retention/terms", setTerm),
            control("POST", "/control/retention/runs", forget),
            control("POST", "/control/erase", erase),
        ]
    }

    // These may take long and run on a thread of the control socket's own server, where nobody else waits.
    private func control(_ method: String, _ template: String, _ handler: @escaping @Sendable (Call) throws -> Response) -> Route {
        Route(method: method, template: template, needsToken: false, offers: ["application/json", "application/x-ndjson", "text/csv"], handler: .read(handler))
    }

    // MARK: Import

    /// The body is `{"dry_run": false, "files": [{"name": "coops.csv", "base64": "…"}]}`, base64 as in addresses. The answer
    /// is a line for each step of progress, `{"done": 500, "total": 43}`, and at the end one with the report, or the faults.
    private func bringIn(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let json = try call.json()
        var files: [ImportFile] = []
        for file in json["files"]?.elements ?? [] {
            guard let name = file["name"]?.stringValue, let bytes = file["base64"]?.stringValue.flatMap({ Base64URL.decode($0) }) else {
                throw Problem(DomainError.invalid([Fault("#/files", "field.type", en: "must be files with name and base64", fr: "doit contenir des fichiers avec name et base64")]))
            }
            files.append(ImportFile(name: name, bytes: bytes))
        }
        let language = call.request.language
        let lines = Monitor<(waiting: [[UInt8]], isOver: Bool)>(([], false))
        Import.begin(files, dryRun: json["dry_run"]?.boolValue ?? false, into: federation) { done, total in
            lines.change { $0.waiting.append(Self.line { json in json.member("done", done); json.member("total", total) }) }
        } done: { result in
            lines.change { state in
                state.waiting.append(Self.line { Self.write(result, language, to: &$0) })
                state.isOver = true
            }
        }
        return Response(status: 200, headers: ["Content-Type": "application/x-ndjson"], body: .stream {
            let piece = lines.when({ $0.isOver || !$0.waiting.isEmpty }) { state in
                defer { state.waiting = [] }
                return Array(state.waiting.joined())
            }
            return piece.isEmpty ? nil : piece
        })
    }

    private static func line(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        write(&json)
        json.endObject()
        return json.bytes + [0x0A]
    }

    private static func write(_ result: Result<ImportReport, ImportFailure>, _ language: Language, to json: inout JSONWriter) {
        switch result {
        case .success(let report):
            for (name, counts) in [("created", report.created), ("updated", report.updated), ("unchanged", report.unchanged)] {
                json.key(name)
                json.beginObject()
                for type in RecordType.allCases { if let count = counts[type] { json.member(type.plural, count) } }
                json.endObject()
            }
            json.key("notes")
            json.beginArray()
            for note in report.notes { json.string(note[language]) }
            json.endArray()
        case .failure(.faults(let faults)):
            json.key("faults")
            json.beginArray()
            for fault in faults {
                json.beginObject()
                json.member("file", fault.file)
                if let line = fault.line { json.member("line", line) }
                json.member("field", fault.field)
                json.member("code", fault.code)
                json.member("detail", fault.detail[language])
                json.endObject()
            }
            json.endArray()
        case .failure(.domain(let error)): json.member("error", Problem(error).detail[language])
        }
    }

    // MARK: Export

    /// `?type=coop&format=csv&bom=true`
    private func export(_ call: Call) throws -> Response {
        func value(_ name: String) -> String? { call.query.first { $0.name == name }?.value }
        guard let type = value("type").flatMap({ RecordType(rawValue: $0) }), let format = value("format").flatMap({ Export.Format(rawValue: $0) }) else {
            throw Problem.parameter("type", en: "Name a type and a format.", fr: "Indiquez un type et un format.")
        }
        let pieces = Export(type, as: format, for: call.caller, in: federation, bom: value("bom") == "true")
        let first = try pieces.next()
        let state = Monitor<[UInt8]?>(first)
        return Response(status: 200, headers: ["Content-Type": format == .csv ? "text/csv; charset=utf-8" : "application/x-ndjson"], body: .stream {
            state.withLock { next in
                defer { next = next == nil ? nil : (try? pieces.next()) ?? nil }
                return next
            }
        })
    }

    // MARK: Erasure

    /// The body is `{"type": "referent", "id": "0197…"}`.
    private func erase(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        var form = try Form(call.json(), knowing: ["type", "id"])
        let type = form.required("type", Codec<RecordType>.choice)
        let id = form.required("id", Codec<Identifier<Coop>>.reference())
        try form.throwIfAny()
        guard let type, let id else { preconditionFailure("what is missing is a fault") }
        let erasure = try federation.erase(type, Identifier(id), by: call.caller)
        return .json { erasure.write(to: &$0) }
    }

    // MARK: The feed

    private func verify(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let findings = try federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) }
        return .json { json in
            json.member("count", findings.count)
            json.key("findings")
            json.beginArray()
            for finding in findings.prefix(1000) { json.string("\(finding.type) \(finding.id) in \(finding.audience): \(finding.fault.rawValue)") }
            json.endArray()
        }
    }

    private func rebuild(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let count = try federation.perform { (tx) throws(DomainError) in try FeedAudit.rebuild(in: tx) }
        return .json { $0.member("count", count) }
    }

    // MARK: Retention

    private func terms(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let terms = federation.retentionTerms
        return .json { json in for term in Retention.Term.allCases { json.member(term.rawValue, terms[term]) } }
    }

    /// The body is `{"name": "referent_months", "value": 24}`.
    private func setTerm(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let json = try call.json()
        guard let term = json["name"]?.stringValue.flatMap({ Retention.Term(rawValue: $0) }) else {
            let names = Retention.Term.allCases.map(\.rawValue).joined(separator: ", ")
            throw DomainError.invalid([Fault("#/name", "choice.unknown", en: "must be one of: \(names)", fr: "doit être l'une de ces valeurs : \(names)")])
        }
        try federation.setTerm(term, to: json["value"]?.integerValue.flatMap { Int(exactly: $0) } ?? 0)
        return .json { $0.member(term.rawValue, federation.retentionTerms[term]) }
    }

    /// The body is `{"dry_run": true}`; the answer names the records that forgot, or would, by type.
    private func forget(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let report = try federation.applyRetention(dryRun: call.json()["dry_run"]?.boolValue ?? false)
        return .json { json in
            for part in report.parts {
                json.key(part.type.plural)
                json.beginArray()
                for id in part.ids { json.string(id) }
                json.endArray()
            }
        }
    }
}
