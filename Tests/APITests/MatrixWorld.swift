@testable import API
import Domain
import JSON
import TestSupport
import Testing

/// A kind of record for `RoleMatrixTests`: where it is, and how a co-op comes by one.
struct MatrixKind: Sendable, CustomTestStringConvertible {
    /// As in addresses: `sessions`.
    let collection: String
    /// Whether other co-ops see nothing of the one that is made.
    let isPrivate: Bool
    /// Makes one for the co-op of this id, or for the federation where the kind is no co-op's, and gives its id.
    let make: @Sendable (MatrixWorld, String) throws -> String
    var testDescription: String { collection }

    private init(_ collection: String, isPrivate: Bool = false, _ make: @escaping @Sendable (MatrixWorld, String) throws -> String) {
        self.collection = collection
        self.isPrivate = isPrivate
        self.make = make
    }

    static let all = [
        MatrixKind("coops") { $1 },
        MatrixKind("sites") { try $0.post("sites", #"{"name":"Siège","workstations":2,"seats":5,"coop_id":"\#($1)"}"#, by: $1) },
        MatrixKind("referents") { try $0.post("referents", #"{"coop_id":"\#($1)","given_name":"Ana","family_name":"Muller","started_on":"2026-01-05"}"#, by: $1) },
        MatrixKind("themes") { world, _ in try world.post("themes", #"{"slug":"\#(world.word())","title":"Thème"}"#) },
        MatrixKind("questions") { world, _ in try world.post("questions", #"{"slug":"\#(world.word())","question":"Comment ?","theme_id":"\#(world.theme)"}"#) },
        MatrixKind("resources") { world, _ in try world.post("resources", #"{"slug":"\#(world.word())","title":"Guide","kind":"guide"}"#) },
        MatrixKind("prizes") { world, _ in try world.post("prizes", #"{"slug":"\#(world.word())","titles":["Prix"]}"#) },
        MatrixKind("ideas", isPrivate: true) { try $0.idea(of: $1, publishing: false) },
        MatrixKind("endorsements", isPrivate: true) { try $0.post("endorsements", #"{"idea_id":"\#($0.idea(of: $1, publishing: true))"}"#, by: $1) },
        MatrixKind("adoptions", isPrivate: true) { try $0.post("adoptions", #"{"idea_id":"\#($0.idea(of: $1, publishing: true))"}"#, by: $1) },
        MatrixKind("moocs") { world, _ in try world.post("moocs", #"{"slug":"\#(world.word())","title":"MOOC"}"#) },
        MatrixKind("modules", isPrivate: true) { world, _ in try world.post("modules", #"{"slug":"\#(world.word())","title":"Module","mooc_id":"\#(world.mooc)"}"#) },
        MatrixKind("activities") { world, _ in try world.post("activities", #"{"slug":"\#(world.word())","title":"Activité"}"#) },
        MatrixKind("facilitators", isPrivate: true) { try $0.post("facilitators", #"{"display_name":"Ana","kind":"employee"}"#, by: $1) },
        MatrixKind("sessions", isPrivate: true) { try $0.session(of: $1, "draft") },
        MatrixKind("registrations", isPrivate: true) {
            try $0.post("sessions/\($0.session(of: $1, "open"))/registrations", #"{"contact_name":"Jeanne","phone":"0299000000"}"#, by: $1)
        },
        MatrixKind("answers", isPrivate: true) {
            let session = try $0.session(of: $1, "open")
            $0.clock.advance(seconds: 7200)
            return try $0.post("sessions/\(session)/answers", #"{"filled_by":"Ana"}"#, by: $1)
        },
        MatrixKind("rounds", isPrivate: true) { try $0.post("rounds", #"{"month":"2026-03"}"#, by: $1) },
        MatrixKind("nominations", isPrivate: true) {
            try $0.post("rounds/\($0.post("rounds", #"{"month":"2026-03"}"#, by: $1))/nominations", #"{"title":"Goûter"}"#, by: $1)
        },
        MatrixKind("appointments", isPrivate: true) { try $0.post("appointments", #"{"opened_on":"2026-02-03"}"#, by: $1) },
        MatrixKind("pairings", isPrivate: true) { try $0.pairing(of: $1) },
        MatrixKind("meetings", isPrivate: true) {
            try $0.post("meetings", #"{"pairing_id":"\#($0.pairing(of: $1))","held_on":"2026-03-01","mode":"video"}"#, by: $1)
        },
        MatrixKind("webhooks", isPrivate: true) { try $0.post("webhooks", #"{"url":"https://hooks.exemple.coop/","events":["*"]}"#, by: $1) },
        MatrixKind("tokens", isPrivate: true) { try $0.post("tokens", #"{"role":"referent","coop_id":"\#($1)"}"#) },
    ]

    /// What the person sees of the record, by the feed; of what is no record, the federation's administrator sees all, and a manager
    /// the own co-op's webhooks.
    func view(of id: String, by person: MatrixWorld.Person, _ world: MatrixWorld) throws -> MatrixView {
        guard let type = RecordType.allCases.first(where: { $0.plural == collection }) else {
            let coop = Identifier<Webhook>(id).flatMap { world.app.federation.webhooks.find($0)?.coop }
            let owns = coop != nil && person.caller.role == .coopManager && person.caller.coop == coop
            return MatrixView(sees: owns || person.caller.role == .federationAdmin, owns: owns)
        }
        func view<R: Record>(_: R.Type) throws -> MatrixView {
            let id = try #require(Identifier<R>(id))
            let record = try world.app.federation.read { (connection) throws(DomainError) in try R.store.require(id, in: connection) }
            return try MatrixView(
                sees: world.app.federation.findDocument(of: id, for: person.caller) != nil, owns: person.caller.coop.map(record.owners.contains) ?? false)
        }
        return try view(type.record)
    }
}

/// How a person stands to a record.
struct MatrixView: CustomStringConvertible {
    let sees: Bool
    let owns: Bool
    var description: String { owns ? "its own" : "another's" + (sees ? "" : ", unseen") }
}

/// Two co-ops, somebody in every role, and what records need to be made.
final class MatrixWorld: Sendable {
    struct Person: Sendable, CustomStringConvertible {
        let description: String
        let caller: Caller
        let token: String?
    }

    let clock: TestClock
    let app: TestApp
    let own: String
    let other: String
    let theme: String
    let mooc: String
    let people: [Person]
    private let module: String
    private let admin: String
    private let managers: [String: String]

    init() throws {
        let clock = TestClock()
        var settings = Federation.Settings()
        settings.now = { clock.now }
        self.clock = clock
        app = try TestApp(federation: settings)
        (own, other) = (try app.addCoop("a-casa"), try app.addCoop("volcan"))
        (theme, mooc) = (try app.addTheme("social"), try app.addMooc("culture"))
        module = try app.add(Module.self, #"{"mooc_id":"\#(mooc)","slug":"bases","title":"Les bases","status":"published"}"#)
        people = try [
            Person("no token", nil, nil, app), Person("a dashboard", .federationReader, nil, app), Person("the federation", .federationAdmin, nil, app),
            Person("the manager", .coopManager, own, app), Person("another's manager", .coopManager, other, app),
            Person("a device", .referent, own, app), Person("a helper", .referent, own, app, helper: true),
        ]
        admin = people[2].token ?? ""
        managers = [own: people[3].token ?? "", other: people[4].token ?? ""]
    }

    func ask(_ operation: MatrixOperation, _ id: String, _ person: Person, with headers: [(String, String)]) throws -> TestAnswer {
        try app.send(operation.method, operation.path.replacing("{id}", with: id), operation.body, token: person.token, headers: headers)
    }

    // MARK: Making records

    /// A slug that is not yet taken.
    func word() -> String { "x-\(app.federation.heads.head)" }

    /// Makes a record as the co-op's manager, or as the federation, and gives its id.
    func post(_ path: String, _ body: String, by coop: String? = nil) throws -> String {
        let answer = try app.send("POST", "/v1/" + path, body, token: coop.flatMap { managers[$0] } ?? admin)
        #expect(answer.status == 201, "\(path): \(answer.text)")
        return try #require(answer.json()["id"]?.stringValue)
    }

    /// An idea that a co-op keeps for itself.
    func idea(of coop: String, publishing: Bool) throws -> String {
        let id = try post("ideas", #"{"title":"Jardin partagé","theme_id":"\#(theme)","scope":"coop"}"#, by: coop)
        if publishing {
            #expect(try app.send("POST", "/v1/ideas/\(id)/transitions", #"{"to":"published"}"#, token: managers[coop], headers: [("If-Match", "*")]).status == 200)
        }
        return id
    }

    /// Of peers: the co-op and a third one.
    func pairing(of coop: String) throws -> String {
        let third = try app.addCoop(word())
        return try post("pairings", #"{"kind":"peer","sponsor_coop_id":"\#(coop)","sponsored_coop_id":"\#(third)"}"#, by: coop)
    }

    /// A session in an hour from now.
    func session(of coop: String, _ status: String) throws -> String {
        let site = try post("sites", #"{"coop_id":"\#(coop)","name":"Antenne","workstations":5,"seats":8}"#, by: coop)
        let starts = clock.now.adding(seconds: 3600).text
        return try post("sessions", #"{"site_id":"\#(site)","module_id":"\#(module)","starts_at":"\#(starts)","capacity":2,"status":"\#(status)"}"#, by: coop)
    }
}

extension MatrixWorld.Person {
    fileprivate init(_ description: String, _ role: Role?, _ coop: String?, _ app: TestApp, helper: Bool = false) throws {
        self.description = description
        token = try role.map { try app.token($0, coop: coop, helper: helper) }
        let id = token.flatMap { Token.Secret($0) }?.id
        caller = role == nil ? .anonymous : Caller(token: id, role: role, coop: coop.flatMap { Identifier($0) }, isHelper: helper)
    }
}
