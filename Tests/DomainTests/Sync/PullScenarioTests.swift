@testable import Domain
import JSON
import SQLite
import TestSupport
import Testing

/// What a device is told, entry by entry, where it is easy to say what that has to be.
@Suite struct PullScenarioTests {
    /// A device that pulls whole pages and says what they held: `put referent n`, `remove referent deleted`.
    private struct Phone {
        let test: TestFederation
        private var cursor: Cursor?

        init(_ test: TestFederation) { self.test = test }

        mutating func pull(_ caller: Caller, types: [RecordType] = [.referent, .idea, .site, .module]) throws -> [String] {
            let heads = test.federation.heads.snapshot
            let page = try test.federation.database.read { [cursor] connection in
                try ChangesPage(
                    after: cursor, types: types, layers: Feed.numbered(caller.layers, by: heads, in: connection),
                    epochs: test.federation.epochs, limit: 1000, separator: 0x2C, in: connection)
            }
            cursor = page.cursor
            #expect(page.isComplete)
            // The whole JSON reader here, so that the page is what any client can read.
            let entries = try #require(TestJSON.parse(bytes: Array("[".utf8) + page.entries + Array("]".utf8)).elements)
            return entries.map { entry in
                let detail = entry["layer"]?.stringValue ?? entry["reason"]?.stringValue ?? "?"
                return "\(entry["op"]?.stringValue ?? "?") \(entry["type"]?.stringValue ?? "?") \(detail)"
            }
        }
    }

