@testable import API
import Domain
import HTTP
import JSON
import TestSupport
import Testing

/// Every operation on an id, asked by everybody about a record of the one co-op, of another, and of nobody: the answers are those
/// that x-roles in openapi.yaml promises, and what one does not see is like what is not there, byte for byte.
///
/// A new type joins with a line in `MatrixKind.all`.
@Suite("The matrix of roles")
struct RoleMatrixTests {
    private static let absent = "0197a000-0000-7000-8000-00000000abcd"

    @Test("has a record of everything that has an id in an address")
    func isComplete() throws {
        let routes = try TestApp().app.routes.filter { $0.template.contains("{id}") }
        // Devices and erasures are no records, and have tests of their own.
        let collections = Set(routes.map { String($0.template.split(separator: "/")[1]) }).subtracting(["{type}", "devices", "erasures"])
        #expect(Set(MatrixKind.all.map(\.collection)) == collections.union(RecordType.allCases.map(\.plural)))
    }

    @Test("holds, on every operation with an id", arguments: MatrixKind.all)
    func holds(_ kind: MatrixKind) throws {
        let world = try MatrixWorld()
        let records = try [world.own, world.other].map { try kind.make(world, $0) }
        let operations = try Self.operations(on: kind.collection, world.app)
        #expect(!operations.isEmpty)
        var hidden = 0
        for person in world.people {
            for operation in operations {
                let nothing = try world.ask(operation, Self.absent, person, with: [("If-Match", "*")])
                #expect(nothing.status == 401 || nothing.status == 403 || nothing.status == 404, "\(operation) on nothing, by \(person): \(nothing.text)")
                for id in records {
                    let view = try kind.view(of: id, by: person, world)
                    // Where nothing is to be seen, nothing can happen; what is there has to stay for the next.
                    let answer = try world.ask(operation, id, person, with: view.sees ? [] : [("If-Match", "*")])
                    let expected = operation.statuses(for: person.caller, view)
                    #expect(expected.contains(answer.status), "\(operation) on \(view), by \(person): \(answer.status), not \(expected.sorted()): \(answer.text)")
                    guard !view.sees else { continue }
                    hidden += 1
                    #expect(Self.trace(answer, of: id) == Self.trace(nothing, of: Self.absent), "\(operation), by \(person)")
                }
            }
        }
        let strangers = world.people.filter { $0.caller.role?.belongsToCoop == true }
        for stranger in strangers {
            let others = stranger.caller.coop?.text == world.own ? records[1] : records[0]
            #expect(try kind.view(of: others, by: stranger, world).sees != kind.isPrivate, "\(stranger)")
        }
        #expect(hidden > 0 || !kind.isPrivate)
    }

    /// The answer without what differs from one request to the next: the address itself, the time, the request's own id.
    private static func trace(_ answer: TestAnswer, of id: String) -> String {
        let fields = answer.headers.filter { !["date", "request-id"].contains($0.name.lowercased()) }.map { "\($0.name): \($0.value)" }
        return "\(answer.status)\n\(fields.joined(separator: "\n"))\n\n\(answer.text.replacing(id, with: "{id}"))"
    }

    /// What the router serves below an id of the collection, as the contract describes it.
    private static func operations(on collection: String, _ app: TestApp) throws -> [MatrixOperation] {
        let contract = Docs.Contract(Outline(of: try app.get("/openapi.yaml").text))
        return try app.app.routes.filter { $0.template.contains("{id}") }.compactMap { route in
            let first = route.template.split(separator: "/")[1]
            // What lies below a webhook has an id of its own, and is in WebhookRoutesTests.
            if route.template.contains("{delivery}") { return nil }
            guard first == collection || (first == "{type}" && RecordType.allCases.contains { $0.plural == collection }) else { return nil }
            let written = try #require(contract.operations.first { $0.method == route.method && $0.path == route.template }, "\(route)")
            return MatrixOperation(written, path: route.template.replacing("{type}", with: collection), contract, absent: absent)
        }
    }
}

/// An operation of the contract, as far as it says who may call it and what it takes.
struct MatrixOperation: CustomStringConvertible {
    let method: String
    /// With `{id}`.
    let path: String
    let body: String?
    private let roles: Set<String>
    private let takesAnyone: Bool
    private let needsMatch: Bool
    /// Where the contract's words say more than its roles: what a device may do only if its holder helps at sessions.
    private static let forHelpers: Set = ["GET /v1/sessions/{id}/signatures"]
    var description: String { "\(method) \(path)" }

    init(_ operation: Docs.Contract.Operation, path: String, _ contract: Docs.Contract, absent: String) {
        method = operation.method
        let questions = operation.block["parameters"]?.elements.filter { $0["in"]?.text == "query" && $0["required"]?.text == "true" } ?? []
        self.path = path + (questions.isEmpty ? "" : "?") + questions.map { "\($0["name"]?.text ?? "")=\($0["example"]?.text ?? "")" }.joined(separator: "&")
        roles = Set(Outline.list(operation.block["x-roles"]?.value ?? ""))
        takesAnyone = operation.block["security"]?.value.contains("{}") ?? false
        needsMatch = operation.block["parameters"]?.elements.contains { $0.reference?.hasSuffix("/IfMatch") ?? false } ?? false
        let fields = operation.block["requestBody"]?.reference.flatMap { contract.schema($0) }?["properties"]
        let states = fields?["to"].map { $0.choices.isEmpty ? $0.reference.flatMap { contract.schema($0) }?.choices ?? [] : $0.choices }
        body =
            if let state = states?.first {
                #"{"to":"\#(state)"}"#
            } else if fields?["into"] != nil {
                #"{"into":"\#(absent)"}"#
            } else { operation.block["requestBody"] == nil ? nil : "{}" }
    }

    /// What a caller may be answered who sends no `If-Match` and nothing that could be stored.
    func statuses(for caller: Caller, _ view: MatrixView) -> Set<Int> {
        if let role = caller.role {
            if !roles.isEmpty, !roles.contains(role.rawValue) { return view.sees ? [403] : [403, 404] }
        } else if !takesAnyone { return [401] }
        guard view.sees else { return [404] }
        if caller.role == .referent, !caller.isHelper, Self.forHelpers.contains(description) { return [403] }
        let isOthers = caller.role?.belongsToCoop == true && !view.owns
        switch method {
        case "GET": return isOthers && !roles.isEmpty ? [200, 403] : [200]
        case _ where needsMatch: return isOthers ? [403] : [428]
        case "DELETE": return [204]
        // What is added below a record may need nothing but the record: a co-op endorses an idea.
        default: return [200, 201, 202, 409, 422]
        }
    }
}

extension Docs.Contract {
    /// `#/components/schemas/Idea/properties/status`
    func schema(_ reference: Substring) -> Outline? {
        let names = reference.split(separator: "/").dropFirst(2).map(String.init)
        guard let part = names.first.flatMap({ name in components.first { $0.key == name } }) else { return nil }
        return names.dropFirst().reduce(Optional(part)) { $0?[$1] }
    }
}
