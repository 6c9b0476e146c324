@testable import Domain
import JSON
import SQLite
import TestSupport
import Testing

@Suite struct IdeaTests {
    /// An idea of the co-op in a state, and what each step from there is to each caller: `yes`, or the refusal.
    struct Row: Sendable, CustomTestStringConvertible {
        let scope: Idea.Scope
        let from: Idea.Status
        /// The steps that the machine has.
        let admin: Set<Idea.Status>
        /// Of these, the ones that the author's manager takes.
        let manager: Set<Idea.Status>
        /// Whether other co-ops see the idea.
        let isShared: Bool
        var testDescription: String { "\(scope) \(from)" }
    }

    static let rows = [
        Row(scope: .network, from: .draft, admin: [.submitted], manager: [.submitted], isShared: false),
        Row(scope: .network, from: .submitted, admin: [.published, .draft, .declined], manager: [.draft], isShared: false),
        Row(scope: .network, from: .declined, admin: [.submitted], manager: [.submitted], isShared: false),
        Row(scope: .network, from: .published, admin: [.archived], manager: [], isShared: true),
        Row(scope: .network, from: .archived, admin: [.published], manager: [], isShared: false),
        Row(scope: .coop, from: .draft, admin: [.submitted, .published], manager: [.submitted, .published], isShared: false),
        Row(scope: .coop, from: .published, admin: [.archived], manager: [.archived], isShared: false),
        Row(scope: .coop, from: .archived, admin: [.published], manager: [.published], isShared: false),
    ]

    private static let ways: [Idea.Status: [String]] = [
        .submitted: ["submitted"], .declined: ["submitted", "declined"], .published: ["submitted", "published"],
        .archived: ["submitted", "published", "archived"],
    ]

