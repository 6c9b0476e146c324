@testable import Domain
import JSON
import SQLite
import TestSupport
import Testing

/// What holds for the records of every type.
@Suite struct StoreTests {
    private static let id = "0197aa3c-1234-7abc-89ab-0123456789ab"

    // MARK: Creating

    @Test("a created record has one new seq as its rev, and the time of its transaction")
    func creates() throws {
        let test = try TestFederation()
        let before = test.head
        let theme = try test.create(Theme.self, #"{"slug":"a","title":"A"}"#)
        #expect(test.head == before + 1)
        #expect(theme.meta.rev == test.head && theme.meta.ownRev == test.head)
        #expect(theme.meta.created == test.clock.now && theme.meta.updated == test.clock.now)
        #expect(try test.stored(theme).meta == theme.meta)
    }

    @Test("the same id with the same content is there already; with other content, or out of sight, it is taken")
    func sameID() throws {
        let test = try TestFederation()
        let (own, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let theme = try test.addTheme()
        let json = #"{"id":"\#(Self.id)","title":"T","theme_id":"\#(theme.id)"}"#
        let first = try test.creation(Idea.self, json, by: .manager(of: own))
        let head = test.head
        let again = try test.creation(Idea.self, json, by: .manager(of: own))
        #expect(first.isNew && !again.isNew)
        #expect(again.record.meta == first.record.meta)
        let changed = json.replacing(#""T""#, with: #""U""#)
        #expect(refusal { try test.create(Idea.self, changed, by: .manager(of: own)) } == "id.taken")
        #expect(refusal { try test.create(Idea.self, json, by: .manager(of: other)) } == "id.taken")
        // Ids are apart by type.
        #expect(refusal { try test.create(Theme.self, #"{"id":"\#(Self.id)","slug":"z","title":"Z"}"#) } == nil)
        #expect(test.head == head + 1)
    }

    @Test("deletion is final: the id is not given again")
    func deletionIsFinal() throws {
        let test = try TestFederation()
        let json = #"{"id":"\#(Self.id)","slug":"a","title":"A"}"#
        let theme = try test.create(Theme.self, json)
        try test.delete(theme)
        #expect(refusal { try test.create(Theme.self, json) } == "id.taken")
        #expect(refusal { try test.patch(theme, #"{"title":"B"}"#) } == "not found")
        #expect(refusal { try test.delete(theme) } == "not found")
        #expect(try test.document(of: theme, for: .admin) == nil)
    }

    @Test("a taken slug is a conflict that names the column, and leaves nothing behind")
    func uniqueColumn() throws {
        let test = try TestFederation()
        try test.create(Theme.self, #"{"slug":"a","title":"A"}"#)
        let head = test.head
        #expect(refusal { try test.create(Theme.self, #"{"slug":"a","title":"B"}"#) } == "theme.slug.taken")
        #expect(test.head == head)
        #expect(try test.rows("SELECT count(*) FROM theme") == [.integer(1)])
    }

    // MARK: Drafts

    struct BadDraft: Sendable, CustomTestStringConvertible {
        let name: String
        let json: String
        let faults: [String]
        var testDescription: String { name }
    }

    static let badDrafts = [
        BadDraft(name: "no object", json: "[]", faults: ["# field.type"]),
        BadDraft(name: "nothing", json: "{}", faults: ["#/slug field.required", "#/name field.required", "#/department_code field.required"]),
        BadDraft(
            name: "all at once", json: #"{"slug":"A","name":"","department_code":35,"founded_year":1,"email":"x","a/b~":1}"#,
            faults: [
                "#/slug text.slug", "#/name text.length", "#/department_code field.type", "#/founded_year number.range", "#/email email.format",
                "#/a~1b~0 field.unknown",
            ]),
        BadDraft(
            name: "fields of the server", json: #"{"slug":"a","name":"A","department_code":"35","rev":1,"created_at":"x","successor_id":null,"fictitious":true}"#,
            faults: ["#/rev field.read-only", "#/created_at field.read-only", "#/successor_id field.read-only", "#/fictitious field.read-only"]),
        BadDraft(name: "bad id", json: #"{"id":"1","slug":"a","name":"A","department_code":"35"}"#, faults: ["#/id id.format"]),
        BadDraft(name: "null where there must be a value", json: #"{"slug":null,"name":"A","department_code":"35"}"#, faults: ["#/slug field.type"]),
    ]

    @Test("a bad draft names every fault at once", arguments: badDrafts)
    func refusesDraft(draft: BadDraft) throws {
        #expect(faults { _ = try Draft<Coop>(TestJSON.parse(draft.json), for: .create) } == draft.faults)
    }

    @Test("a hidden column is no field")
    func hiddenField() throws {
        #expect(faults { _ = try Draft<Site>(TestJSON.parse(#"{"is_public":true}"#), for: .patch) } == ["#/is_public field.unknown"])
    }

    @Test("an import may bring the server's fields along, never the hidden ones")
    func bringsIn() throws {
        let json = #"{"slug":"a","name":"A","department_code":"35","fictitious":true}"#
        #expect(faults { _ = try Draft<Coop>(TestJSON.parse(json), for: .bringIn) } == [])
        let site = #"{"coop_id":"\#(Self.id)","name":"S","workstations":1,"seats":1,"is_public":true}"#
        #expect(faults { _ = try Draft<Site>(TestJSON.parse(site), for: .bringIn) } == ["#/is_public field.unknown"])
    }

    // MARK: Changing

    @Test("a patch changes what it names, and nothing else")
    func patches() throws {
        let test = try TestFederation()
        let coop = try test.addCoop("a", #","city":"Rennes","founded_year":1902"#)
        test.clock.advance(seconds: 60)
        let changed = try test.patch(coop, #"{"city":null,"name":"B"}"#)
        #expect(changed.city == nil && changed.name == "B" && changed.foundedYear == 1902)
        #expect(changed.meta.rev == test.head && changed.meta.created == coop.meta.created && changed.meta.updated == test.clock.now)
    }

    @Test("a patch that changes nothing takes no seq", arguments: ["{}", #"{"title":"A"}"#, #"{"title":"A","order":0,"question":null}"#])
    func noOp(json: String) throws {
        let test = try TestFederation()
        let theme = try test.create(Theme.self, #"{"slug":"a","title":"A"}"#)
        let head = test.head
        test.clock.advance(seconds: 60)
        #expect(try test.patch(theme, json).meta == theme.meta)
        #expect(test.head == head)
    }

    @Test("fields that a client may only read may come back unchanged, and not otherwise")
    func echoes() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let shown = try test.document(of: coop, for: .manager(of: coop))
        let echo = #"{"id":"\#(coop.id)","rev":\#(coop.meta.rev),"created_at":"\#(coop.meta.created.text)","successor_id":null,"phone":"+33299000000"}"#
        #expect(shown?["created_at"]?.stringValue == coop.meta.created.text)
        #expect(refusal { try test.patch(coop, echo, by: .manager(of: coop)) } == nil)
        // The rev has moved on with the phone.
        #expect(faults { try test.patch(coop, echo, by: .manager(of: coop)) } == ["#/rev field.read-only"])
        let other = #"{"id":"\#(Self.id)","updated_at":"2020-01-01T00:00:00.000Z","successor_id":"\#(Self.id)"}"#
        #expect(faults { try test.patch(coop, other) } == ["#/id field.read-only", "#/updated_at field.read-only", "#/successor_id field.read-only"])
    }

    @Test("a field set at creation only may not change afterwards")
    func creationField() throws {
        let test = try TestFederation()
        let (coop, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let referent = try test.addReferent(of: coop)
        #expect(faults { try test.patch(referent, #"{"coop_id":"\#(other.id)"}"#) } == ["#/coop_id field.read-only"])
        #expect(faults { try test.patch(referent, #"{"coop_id":"\#(coop.id)"}"#) } == [])
    }

    // MARK: Expectations

    @Test("a change needs If-Match, and one that is not older than the record's own last change")
    func expectations() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let site = try test.create(Site.self, #"{"coop_id":"\#(coop.id)","name":"Hall","workstations":3,"seats":8}"#)
        // The public loses the site: a change of its documents that is none of its fields.
        try test.patch(coop, #"{"membership":"applicant"}"#)
        let now = try test.stored(site)
        #expect(now.meta.rev > site.meta.rev && now.meta.ownRev == site.meta.ownRev)
        let rows: [(String, Domain.Expectation, String?)] = [
            ("missing", .none, "precondition required"), ("older", .oneOf([ETag(rev: site.meta.rev - 1, layer: 0x6E)]), "stale"),
            ("none of ours", .oneOf([]), "stale"), ("of the future", .oneOf([ETag(rev: now.meta.rev + 1, layer: 0x6E)]), "stale"),
            ("before the derived change", .oneOf([ETag(rev: site.meta.rev, layer: 0x6E)]), nil),
        ]
        for (name, expected, refused) in rows {
            #expect(refusal { try test.patch(site, #"{"seats":9}"#, expecting: expected) } == refused, "\(name)")
        }
        let changed = try test.stored(site)
        #expect(refusal { try test.patch(site, #"{"seats":10}"#, expecting: .oneOf([ETag(rev: now.meta.rev, layer: 0x6E)])) } == "stale")
        #expect(refusal { try test.delete(site, expecting: .none) } == "precondition required")
        #expect(refusal { try test.delete(site, expecting: .oneOf([ETag(rev: now.meta.rev, layer: 0x6E)])) } == "stale")
        let two = [ETag(rev: 1, layer: 0x6E), ETag(rev: changed.meta.rev, layer: 0x66)]
        #expect(refusal { try test.delete(site, expecting: .oneOf(two)) } == nil)
    }

    @Test("a stale change is answered with the present tag as the caller sees the record")
    func staleTag() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        do throws(DomainError) {
            try test.patch(coop, #"{"phone":"+33299000000"}"#, expecting: .oneOf([]), by: .manager(of: coop))
            Issue.record("it passed")
        } catch {
            guard case .stale(let etag) = error else { throw error }
            #expect(etag == "\"\(coop.meta.rev).n\"")
        }
    }

    // MARK: References

    @Test("a record in use can't be deleted, and one that is free can")
    func inUse() throws {
        let test = try TestFederation()
        let activity = try test.create(Activity.self, #"{"slug":"syndic","title":"Syndic"}"#)
        let theme = try test.addTheme()
        let mooc = try test.create(Mooc.self, #"{"slug":"m","title":"M"}"#)
        let module = try test.create(Module.self, #"{"mooc_id":"\#(mooc.id)","slug":"n","title":"N"}"#)
        let resource = try test.create(Resource.self, #"{"slug":"r","title":"R","kind":"guide"}"#)
        let coop = try test.addCoop("a", #","activities":["syndic"]"#)
        let idea = try test.addIdea(on: theme, #","resource_ids":["\#(resource.id)"]"#)
        #expect(refusal { try test.delete(theme) } == "record.in-use")
        #expect(refusal { try test.delete(mooc) } == "record.in-use")
        #expect(refusal { try test.delete(resource) } == "record.in-use")
        #expect(refusal { try test.delete(activity) } == "record.in-use")
        #expect(refusal { try test.patch(activity, #"{"slug":"autre"}"#) } == "reference")
        let head = test.head
        try test.patch(idea, #"{"resource_ids":[]}"#)
        try test.patch(coop, #"{"activities":[]}"#)
        try test.delete(idea)
        try test.delete(module)
        for remove in [{ try test.delete(theme) }, { try test.delete(mooc) }, { try test.delete(resource) }, { try test.delete(activity) }] { try remove() }
        #expect(test.head == head + 8)
    }

    @Test("an unknown reference is a fault at its field")
    func unknownReference() throws {
        let test = try TestFederation()
        let theme = try test.addTheme()
        let resource = try test.create(Resource.self, #"{"slug":"r","title":"R","kind":"guide"}"#)
        #expect(faults { try test.create(Idea.self, #"{"title":"T","theme_id":"\#(Self.id)"}"#) } == ["#/theme_id reference.unknown"])
        #expect(
            faults { try test.addIdea(on: theme, #","resource_ids":["\#(resource.id)","\#(Self.id)"]"#) } == ["#/resource_ids/1 reference.unknown"])
        #expect(faults { try test.create(Site.self, #"{"coop_id":"\#(Self.id)","name":"S","workstations":1,"seats":1}"#) } == ["#/coop_id reference.unknown"])
        #expect(faults { try test.create(Module.self, #"{"mooc_id":"\#(Self.id)","slug":"n","title":"N","related_activity":"x"}"#) } == ["#/related_activity reference.unknown"])
        // A refused write leaves nothing, and no gap either.
        #expect(try test.rows("SELECT count(*) FROM idea") == [.integer(0)])
        #expect(test.head == resource.meta.rev)
    }

    // MARK: Rights

    @Test("what a caller does not see it can't touch, and is told as if it were not there")
    func invisible() throws {
        let test = try TestFederation()
        let (own, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let idea = try test.addIdea(on: test.addTheme(), #","author_coop_id":"\#(own.id)""#)
        for caller in [Caller.manager(of: other), .reader, .anonymous] {
            #expect(refusal { try test.patch(idea, #"{"summary":"x"}"#, by: caller) } == "not found")
            #expect(refusal { try test.delete(idea, by: caller) } == "not found")
        }
    }

    @Test("what a caller sees but may not write is forbidden")
    func forbidden() throws {
        let test = try TestFederation()
        let (own, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let theme = try test.addTheme()
        #expect(refusal { try test.patch(own, #"{"phone":"+33299000000"}"#, by: .manager(of: other)) } == "scope.not-yours")
        #expect(refusal { try test.patch(own, #"{"name":"B"}"#, by: .manager(of: own)) } == "scope.missing")
        #expect(refusal { try test.patch(own, #"{"phone":"+33299000000"}"#, by: .device(of: own)) } == "scope.missing")
        #expect(refusal { try test.patch(theme, #"{"title":"B"}"#, by: .manager(of: own)) } == "scope.missing")
        #expect(refusal { try test.create(Theme.self, #"{"slug":"z","title":"Z"}"#, by: .reader) } == "scope.missing")
        #expect(refusal { try test.delete(own, by: .manager(of: own)) } == "scope.missing")
        #expect(refusal { try test.create(Site.self, #"{"coop_id":"\#(other.id)","name":"S","workstations":1,"seats":1}"#, by: .manager(of: own)) } == "scope.not-yours")
    }
}
