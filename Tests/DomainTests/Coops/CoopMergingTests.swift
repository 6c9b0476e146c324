@testable import Domain
import JSON
import SQLite
import TestSupport
import Testing

@Suite("Merging co-ops")
struct CoopMergingTests {
    let test: TestFederation
    let former: Coop
    let successor: Coop
    var manager: Caller { .manager(of: former) }

    init() throws {
        test = try TestFederation()
        (former, successor) = (try test.addCoop("ancienne", #","city":"Rennes""#), try test.addCoop("nouvelle"))
    }

    @Test("every column that names a co-op says what becomes of its rows")
    func isComplete() throws {
        let columns = try test.rows(
            """
            SELECT list.name || '.' || key."from" FROM pragma_table_list AS list JOIN pragma_foreign_key_list(list.name) AS key
            WHERE list.schema = 'main' AND key."table" = 'coop' ORDER BY 1
            """)
        // A new foreign key to coop needs a line in Coop.bonds.
        #expect(columns == Coop.bonds.map { "\($0.table).\($0.column)" }.sorted().map { .text($0) })
    }

    static let refusals: [(name: String, prepare: @Sendable (TestFederation, Coop, Coop) throws -> Identifier<Coop>, expected: [String])] = [
        ("itself", { _, former, _ in former.id }, ["#/into coop.merge-target"]),
        ("nobody", { _, _, _ in Identifier(high: 1 << 60, low: 1 << 63) }, ["#/into reference.unknown"]),
        ("no member", { test, _, _ in try test.addCoop("c", membership: "applicant").id }, ["#/into coop.merge-target"]),
        ("a former member", { test, _, _ in try test.addCoop("c", membership: "former_member").id }, ["#/into coop.merge-target"]),
        (
            "one that was merged",
            { test, _, successor in
                let third = try test.addCoop("c")
                try test.merge(third, into: successor)
                return third.id
            }, ["#/into coop.merge-target"]
        ),
        (
            "the one that was merged into it, which would be a circle",
            { test, former, _ in
                let third = try test.addCoop("c")
                try test.merge(third, into: former)
                return third.id
            }, ["#/into coop.merge-target"]
        ),
    ]

    @Test("the successor has to be another member that was not merged", arguments: refusals.indices)
    func targets(index: Int) throws {
        let refusal = Self.refusals[index]
        let target = try refusal.prepare(test, former, successor)
        let former = former
        let found = faults {
            _ = try test.federation.perform { (tx) throws(DomainError) in try Coop.store.merge(former.id, into: target, expecting: .any, by: .admin, in: tx) }
        }
        #expect(found == refusal.expected, "\(refusal.name)")
        #expect(try test.stored(former).successorID == nil)
    }

    @Test("its document stays with the successor's id, it is a former member, and nothing is written there any more")
    func isReadOnly() throws {
        let ended = try test.step(test.addReferent(of: former), #"{"to":"ended"}"#)
        let merged = try test.merge(former, into: successor)
        #expect(merged.successorID == successor.id && merged.membership == .formerMember)
        #expect(try test.document(of: former, for: .reader)?["successor_id"]?.stringValue == successor.id.text)
        #expect(try test.rows("SELECT gone FROM feed WHERE id = ? AND entry IS NULL", [former.id.value]) == [.text("merged:\(successor.id)")])
        let theme = try test.addTheme()
        let writes: [(String, (Caller) throws -> Void)] = [
            ("referent", { _ = try test.addReferent(of: former, by: $0) }),
            ("idea", { _ = try test.addIdea(on: theme, #","author_coop_id":"\#(former.id)""#, by: $0) }),
            ("file", { _ = try test.create(AppointmentFile.self, #"{"coop_id":"\#(former.id)"}"#, by: $0) }),
            ("site", { _ = try test.create(Site.self, #"{"coop_id":"\#(former.id)","name":"S","workstations":1,"seats":1}"#, by: $0) }),
            ("co-op", { try test.patch(former, #"{"website":"https://a.example"}"#, by: $0) }),
            ("merge", { try test.merge(former, into: successor, by: $0) }),
        ]
        for (name, write) in writes {
            for caller in [Caller.admin, manager] { #expect(refusal { try write(caller) } == "coop.merged", "\(name)") }
        }
        #expect(refusal { try test.patch(ended, #"{"trained_on":"2026-02-01"}"#, by: manager) } == "coop.merged")
        #expect(refusal { try test.patch(ended, #"{"trained_on":"2026-02-01"}"#, by: .admin) } == nil)
        #expect(faults { _ = try test.federation.createToken(Token.Draft(role: .coopManager, coop: former.id)) } == ["#/coop_id coop.merged"])
        #expect(try FeedAudit.findings(test).isEmpty)
    }

    @Test("only the federation merges, and not what changed since it looked")
    func guards() throws {
        #expect(refusal { try test.merge(former, into: successor, by: manager) } == "scope.missing")
        #expect(refusal { try test.merge(former, into: successor, expecting: .none) } == "precondition required")
        let read = Expectation.oneOf([ETag(rev: former.meta.rev, layer: Audience.federation.letter)])
        try test.patch(former, #"{"city":"Brest"}"#)
        #expect(refusal { try test.merge(former, into: successor, expecting: read) } == "stale")
    }

    @Test("those that were merged into it lead to its successor")
    func followers() throws {
        let third = try test.addCoop("c")
        try test.merge(third, into: former)
        try test.merge(former, into: successor)
        #expect(try test.stored(third).successorID == successor.id)
        #expect(try test.rows("SELECT gone FROM feed WHERE id = ? AND entry IS NULL", [third.id.value]) == [.text("merged:\(successor.id)")])
    }

    @Test("live mandates go over, one of them primary; ended ones stay; the vacancy of the successor is over", arguments: [true, false])
    func mandates(successorHasPrimary: Bool) throws {
        let primary = #","status":"active","is_primary":true"#
        let own = try test.addReferent(of: successor, primary)
        if !successorHasPrimary { try test.step(own, #"{"to":"ended","ended_on":"2026-02-20"}"#) }
        let moved = try [primary, "", #","status":"active""#].map { try test.addReferent(of: former, $0) }
        try test.step(moved[2], #"{"to":"suspended"}"#)
        let ended = try test.step(test.addReferent(of: former), #"{"to":"ended"}"#)
        try test.merge(former, into: successor)
        #expect(try moved.map { try test.stored($0).coopID } == Array(repeating: successor.id, count: 3))
        #expect(try test.stored(moved[0]).isPrimary == !successorHasPrimary)
        #expect(try test.stored(ended).coopID == former.id)
        let (old, new) = (try test.stored(former), try test.stored(successor))
        #expect((old.hasReferent, new.hasReferent) == (false, true))
        #expect(old.vacantSince == nil && new.vacantSince == nil)
        #expect(try test.rows("SELECT since || ' ' || until FROM vacancy") == (successorHasPrimary ? [] : [.text("2026-02-20 2026-03-02")]))
        #expect(try test.federation.history(of: moved[0].id, after: 0, limit: 10, for: .admin).last?.action == .merge)
        #expect(try test.document(of: moved[0], for: manager)?["work_phone"] == nil, "no longer its manager's")
        #expect(try FeedAudit.findings(test).isEmpty)
    }

    @Test("a device goes with its mandate at once; other tokens go on reading, and become nobody's at the successor")
    func tokens() throws {
        let mandate = try test.addReferent(of: former, #","status":"active""#)
        let ended = try test.step(test.addReferent(of: former), #"{"to":"ended"}"#)
        let drafts = [
            Token.Draft(role: .referent, coop: former.id, referent: mandate.id), Token.Draft(role: .referent, coop: former.id, referent: ended.id),
            Token.Draft(role: .referent, coop: former.id), Token.Draft(role: .coopManager, coop: former.id),
        ]
        let secrets = try drafts.map { try test.federation.createToken($0).secret }
        func coops() -> [Identifier<Coop>?] {
            secrets.map { secret in
                guard case .caller(let caller) = test.federation.tokens.judge(secret, at: test.clock.now) else { return nil }
                return caller.coop
            }
        }
        // What fails changes nobody's token.
        #expect(refusal { try test.merge(former, into: former) } == "invalid")
        #expect(coops() == Array(repeating: former.id, count: 4))
        try test.merge(former, into: successor)
        #expect(coops() == [successor.id, former.id, former.id, former.id])
        #expect(try test.federation.allTokens().filter { $0.coop == successor.id }.count == 1)
        let contact = #"{"work_phone":"02 99 00 00 00"}"#
        #expect(refusal { try test.patch(mandate, contact, by: .device(of: successor, referent: mandate)) } == nil)
        #expect(refusal { try test.patch(mandate, contact, by: .device(of: former, referent: ended)) } == "coop.merged")
        #expect(try test.document(of: ended, for: manager) != nil)
    }

    @Test("sites go over; a name that is taken gets the city, or a number")
    func sites() throws {
        func add(_ name: String, _ coop: Coop) throws -> Site {
            try test.create(Site.self, #"{"coop_id":"\#(coop.id)","name":"\#(name)","workstations":1,"seats":4}"#)
        }
        let long = String(repeating: "é", count: 200)
        let names = ["Siège", "Antenne", "Hall", long]
        for name in ["Siège", "Antenne", "Antenne (Rennes)", "Antenne 2", long] { _ = try add(name, successor) }
        let moved = try names.map { try add($0, former) }
        try test.merge(former, into: successor)
        let expected = ["Siège (Rennes)", "Antenne 3", "Hall", String(repeating: "é", count: 191) + " (Rennes)"]
        #expect(try moved.map { try test.stored($0).name } == expected)
        #expect(try moved.allSatisfy { try test.stored($0).coopID == successor.id && test.document(of: $0, for: .anonymous) != nil })
        #expect(try FeedAudit.findings(test).isEmpty)
    }

    @Test("the co-op's own ideas and its facilitators go over; what the network has keeps its author")
    func ideas() throws {
        let theme = try test.addTheme()
        let states: [(steps: [String], scope: String, moves: Bool)] = [
            ([], "network", true), (["submitted"], "network", true), (["submitted", "declined"], "network", true), (["submitted", "published"], "network", false),
            (["submitted", "published", "archived"], "network", false), ([], "coop", true), (["published"], "coop", true), (["published", "archived"], "coop", true),
        ]
        let ideas = try states.map { state in
            let idea = try test.addIdea(on: theme, #","scope":"\#(state.scope)","author_coop_id":"\#(former.id)""#)
            return try state.steps.reduce(idea) { try test.step($0, #"{"to":"\#($1)"}"#) }
        }
        let facilitator = try test.create(Facilitator.self, #"{"display_name":"Ana","kind":"employee"}"#, by: manager)
        try test.merge(former, into: successor)
        #expect(try ideas.map { try test.stored($0).authorCoopID == successor.id } == states.map(\.moves))
        #expect(try test.stored(facilitator).coopID == successor.id)
        #expect(try FeedAudit.findings(test).isEmpty)
    }

    @Test("endorsements and open adoptions count for the successor, once each; what is over stays")
    func bonds() throws {
        let theme = try test.addTheme()
        let ideas = try (0..<3).map { number in
            try ["submitted", "published"].reduce(test.create(Idea.self, #"{"title":"Idée \#(number)","theme_id":"\#(theme.id)"}"#)) { try test.step($0, #"{"to":"\#($1)"}"#) }
        }
        func endorse(_ idea: Idea, _ coop: Coop) throws -> Endorsement { try test.create(Endorsement.self, #"{"idea_id":"\#(idea.id)"}"#, by: .manager(of: coop)) }
        func adopt(_ idea: Idea, _ coop: Coop) throws -> Adoption { try test.create(Adoption.self, #"{"idea_id":"\#(idea.id)"}"#, by: .manager(of: coop)) }
        let (alone, both, others) = (try endorse(ideas[0], former), try endorse(ideas[1], former), try endorse(ideas[1], successor))
        let withdrawn = try endorse(ideas[2], former)
        _ = try test.federation.perform { (tx) throws(DomainError) in
            try Endorsement.store.transition(withdrawn.id, Transition(TestJSON.parse(#"{"to":"withdrawn"}"#)), expecting: .any, by: .admin, in: tx)
        }
        let (taken, twice, own) = (try adopt(ideas[0], former), try adopt(ideas[1], former), try adopt(ideas[1], successor))
        let over = try adopt(ideas[2], former)
        _ = try test.federation.perform { (tx) throws(DomainError) in
            try Adoption.store.transition(over.id, Transition(TestJSON.parse(#"{"to":"abandoned"}"#)), expecting: .any, by: .admin, in: tx)
        }
        try test.merge(former, into: successor)
        #expect(try [alone, both, others, withdrawn].map { try test.stored($0).coopID == successor.id } == [true, true, true, false])
        #expect(try [alone, both, others].map { try test.stored($0).status }.filter { $0 == .given }.count == 2)
        #expect(try ideas.map { try test.stored($0).endorsementCount } == [1, 1, 0])
        #expect(try [taken, twice, own, over].map { try test.stored($0).coopID == successor.id } == [true, false, true, false])
        #expect(try [taken, twice, own].map { try test.stored($0).status } == [.considering, .abandoned, .considering])
        #expect(try FeedAudit.findings(test).isEmpty)
    }

    @Test("the open appointment file is abandoned, and closed ones stay with their notes")
    func files() throws {
        let file = try test.create(AppointmentFile.self, #"{"selected_note":"x"}"#, by: manager)
        try test.merge(former, into: successor)
        #expect(try test.stored(file).status == .abandoned)
        #expect(try test.document(of: file, for: manager)?["selected_note"]?.stringValue == "x")
        #expect(try test.document(of: file, for: .manager(of: successor)) == nil)
    }
}

@Suite("What goes on at a co-op")
struct LiveRecordTests {
    static let states: [(String, [String], Bool)] = [("draft", [], true), ("open", ["open"], true), ("closed", ["open", "closed"], true), ("cancelled", ["cancelled"], false)]

    @Test("has to be ended before the co-op is merged or leaves, and the refusal names it", arguments: states)
    func blocks(name: String, steps: [String], blocks: Bool) throws {
        let fixture = try SessionFixture()
        let (test, coop) = (fixture.test, fixture.coop)
        let successor = try test.addCoop("nouvelle")
        let session = try steps.reduce(fixture.session()) { try fixture.step($0, #"{"to":"\#($1)"}"#) }
        let ways: [() throws -> Void] = [{ try test.patch(coop, #"{"membership":"former_member"}"#, by: .admin) }, { try test.merge(coop, into: successor) }]
        for way in blocks ? ways : [ways[1]] {
            do {
                try way()
                #expect(!blocks)
            } catch let error as DomainError {
                guard case .conflict("coop.live-records", _, let members) = error else { throw error }
                #expect(members.map { "\($0.name) \($0.json)" } == ["session_ids [\"\(session.id)\"]"])
            }
        }
        #expect(try test.stored(coop).membership == (blocks ? .member : .formerMember))
        #expect(try test.stored(session).coopID == coop.id)
        #expect(try FeedAudit.findings(test).isEmpty)
    }
}