    private func idea(_ row: Row, _ test: TestFederation, _ coop: Coop) throws -> Idea {
        let idea = try test.addIdea(on: test.addTheme(), #","author_coop_id":"\#(coop.id)","scope":"\#(row.scope.rawValue)""#)
        // An idea of the co-op's own is never submitted.
        let way = (Self.ways[row.from] ?? []).filter { row.scope == .network || $0 != "submitted" }
        return try way.reduce(idea) { idea, state in try test.step(idea, #"{"to":"\#(state)"}"#) }
    }

    @Test("an idea goes from state to state as the machine and the caller's role say", arguments: rows, Idea.Status.allCases)
    func steps(row: Row, to: Idea.Status) throws {
        let test = try TestFederation()
        let (coop, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let idea = try idea(row, test, coop)
        let head = test.head
        let step = #"{"to":"\#(to.rawValue)"}"#
        #expect(refusal { try test.step(idea, step, by: .manager(of: other)) } == (row.isShared ? "scope.not-yours" : "not found"))
        #expect(refusal { try test.step(idea, step, by: .device(of: coop)) } == "scope.missing")
        #expect(refusal { try test.step(idea, step, by: .reader) } == (row.isShared ? "scope.missing" : "not found"))
        if !row.manager.contains(to) {
            #expect(refusal { try test.step(idea, step, by: .manager(of: coop)) } == (row.admin.contains(to) ? "scope.missing" : "state.forbidden"))
        }
        if !row.admin.contains(to) { #expect(refusal { try test.step(idea, step, by: .admin) } == "state.forbidden") }
        #expect(test.head == head)
        guard row.admin.contains(to) else { return }
        #expect(refusal { try test.step(idea, step, by: row.manager.contains(to) ? .manager(of: coop) : .admin) } == nil)
        let now = try test.stored(idea)
        #expect(now.status == to)
        // What is handed in is handed to the network.
        #expect(now.scope == (to == .submitted ? .network : row.scope))
        #expect(try test.document(of: idea, for: .reader) != nil || now.status != .published || now.scope != .network)
    }

    @Test("an idea that the network has does not go back to its co-op")
    func oneWay() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let row = Row(scope: .network, from: .published, admin: [], manager: [], isShared: true)
        let published = try idea(row, test, coop)
        #expect(faults { try test.patch(published, #"{"scope":"coop"}"#) } == ["#/scope idea.scope"])
        let ownerless = try test.create(Idea.self, #"{"title":"T","theme_id":"\#(published.themeID)"}"#)
        #expect(faults { try test.patch(ownerless, #"{"scope":"coop"}"#) } == ["#/scope idea.scope"].map { _ in "#/author_coop_id idea.scope" })
    }

    @Test("a manager edits a draft of its own co-op, without the federation's fields")
    func managersFields() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let theme = try test.addTheme()
        let draft = try test.addIdea(on: theme, by: .manager(of: coop))
        #expect(draft.authorCoopID == coop.id && draft.origin == .coop && draft.status == .draft)
        #expect(refusal { try test.patch(draft, #"{"summary":"x"}"#, by: .manager(of: coop)) } == nil)
        #expect(refusal { try test.patch(draft, #"{"federal_status":"studied"}"#, by: .manager(of: coop)) } == "scope.missing")
        #expect(refusal { try test.addIdea(on: theme, #","federal_status":"studied""#, by: .manager(of: coop)) } == "scope.missing")
        #expect(refusal { try test.addIdea(on: theme, #","origin":"workshop""#, by: .manager(of: coop)) } == "scope.missing")
        try test.step(draft, #"{"to":"submitted"}"#, by: .manager(of: coop))
        #expect(refusal { try test.patch(draft, #"{"summary":"y"}"#, by: .manager(of: coop)) } == "idea.not-draft")
        #expect(refusal { try test.delete(draft, by: .manager(of: coop)) } == "idea.not-deletable")
        #expect(refusal { try test.addIdea(on: theme, by: .device(of: coop)) } == "scope.missing")
    }

    @Test("an idea without a slug gets one from its title, and a number where that is taken")
    func slugs() throws {
        let test = try TestFederation()
        let theme = try test.addTheme()
        func slug(_ title: String) throws -> String { try test.create(Idea.self, #"{"title":"\#(title)","theme_id":"\#(theme.id)"}"#).slug }
        #expect(try slug("L’Été : fête & cœur") == "l-ete-fete-coeur")
        #expect(try slug("L'été, fête, cœur !") == "l-ete-fete-coeur-2")
        #expect(try slug("🎉🎉") == "idee")
        #expect(try slug("日本") == "idee-2")
        #expect(try slug(String(repeating: "long ", count: 39)).utf8.count <= 80)
        #expect(try slug(String(repeating: "a", count: 200)) == "idee-3")
    }

    @Test("an embargo that ends before anything else is due has the clock set to it")
    func wakes() throws {
        let midnight = try #require(Timestamp("2026-03-29T22:00:00Z"))
        let test = try TestFederation(clock: TestClock("2026-03-29T21:59:59Z"))
        let idea = try test.addIdea(on: test.addTheme(), #","federal_status":"planned","federal_visible_from":"2026-03-30""#, by: .admin)
        for state in ["submitted", "published"] { try test.step(idea, #"{"to":"\#(state)"}"#) }
        let woken = Monitor(false)
        _ = test.federation.waiters.add([.public], token: nil, until: .now.advanced(by: .seconds(60))) { woken.change { $0 = true } }
        test.clock.advance(seconds: 1)
        #expect(woken.wait(seconds: 30) { $0 })
        #expect(test.clock.now == midnight)
        #expect(try test.document(of: idea, for: .anonymous)?["federal_status"]?.stringValue == "planned")
    }

    @Test("looks for what is due that come together leave one next look")
    func looksOnce() throws {
        let test = try TestFederation()
        let before = test.federation.alarm.deadlines.count
        for _ in 0..<20 { test.federation.lookForDue() }
        try test.federation.perform { _ throws(DomainError) in }
        #expect(test.federation.alarm.deadlines.count <= max(2, before))
    }

    @Test("a look for what is due that can't be written is repeated within seconds")
    func looksAgain() throws {
        let test = try TestFederation { $0.database.queueLimit = 0 }
        let next = try #require(test.federation.alarm.deadlines.first)
        #expect(next < .now.advanced(by: .seconds(60)))
    }

    @Test("the federal status stays hidden until midnight in Paris of its day, and then is shown by the clock alone")
    func embargo() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let idea = try test.addIdea(
            on: test.addTheme(), #","author_coop_id":"\#(coop.id)","federal_status":"planned","federal_visible_from":"2026-03-30""#, by: .admin)
        try test.step(idea, #"{"to":"submitted"}"#)
        try test.step(idea, #"{"to":"published"}"#)
        func seen(_ caller: Caller) throws -> String? { try test.document(of: idea, for: caller)?["federal_status"]?.stringValue }
        func lookForDue() throws {
            test.federation.lookForDue()
            // The writer takes closures in order, so this one comes after what was due.
            try test.federation.perform { _ throws(DomainError) in }
        }
        let callers = [Caller.manager(of: coop), .reader, .anonymous]
        #expect(try seen(.admin) == "planned")
        for caller in callers { #expect(try seen(caller) == nil) }
        #expect(try test.rows("SELECT at_ms FROM due") == [.integer(try #require(Timestamp("2026-03-29T22:00:00Z")).milliseconds)])

        test.clock.advance(seconds: try #require(Timestamp("2026-03-29T21:59:59Z")).milliseconds / 1000 - test.clock.now.milliseconds / 1000)
        let head = test.head
        try lookForDue()
        #expect(test.head == head)
        for caller in callers { #expect(try seen(caller) == nil) }

        test.clock.advance(seconds: 1)
        try lookForDue()
        for caller in callers { #expect(try seen(caller) == "planned") }
        #expect(test.head == head + 1)
        #expect(try test.rows("SELECT count(*) FROM due") == [.integer(0)])
        let now = try test.stored(idea)
        #expect(now.meta.rev == head + 1 && now.meta.ownRev < now.meta.rev)
    }

    @Test("an embargo that is moved or lifted by hand takes its due row along")
    func embargoMoved() throws {
        let test = try TestFederation()
        let idea = try test.addIdea(on: test.addTheme(), #","federal_visible_from":"2026-03-30""#)
        try test.patch(idea, #"{"federal_visible_from":"2026-06-01"}"#)
        #expect(try test.rows("SELECT at_ms FROM due") == [.integer(try #require(Timestamp("2026-05-31T22:00:00Z")).milliseconds)])
        try test.patch(idea, #"{"federal_visible_from":null}"#)
        #expect(try test.rows("SELECT count(*) FROM due") == [.integer(0)])
        #expect(try test.stored(idea).federalStatusVisible)
    }

    @Test("a due row of a record that is gone is run without effect")
    func dueOfDeleted() throws {
        let test = try TestFederation()
        let idea = try test.addIdea(on: test.addTheme(), #","federal_visible_from":"2026-03-30""#)
        try test.delete(idea)
        test.clock.advance(days: 60)
        let head = test.head
        try test.federation.perform { (tx) throws(DomainError) in _ = try Due.run(in: tx) }
        #expect(test.head == head)
        #expect(try test.rows("SELECT count(*) FROM due") == [.integer(0)])
    }
}
