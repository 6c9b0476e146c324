import Domain
import JSON
import TestSupport
import Testing

struct ExportTests {
    /// Texts that a spreadsheet, a separator or a quote could spoil.
    private static let awkward = [
        "=1+1", "+33", "-2", "@SUM(A1)", "'=1", "''=1", "'plain", "'", "a,b", "a;b", "a\"b", "\"", "\"\"", "a|b", "[x]", " lead", "trail ", "é", "e\u{301}", "🏡", "0012", "true", "null",
    ]

    @Test("what is exported as CSV imports again unchanged, and into another federation with the same content")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 42)
        func any(_ texts: [String]) -> String { texts[Int.random(in: 0..<texts.count, using: &random)] }
        func text() -> String { (0..<Int.random(in: 1...3, using: &random)).map { _ in any(Self.awkward) }.joined(separator: any(["", " ", "x"])) }
        let test = try ExchangeFederation(sample: true)
        let ids = try test.documents(.coop).filter { $0["membership"] == .string("member") }.compactMap { $0["id"]?.stringValue }
        for number in 0..<300 {
            let coop = try #require(Identifier<Coop>(any(ids)))
            let members = [
                JSON.Member("coop_id", .string(coop.text)), JSON.Member("given_name", .string(text())), JSON.Member("family_name", .string(text() + "\(number)")),
                JSON.Member("job_title", Int.random(in: 0..<2, using: &random) == 0 ? .null : .string(text())), JSON.Member("started_on", .string("2025-01-31")),
                JSON.Member("work_phone", .string("+336123456\(number % 90 + 10)")),
            ]
            let site = [
                JSON.Member("coop_id", .string(coop.text)), JSON.Member("name", .string(text() + "\(number)")), JSON.Member("workstations", .number("0")),
                JSON.Member("seats", .number("5")), JSON.Member("address", .string(text() + any(["", "\n", "\n\n"]) + text())),
            ]
            let patch = try Draft<Coop>(.object([JSON.Member("note", any(["x", "", "n"]) == "n" ? .null : .string(any(["", text()])))]), for: .patch)
            _ = try test.federation.perform { (tx) throws(DomainError) in
                _ = try Referent.store.create(Draft(.object(members), for: .create), by: .operatorItself, in: tx)
                _ = try Site.store.create(Draft(.object(site), for: .create), by: .operatorItself, in: tx)
                return try Coop.store.update(coop, with: patch, expecting: .any, by: .operatorItself, in: tx).meta.rev
            }
        }
        let files = try [RecordType.coop, .site, .referent].map { ImportFile(name: "\($0.rawValue)s.csv", bytes: try test.export($0)) }
        let head = test.federation.heads.head
        let again = try Import.run(files, into: test.federation)
        #expect(again.changesNothing && again.unchanged == [.coop: 43, .site: 408, .referent: 300])
        #expect(test.federation.heads.head == head)

        let other = try ExchangeFederation()
        let activities = try ExchangeFederation.sampleFiles[0].onlyActivities()
        _ = try Import.run([activities] + files, into: other.federation)
        for type in [RecordType.coop, .site, .referent] {
            #expect(try other.documents(type).map(\.content) == test.documents(type).map(\.content))
        }
    }

    @Test("no cell begins with what a spreadsheet would run")
    func formulas() throws {
        let test = try ExchangeFederation()
        try test.bring(("coops.csv", "slug,name,department_code\na,=A,01\nb,'=B,01\nc,'C,01\nd,\"''@D\",01\n"))
        // `=A` came in as it is; `'=B` had the guard of an export; `'C` has an apostrophe of its own.
        #expect(try test.documents(.coop).compactMap { $0["name"]?.stringValue } == ["=A", "=B", "'C", "'@D"])
        let lines = String(decoding: try test.export(.coop), as: UTF8.self).split(separator: "\r\n").dropFirst()
        #expect(lines.map { $0.split(separator: ",", omittingEmptySubsequences: false)[3] } == ["'=A", "'=B", "'C", "''@D"])
    }

    @Test("lists are joined by bars, lists of objects and awkward ones are JSON, null is nothing and an empty text quotes")
    func cells() throws {
        let document = #"{"id":"x","slug":"s","aliases":["a","b"],"steps":["a|b","c"],"variants":[{"slug":"v"}],"examples":[],"recurrence":null,"summary":""}"#
        let row = String(decoding: Idea.csv([Array(document.utf8)]), as: UTF8.self)
        #expect(row.hasPrefix(##"x,,s,,a|b,"","[""a|b"",""c""]","[{""slug"":""v""}]",,,"##))
    }

    @Test("a piece is a page, the mark comes once, and an empty type is a header alone")
    func pieces() throws {
        let test = try ExchangeFederation()
        let rows = (0..<1100).map { "s\($0),Coop \($0),01\n" }.joined()
        try test.bring(("coops.csv", "slug,name,department_code\n" + rows))
        let export = Export(.coop, as: .csv, in: test.federation, bom: true)
        var pieces: [[UInt8]] = []
        while let piece = try export.next() { pieces.append(piece) }
        #expect(pieces.map { $0.count { $0 == UInt8(ascii: "\n") } } == [501, 500, 100])
        #expect(pieces[0].starts(with: [0xEF, 0xBB, 0xBF]) && !pieces[1].starts(with: [0xEF]))
        #expect(try test.export(.site) == Site.csvHeader())
        #expect(try test.export(.site, as: .ndjson).isEmpty)
    }

    @Test("a reader's export is what the reader sees")
    func layers() throws {
        let test = try ExchangeFederation(sample: true)
        #expect(try test.documents(.coop).count == 43)
        let seen = try test.export(.coop, as: .ndjson, for: .anonymous).split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) }
        #expect(seen.count == 36 && seen.allSatisfy { $0["note"] == nil && $0["membership"] == nil })
        #expect(try test.export(.referent, as: .ndjson, for: .anonymous).isEmpty)
    }
}

extension JSON {
    /// A document without what belongs to its server.
    fileprivate var content: [Member] { (members ?? []).filter { !["rev", "created_at", "updated_at"].contains($0.name) } }
}

extension ImportFile {
    /// The registry's list of activities without its co-ops.
    fileprivate func onlyActivities() throws -> ImportFile {
        let meta = try JSON.parse(bytes, limits: JSONLimits(depth: 32, members: 100_000))["meta"] ?? .null
        var json = JSONWriter()
        json.value(.object([Member("meta", meta), Member("coops", .array([]))]))
        return ImportFile(name: name, bytes: json.bytes)
    }

    private typealias Member = JSON.Member
}
