import Domain
import Foundation
import JSON
import SQLite
import TestSupport
import Testing

struct ErasureTests {
    /// What tells who she is.
    static let traces = ["Solange", "Quéméneur", "solange.quemeneur@exemple.coop", "+33698765432", "Gardienne des clés"]
    static let person = #","given_name":"Solange","family_name":"Quéméneur","work_email":"solange.quemeneur@exemple.coop","work_phone":"+33698765432","job_title":"Gardienne des clés","share_contact_network":true"#

    @Test("an erased person is in no byte of the folder any more, and the mandate keeps its dates")
    func leavesNoByte() throws {
        let folder = TestFolder()
        var federation = try Federation(directory: folder.path)
        let (coop, referent) = try Self.fill(federation)
        #expect(Self.traces.allSatisfy { Self.holds(folder, $0) })
        let erasure = try federation.erase(.referent, Identifier(referent), by: .operatorItself)
        #expect(try federation.erase(.referent, Identifier(referent), by: .operatorItself).seq == erasure.seq)
        try Self.waitForPurge(of: erasure, in: federation)
        for trace in Self.traces { #expect(!Self.holds(folder, trace), "\(trace) is there while the server runs") }
        let admin = Caller(token: nil, role: .federationAdmin, coop: nil)
        let seen = try JSON.parse(federation.document(of: referent, for: admin).bytes)
        #expect(seen["started_on"]?.stringValue == "2026-01-05" && seen["status"]?.stringValue == "ended" && seen["family_name"] == nil)
        let manager = Caller(token: Identifier(high: 1, low: 1), role: .coopManager, coop: coop)
        #expect(refusal { _ = try federation.document(of: referent, for: manager) } == "not found")
        #expect(try federation.history(of: referent, after: 0, limit: 10, for: admin).map(\.actor) == ["operator", "operator"])
        #expect(refusal {
            let patch = try Draft<Referent>(TestJSON.parse(#"{"family_name":"Revenante"}"#), for: .patch)
            _ = try federation.perform { (tx) throws(DomainError) in try Referent.store.update(referent, with: patch, expecting: .any, by: admin, in: tx) }
        } == "record.erased")
        #expect(try federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) } == [])
        federation.close()
        for trace in Self.traces { #expect(!Self.holds(folder, trace), "\(trace) is there after the stop") }
        federation = try Federation(directory: folder.path)
        #expect(try federation.erasure(Identifier(referent), for: admin).erasure.purged != nil)
        federation.close()
    }

    @Test("devices that had seen the person hear `erased`, and dashboards, which had not, keep the mandate")
    func tellsDevices() throws {
        let test = try TestFederation()
        let (coop, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let referent = try Self.addPerson(to: test, coop)
        var copies = [Caller.device(of: coop), .device(of: other), .admin, .reader].map { Copy(caller: $0) }
        for index in copies.indices { try copies[index].pull(from: test.federation) }
        #expect(copies.map { $0.reason(for: referent) } == ["held", "held", "held", "held"])
        _ = try test.federation.erase(.referent, Identifier(referent.id), by: .operatorItself)
        for index in copies.indices { try copies[index].pull(from: test.federation) }
        #expect(copies.map { $0.reason(for: referent) } == ["erased", "erased", "held", "held"])
        for copy in copies { #expect(!copy.texts.contains { text in Self.traces.contains { text.contains($0) } }) }
        #expect(try test.rows("SELECT DISTINCT gone FROM feed WHERE id = ? AND entry IS NULL", [referent.id.value]) == [.text("erased")])
    }

    @Test("the answer kept for a repeated request is blanked, and does not make the person anew")
    func blanksAnswers() throws {
        let test = try TestFederation()
        let referent = try Self.addPerson(to: test, test.addCoop())
        let key = Idempotency.Key(token: nil, method: "POST", path: "/v1/referents", key: "k", body: [1], secret: Array(0..<32))
        try test.federation.perform { (tx) throws(DomainError) in
            try Idempotency.keep(.init(status: 201, location: "/x", etag: "e", body: Array("Solange".utf8)), under: key, type: .referent, id: referent.id.text, in: tx)
        }
        _ = try test.federation.erase(.referent, Identifier(referent.id), by: .operatorItself)
        #expect(try test.rows("SELECT body FROM idempotency") == [.text("")])
        #expect(refusal { _ = try test.federation.perform { (tx) throws(DomainError) in try Idempotency.find(key, in: tx) } } == "record.erased")
    }

    @Test("the person's devices are shut out and lose their names")
    func shutsOutDevices() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let referent = try Self.addPerson(to: test, coop)
        let token = try test.federation.createToken(.init(role: .referent, coop: coop.id, referent: referent.id, label: "Téléphone de Solange")).token
        let erasure = try test.federation.erase(.referent, Identifier(referent.id), by: .operatorItself)
        try Self.waitForPurge(of: erasure, in: test.federation)
        #expect(!test.federation.tokens.isGood(token.id, at: test.clock.now))
        #expect(try test.federation.allTokens().first { $0.id == token.id }?.label == "")
    }

    @Test("a restore of a backup from before the erasure erases again")
    func staysErased() throws {
        let folder = TestFolder()
        var federation = try Federation(directory: folder.path)
        let (_, referent) = try Self.fill(federation)
        let backup = TestFolder()
        _ = try Backup.write(to: backup.file("b.db"), of: folder.path) { _, _ in }
        _ = try federation.erase(.referent, Identifier(referent), by: .operatorItself)
        federation.close()
        let report = try Restore.run(backup.file("b.db"), into: folder.path, at: .now()) { _, _ in }
        try FileManager.default.removeItem(atPath: #require(report.former))
        for trace in Self.traces { #expect(!Self.holds(folder, trace), "\(trace)") }
        federation = try Federation(directory: folder.path)
        #expect(try federation.erasure(Identifier(referent), for: .operatorItself).erasure.purged != nil)
        federation.close()
    }

    @Test("what is about no person, and what is not there, can't be erased")
    func refuses() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        #expect(faults { _ = try test.federation.erase(.coop, Identifier(coop.id), by: .operatorItself) } == ["#/type erasure.type"])
        #expect(refusal { _ = try test.federation.erase(.referent, Identifier(coop.id), by: .operatorItself) } == "not found")
        #expect(refusal { _ = try test.federation.erasure(Identifier(coop.id), for: .admin) } == "not found")
        #expect(try test.rows("SELECT id FROM erasure").isEmpty)
    }

    // MARK: Helpers

    /// A device's copy.
    private struct Copy {
        let caller: Caller
        private var entries: [String: PullEntry] = [:]
        private var cursor: Cursor?

        init(caller: Caller) { self.caller = caller }

        var texts: [String] { entries.values.compactMap { $0.held.map { String(decoding: $0.document, as: UTF8.self) } } }
        func reason<R: Record>(for record: R) -> String? { entries[record.id.text].map { $0.reason ?? "held" } }

        mutating func pull(from federation: Federation) throws {
            var isComplete = false
            while !isComplete {
                let page = try federation.database.read { connection in
                    try ChangesPage(
                        after: cursor, types: [], layers: Feed.numbered(caller.layers, by: federation.heads.snapshot, in: connection),
                        epochs: federation.epochs, limit: 100, separator: 0x0A, in: connection)
                }
                for line in page.entries.split(separator: 0x0A) {
                    let entry = try #require(PullEntry(line: line))
                    entries[entry.id] = entry
                }
                (cursor, isComplete) = (page.cursor, page.isComplete)
            }
        }
    }

    private static func addPerson(to test: TestFederation, _ coop: Coop) throws -> Referent {
        try test.create(Referent.self, #"{"coop_id":"\#(coop.id)","started_on":"2026-01-05"\#(person)}"#)
    }

    /// A co-op with so many referents that pages split, one of whom is the person, changed once.
    private static func fill(_ federation: Federation) throws -> (coop: Identifier<Coop>, person: Identifier<Referent>) {
        func create<R: Record>(_ type: R.Type, _ json: String) throws -> Identifier<R> {
            let draft = try Draft<R>(TestJSON.parse(json), for: .create)
            return try federation.perform { (tx) throws(DomainError) in try R.store.create(draft, by: .operatorItself, in: tx) }.record.id
        }
        let coop = try create(Coop.self, #"{"slug":"a","name":"Coop A","department_code":"35","membership":"member"}"#)
        var found: Identifier<Referent>?
        for number in 0..<200 {
            let person = number == 100 ? Self.person : #","given_name":"Anne","family_name":"Autre \#(number)""#
            let id = try create(Referent.self, #"{"coop_id":"\#(coop)","started_on":"2026-01-05"\#(person)}"#)
            if number == 100 { found = id }
        }
        return (coop, try #require(found))
    }

    private static func waitForPurge(of erasure: Erasure, in federation: Federation) throws {
        // The writer takes one after the other: what comes behind the purge waits for it.
        while try federation.erasure(erasure.id, for: .operatorItself).erasure.purged == nil { try federation.perform { _ in } }
    }

    /// Whether a file of the folder holds the text, other than in the backup's.
    private static func holds(_ folder: TestFolder, _ text: String) -> Bool {
        folder.files.contains { name in (try? Data(contentsOf: URL(fileURLWithPath: folder.file(name))))?.range(of: Data(text.utf8)) != nil }
    }
}
