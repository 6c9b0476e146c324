import API
@testable import Domain
import JSON
@testable import Replica
import SQLite
import TestSupport
import Testing

@Suite("A client with a copy and an outbox")
struct ReplicaTests {
    let app: TestApp
    let coop: String
    let manager: String
    private let files = TestFolder()

    init() throws {
        app = try TestApp()
        coop = try app.addCoop("a-casa")
        manager = try app.token(.coopManager, coop: coop)
    }

    private func replica(_ name: String = "phone", token: String? = nil) throws -> Replica {
        Replica(store: try LocalStore(path: files.file(name)), transport: DirectTransport(app: app.app, token: token ?? manager))
    }

    private func fields(_ text: String) throws -> JSON { try JSON.parse(Array(text.utf8)) }

    private func newReferent(_ family: String = "Muller") throws -> LocalChange {
        LocalChange(.create, "referent", fields: try fields(#"{"coop_id":"\#(coop)","given_name":"Ana","family_name":"\#(family)","started_on":"2026-01-05"}"#))
    }

    @Test("what is done without a network shows at once, survives the process, and is the server's after a synchronization")
    func worksOffline() throws {
        let phone = try replica()
        try phone.pull()
        let id = try phone.note(newReferent())
        try phone.note(LocalChange(.patch, "referent", id, fields: fields(#"{"job_title":"Gardienne"}"#)))
        #expect(try replica().document("referent", id)?["job_title"]?.stringValue == "Gardienne")
        #expect(try replica().waiting == 2)
        #expect(try app.get("/v1/referents/\(id)", token: manager).status == 404)
        try replica().synchronize()
        #expect(try app.get("/v1/referents/\(id)", token: manager).json()["job_title"]?.stringValue == "Gardienne")
        #expect(try replica().document("referent", id) == app.get("/v1/referents/\(id)", token: manager).json())
        #expect(try replica().waiting == 0 && replica().check() == 0)
    }

    @Test("of two edits of a field the later one loses, its person is told, and both copies are the same")
    func tellsTheLoser() throws {
        let (one, two) = (try replica("one"), try replica("two", token: app.token(.coopManager, coop: coop)))
        let id = try one.note(newReferent())
        try one.synchronize()
        try two.synchronize()
        try one.note(LocalChange(.patch, "referent", id, fields: fields(#"{"job_title":"Un","work_email":"un@a.coop"}"#)))
        try two.note(LocalChange(.patch, "referent", id, fields: fields(#"{"job_title":"Deux","work_phone":"+33612345678"}"#)))
        #expect(try one.push().results == ["applied": 1])
        #expect(try two.push().results == ["merged": 1])
        for phone in [one, two] { try phone.synchronize() }
        #expect(try two.document("referent", id) == one.document("referent", id))
        #expect(try two.document("referent", id)?["job_title"]?.stringValue == "Un")
        #expect(try two.document("referent", id)?["work_phone"]?.stringValue == "+33612345678")
        let notice = try #require(two.notices.first)
        #expect(notice.result["conflicts"]?.elements?.first?["yours"]?.stringValue == "Deux")
        try two.hear(notice)
        #expect(try two.notices.isEmpty && one.notices.isEmpty)
    }

    @Test("a change that the server cannot even read is refused alone, and those behind it arrive")
    func isolatesPoison() throws {
        let phone = try replica()
        var deep = JSON.bool(true)
        for _ in 0..<28 { deep = .array([deep]) }
        try phone.note(newReferent("Avant"))
        try phone.note(LocalChange(.create, "referent", fields: .object([JSON.Member("given_name", deep)])))
        try phone.note(newReferent("Après"))
        #expect(try phone.push().results == ["applied": 2, "rejected": 1])
        #expect(try phone.notices.map { $0.result["status"]?.stringValue } == ["rejected"])
        var deeper = deep
        for _ in 0..<9 { deeper = .array([deeper]) }
        #expect(throws: ReplicaError.notAChange("it is too large to be sent")) {
            try phone.note(LocalChange(.create, "referent", fields: .object([JSON.Member("given_name", deeper)])))
        }
    }

    @Test("a revoked device forgets everything; a token that is merely wrong touches nothing")
    func wipes() throws {
        let phone = try replica()
        try phone.note(newReferent("Ophelia"))
        try phone.synchronize()
        let stranger = Replica(store: try LocalStore(path: files.file("phone")), transport: DirectTransport(app: app.app, token: "vc_nobody"))
        #expect(throws: ReplicaError.unauthorized(wiped: false)) { try stranger.pull() }
        #expect(try phone.ids(of: "referent").count == 1)
        _ = try app.federation.revokeToken(#require(Token.Secret(manager)).id)
        #expect(throws: ReplicaError.unauthorized(wiped: true)) { try phone.pull() }
        #expect(try phone.ids(of: "referent").isEmpty && phone.waiting == 0)
        for name in files.files { #expect(try files.bytes(of: name).firstRange(of: Array("Ophelia".utf8)) == nil, "\(name)") }
    }

    enum Trouble: CaseIterable { case awayForTooLong, cursorLost }

    @Test("what a restore lost is sent again, also where the restored server does not say that it was restored", arguments: Trouble.allCases)
    func offersAgain(after trouble: Trouble) throws {
        struct Line: Transport {
            let server: SimulatedServer
            let token: String
            func send(_ request: ReplicaRequest) throws -> ReplicaAnswer { try server.answer(request, token: token) }
        }
        let template = try Template()
        let server = try SimulatedServer(from: template, clock: TestClock())
        let phone = Replica(store: try LocalStore(path: files.file("phone")), transport: Line(server: server, token: template.tokens[1]))
        try phone.pull()
        let backup = try server.backup()
        let id = try phone.note(LocalChange(.create, "idea", fields: fields(#"{"title":"Le banc","theme_id":"\#(Template.theme)","author_coop_id":"\#(Template.coops[0])"}"#)))
        #expect(try phone.push().results == ["applied": 1])
        // Where the copy has passed what was lost, its place says nothing of it.
        if trouble == .cursorLost { try phone.pull() }
        try server.restore(backup)
        switch trouble {
        case .awayForTooLong:
            let head = server.federation.heads.head
            _ = try server.federation.perform { (tx) throws(DomainError) in try storing { () throws(DatabaseError) in try Tombstones.drop(upTo: head, in: tx) } }
        case .cursorLost: try phone.store.connection.run("UPDATE place SET cursor = 'lost'")
        }
        #expect(try phone.pull().isRepaired)
        #expect(try phone.waiting == 1)
        try phone.synchronize()
        #expect(try server.rows("SELECT title FROM idea WHERE id = ?", [.text(id)]) { $0.text(0) } == ["Le banc"])
        #expect(try phone.waiting == 0 && phone.check() == 0)
    }

    @Test("an answer to another request changes nothing, however new it is")
    func distrustsStrangersAnswers() throws {
        struct Mixing: Transport {
            let line: DirectTransport
            /// Whatever was asked, it hands out what somebody gets who has nothing.
            func send(_ request: ReplicaRequest) throws -> ReplicaAnswer {
                try line.send(ReplicaRequest(method: request.method, path: "/v1/changes", body: request.body))
            }
        }
        let phone = try replica()
        let id = try phone.note(newReferent())
        try phone.synchronize()
        #expect(try app.send("DELETE", "/v1/referents/\(id)", token: manager, headers: [("If-Match", "*")]).status == 204)
        let (store, before) = (phone.store, try phone.store.place())
        // It has all that there is, and does not say that the referent is gone.
        #expect(throws: ReplicaError.unreachable("it is the answer to another request: a proxy keeps answers, or sets Request-Id itself")) {
            try Replica(store: store, transport: Mixing(line: DirectTransport(app: app.app, token: manager))).pull()
        }
        #expect(try store.place() == before)
        try phone.pull()
        #expect(try phone.document("referent", id) == nil)
    }

    @Test("another's file is refused and left as it is", arguments: ["CREATE TABLE diary (day TEXT)", "PRAGMA user_version = 1; CREATE TABLE diary (day TEXT)"])
    func refusesOthersFiles(script: String) throws {
        try Connection(path: files.file("diary"), mode: .readWrite).script(script)
        let before = try files.bytes(of: "diary")
        #expect(throws: ReplicaError.self) { try LocalStore(path: files.file("diary")) }
        #expect(try files.bytes(of: "diary") == before && files.files == ["diary"])
        try files.write(Array("My diary, which is no database at all.".utf8), to: "text")
        #expect(throws: DatabaseError.self) { try LocalStore(path: files.file("text")) }
    }

    @Test("answers that make no sense are refused and change nothing", arguments: [
        "", "null", "{}", #"{"epoch":"","seq":1,"cursor":"c","changes":[]}"#, #"{"epoch":"e","seq":-1,"cursor":"c","changes":[]}"#,
        #"{"epoch":"e","seq":1e99,"cursor":"c","changes":[]}"#, #"{"epoch":"e","seq":1,"cursor":"c","changes":[{"type":"idea","id":"x","op":"put"}]}"#,
        #"{"epoch":"e","seq":1,"cursor":"c","changes":[{"type":"idea","id":"x","op":"burn"}]}"#, #"{"epoch":"e","seq":1,"cursor":null,"changes":7}"#,
    ])
    func distrusts(body: String) throws {
        struct Fixed: Transport {
            let body: String
            func send(_ request: ReplicaRequest) throws -> ReplicaAnswer { ReplicaAnswer(status: 200, body: Array(body.utf8)) }
        }
        let store = try LocalStore(path: files.file("phone"))
        #expect(throws: ReplicaError.self) { try Replica(store: store, transport: Fixed(body: body)).pull() }
        #expect(try store.place() == LocalStore.Place(epoch: "", cursor: nil, seq: 0))
        #expect(try store.holdings().isEmpty)
    }
}
