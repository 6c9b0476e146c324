@testable import API
import Domain
import HTTP
import SQLite
import TestSupport
import Testing

/// openapi.yaml against the code that it describes. What the server answers is held against it by Tests/contract/check.py.
@Suite("The contract")
struct ContractTests {
    @Test("names the routes of the server, all of them and no other")
    func routes() throws {
        let app = try TestApp()
        let served = Set(app.app.routes.map { "\($0.method) \($0.template)" })
        let written = try Set(Self.contract(app).operations.map { "\($0.method) \($0.path)" })
        #expect(served.subtracting(written).sorted() == [], "served, but not in the contract")
        #expect(written.subtracting(served).sorted() == [], "in the contract, but not served")
    }

    @Test("carries the version of the program")
    func version() throws { #expect(try Self.contract(TestApp()).version == Version.text) }

    @Test("names the fields of each type, and what a client may set when", arguments: RecordType.allCases)
    func fields(type: RecordType) throws {
        func check<R: Record>(_: R.Type) throws {
            let schemas = try #require(try Self.contract(TestApp()).components.first { $0.key == "schemas" })
            let name = Self.schema(of: type)
            let shown = R.fields.filter { $0.access != .hidden }
            let meta: Set = ["id", "rev", "created_at", "updated_at"]
            #expect(Self.properties(schemas[name]) == meta.union(shown.map(\.name)))
            #expect(Self.properties(schemas[name + "Draft"]) == Set(["id"] + shown.filter { $0.access != .server }.map(\.name)))
            #expect(Self.list(schemas[name + "Draft"]?["required"]) == Set(shown.filter(\.isRequired).map(\.name)))
            #expect(Self.properties(schemas[name + "Patch"]) == meta.union(shown.map(\.name)))
            let settable = schemas[name + "Patch"]?["properties"]?.children.filter { !$0.value.contains("readOnly: true") }.map(\.key) ?? []
            #expect(Set(settable) == Set(shown.filter { $0.access == .client }.map(\.name)))
        }
        try check(type.record)
    }

    @Test("names every type in what it says of changes")
    func changes() throws {
        let schemas = try #require(try Self.contract(TestApp()).components.first { $0.key == "schemas" })
        #expect(schemas["RecordType"]?.choices == RecordType.allCases.map(\.rawValue))
        let documents = schemas["Put"]?["properties"]?["doc"]?["anyOf"]?.lines.compactMap(Outline.reference) ?? []
        #expect(documents.map(String.init) == RecordType.allCases.map { "#/components/schemas/" + Self.schema(of: $0) })
    }

    @Test("names the filters and orders of each list, and who may call what", arguments: RecordType.allCases)
    func lists(type: RecordType) throws {
        func check<R: Record>(_: R.Type) throws {
            let operations = try Self.contract(TestApp()).operations.filter { Self.subject(of: $0.path) == type.plural }
            let list = try #require(operations.first { $0.method == "GET" && !$0.path.hasSuffix("}") })
            let parameters = list.block["parameters"]?.elements ?? []
            let given = Set(parameters.compactMap { $0["name"]?.text } + parameters.filter { $0["name"] == nil }.compactMap { $0.reference?.split(separator: "/").last.map(String.init) })
            let common: Set = ["Limit", "After", "sort", "Count", "UpdatedSince"]
            #expect(given == common.union(R.listRules.filters).union(R.listRules.links.keys).union(R().searchText == nil ? [] : ["q"]))
            let orders = parameters.first { $0["name"]?.text == "sort" }?["schema"]
            #expect(Set(orders?["items"]?.choices ?? []) == Set(R.listRules.sorts.keys.flatMap { [$0, "-" + $0] }))
            #expect(orders?["default"]?.value == "[\(R.listRules.defaultSort)]")

            for operation in operations where operation.method != "GET" {
                let action: Action =
                    operation.path.hasSuffix("transitions") ? .transition
                    : operation.path.hasSuffix("merge") ? .merge : operation.method == "POST" ? .create : operation.method == "PATCH" ? .change : .delete
                #expect(Self.list(operation.block["x-roles"]) == Set(R.roles(for: action).map(\.rawValue)), "\(operation.method) \(operation.path)")
            }
        }
        try check(type.record)
    }

    @Test("tells what to do about each way in which the domain refuses")
    func codes() throws {
        let description = try Self.contract(TestApp()).description
        let full = DatabaseError(code: 13, message: "database or disk is full", sql: nil)
        for error in [DomainError.scopeMissing, .scopeNotYours, .idTaken(), .preconditionRequired, .stale(etag: ""), .tooCostly, .busy, .storageFull(full), .notFound(type: "coop")] {
            #expect(description.contains("`\(Problem(error).code)`"))
        }
    }

    @Test("names every event that webhooks are told of, as its own and as a value of its type")
    func events() throws {
        let contract = try Self.contract(TestApp())
        #expect(contract.events.map(\.name) == EventType.all)
        let type = contract.components.first { $0.key == "schemas" }?["Event"]?["properties"]?["type"]?["enum"]
        #expect(type?.elements.map { String($0.value) } == EventType.all)
    }

    // MARK: Reading it

    /// The plural of the type that a path is about: the last of its segments that is one.
    private static func subject(of path: String) -> String? {
        // What a secret link leads to is nobody's role, and a vote is no record.
        path.hasPrefix("/v1/my/") || path.hasSuffix("/votes") ? nil : path.split(separator: "/").last { segment in RecordType.allCases.contains { $0.plural == segment } }.map(String.init)
    }

    private static func contract(_ app: TestApp) throws -> Docs.Contract { Docs.Contract(Outline(of: try app.get("/openapi.yaml").text)) }
    private static func schema(of type: RecordType) -> String { type.rawValue.prefix(1).uppercased() + type.rawValue.dropFirst() }
    private static func properties(_ schema: Outline?) -> Set<String> { Set(schema?["properties"]?.children.map(\.key) ?? []) }

    private static func list(_ key: Outline?) -> Set<String> { Set(Outline.list(key?.value ?? "")) }
}