    @Test("a record created and deleted between two pulls is not mentioned")
    func createdAndDeleted() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        var phone = Phone(test)
        #expect(try phone.pull(.reader) == [])
        try test.delete(try test.addReferent(of: coop))
        #expect(try phone.pull(.reader) == [])
    }

    @Test("a device that begins hears of no removal")
    func beginsAfterRemovals() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        try test.delete(try test.addReferent(of: coop))
        var phone = Phone(test)
        #expect(try phone.pull(.reader) == [])
        #expect(try phone.pull(.device(of: coop)) == [])
    }

    @Test("a draft that the network gets is replaced on its co-op's devices, not removed")
    func draftIsPublished() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let idea = try test.addIdea(on: test.addTheme(), #","author_coop_id":"\#(coop.id)""#)
        var (own, other) = (Phone(test), Phone(test))
        #expect(try own.pull(.device(of: coop)) == ["put idea c"])
        #expect(try other.pull(.reader) == [])
        try test.step(idea, #"{"to":"submitted"}"#)
        try test.step(idea, #"{"to":"published"}"#)
        #expect(try own.pull(.device(of: coop)) == ["put idea n"])
        #expect(try other.pull(.reader) == ["put idea n"])
        try test.step(idea, #"{"to":"archived"}"#)
        #expect(try own.pull(.device(of: coop)) == ["put idea c"])
        #expect(try other.pull(.reader) == ["remove idea scope"])
    }

    @Test("a record seen through two layers that loses one is replaced, and is removed once when it loses both")
    func losesLayers() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        try test.addReferent(of: coop)
        var phone = Phone(test)
        #expect(try phone.pull(.device(of: coop)) == ["put referent c"])
        #expect(try phone.pull(.reader) == ["put referent b"])
        #expect(try phone.pull(Caller(token: nil, role: nil, coop: nil)) == ["remove referent scope"])
        #expect(try phone.pull(Caller(token: nil, role: nil, coop: nil)) == [])
        #expect(try phone.pull(.device(of: coop)) == ["put referent c"])
    }

    @Test("those who have lost a record hear nothing more of it but its deletion")
    func deletionAfterLoss() throws {
        let test = try TestFederation()
        let mooc = try test.create(Mooc.self, #"{"slug":"numerique","title":"Le numérique"}"#)
        let module = try test.create(Module.self, #"{"mooc_id":"\#(mooc.id)","slug":"mail","title":"Mail","status":"published"}"#)
        var phone = Phone(test)
        #expect(try phone.pull(.reader) == ["put module n"])
        let draft = try test.patch(module, #"{"status":"draft"}"#)
        #expect(try phone.pull(.reader) == ["remove module scope"])
        try test.patch(draft, #"{"title":"Messagerie"}"#)
        #expect(try phone.pull(.reader) == [])
        try test.delete(draft)
        #expect(try phone.pull(.reader) == ["remove module deleted"])
        #expect(try phone.pull(.reader) == [])
    }

    @Test("another co-op's drafts and contacts stay unheard of")
    func othersStayUnheard() throws {
        let test = try TestFederation()
        let (own, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let referent = try test.addReferent(of: other, #","work_email":"anne@b.coop""#)
        let idea = try test.addIdea(on: test.addTheme(), #","author_coop_id":"\#(other.id)","scope":"coop""#)
        var phone = Phone(test)
        #expect(try phone.pull(.manager(of: own)) == ["put referent n"])
        #expect(try test.document(of: referent, for: .manager(of: own))?["work_email"] == nil)
        try test.patch(idea, #"{"summary":"secret"}"#)
        try test.delete(idea)
        #expect(try phone.pull(.manager(of: own)) == [])
    }

    @Test("tombstones that a device has not heard of, once dropped, are an error and no silence")
    func belowFloor() throws {
        let test = try TestFederation { $0.tombstoneDays = 400 }
        let coop = try test.addCoop()
        let referent = try test.addReferent(of: coop)
        var phone = Phone(test)
        _ = try phone.pull(.reader)
        try test.delete(referent)
        try test.federation.perform { (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in try Tombstones.drop(olderThan: 400, in: tx) }
        }
        test.clock.advance(days: 399)
        try test.federation.perform { (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in try Tombstones.drop(olderThan: 400, in: tx) }
        }
        var inTime = phone
        #expect(try inTime.pull(.reader) == ["remove referent deleted"])
        test.clock.advance(days: 1)
        try test.federation.perform { (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in try Tombstones.drop(olderThan: 400, in: tx) }
        }
        #expect(throws: ChangesPage.Failure.self) { try phone.pull(.reader) }
        #expect(try inTime.pull(.reader) == [])
        #expect(try test.rows("SELECT count(*) FROM feed WHERE entry IS NULL") == [.integer(0)])
    }

    @Test("a page holds the first record of an audience, also where the heads do not know the audience yet")
    func headsBehind() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        // As a reader finds things between a commit and its announcement.
        let heads = test.federation.heads.snapshot
        _ = try test.addIdea(on: test.addTheme(), #","author_coop_id":"\#(coop.id)""#)
        let page = try test.federation.database.read { connection in
            try ChangesPage(
                after: nil, types: [.idea], layers: Feed.numbered(Caller.device(of: coop).layers, by: heads, in: connection), epochs: test.federation.epochs,
                limit: 10, separator: 0x2C, in: connection)
        }
        #expect(page.isComplete && page.seq == test.head && page.count == 1)
    }

    @Test("a page of nothing but what was not asked for ends all the same, and the device goes on")
    func barrenPage() throws {
        let test = try TestFederation()
        let theme = try test.addTheme()
        try test.federation.perform { (tx) throws(DomainError) in
            // Rows of other records would take a minute to make one by one.
            for _ in 0..<6000 { _ = tx.nextSeq() }
            try storing { () throws(DatabaseError) in
                try tx.connection.run(
                    """
                    WITH RECURSIVE made (seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM made WHERE seq < 6001)
                    INSERT INTO feed (place, type, id, entry, gone, entered)
                    SELECT number << 44 | seq, 'question', 'q' || seq, '{}', NULL, seq FROM audience, made WHERE name = 'network'
                    """)
            }
        }
        try test.create(Mooc.self, #"{"slug":"m","title":"M"}"#)
        var cursor: Cursor?
        var pages: [String] = []
        for _ in 0..<3 {
            let heads = test.federation.heads.snapshot
            let page = try test.federation.database.read { [cursor] connection in
                try ChangesPage(
                    after: cursor, types: [.theme, .mooc], layers: Feed.numbered([.network], by: heads, in: connection), epochs: test.federation.epochs,
                    limit: 10, separator: 0x2C, in: connection)
            }
            pages.append("\(page.count) \(page.isComplete)")
            cursor = page.cursor
        }
        #expect(theme.meta.rev == 1)
        #expect(pages == ["1 false", "1 true", "0 true"])
    }
}
