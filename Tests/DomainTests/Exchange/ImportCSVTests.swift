import Domain
import JSON
import TestSupport
import Testing

struct ImportCSVTests {
    private static let coops = "slug,name,department_code,membership\na,A,01,member\nb,B,2B,former_member\n"

    @Test("co-ops, sites and referents come from CSV in any order of files, and a second run changes nothing")
    func threeFiles() throws {
        let test = try ExchangeFederation()
        func run() throws -> ImportReport {
            try test.bring(
                ("referents.csv", "coop;given_name;family_name;started_on;status;is_primary;work_phone\na;Ève;D'Arc;2025-01-31;active;oui;06 12 34 56 78\n"),
                ("sites.csv", "\u{FEFF}coop,name,workstations,seats,address,projector\r\na,Siège,0,5,\"3, rue \"\"Haute\"\"\r\n01000 Bourg\",1\r\n"),
                ("my-list.csv", Self.coops))
        }
        #expect(try run().created == [.coop: 2, .site: 1, .referent: 1])
        let site = try #require(try test.documents(.site).first)
        #expect(site["address"] == .string("3, rue \"Haute\"\n01000 Bourg"))
        #expect(site["workstations"] == .number("0") && site["projector"] == .bool(true))
        let referent = try #require(try test.documents(.referent).first)
        #expect(referent["family_name"] == .string("D'Arc") && referent["work_phone"] == .string("+33612345678") && referent["is_primary"] == .bool(true))
        let head = test.federation.heads.head
        let second = try run()
        #expect(second.changesNothing && second.unchanged == [.coop: 2, .site: 1, .referent: 1])
        #expect(test.federation.heads.head == head)
    }

    @Test("lines may end in CRLF, LF and CR in one file, and blank ones and empty rows are none")
    func lineEnds() throws {
        let test = try ExchangeFederation()
        let report = try test.bring(("coops.csv", "slug;name;department_code\r\na;A;01\nb;B;02\rc;C;03\n\n;;\r\n\rd;D;04"))
        #expect(report.created == [.coop: 4])
    }

    @Test("an empty cell clears a field, a column that is not there leaves it")
    func emptyCells() throws {
        let test = try ExchangeFederation()
        try test.bring(("coops.csv", "slug,name,department_code,city,founded_year,membership\na,A,01,Bourg,1950,member\n"))
        let report = try test.bring(("coops.csv", "slug,name,department_code,city,membership\na,A,01,,\n"))
        #expect(report.updated == [.coop: 1])
        let coop = try test.coop("a")
        #expect(coop?["city"] == .null && coop?["founded_year"] == .number("1950") && coop?["membership"] == .string("member"))
    }

    @Test("a referent moves along the mandate's states and never back from its end")
    func states() throws {
        let test = try ExchangeFederation()
        func row(_ status: String, _ ended: String = "") -> (name: String, text: String) {
            ("referents.csv", "coop,given_name,family_name,started_on,status,ended_on\na,Ève,Noé,2025-01-31,\(status),\(ended)\n")
        }
        try test.bring(("coops.csv", Self.coops), row("active"))
        #expect(try test.bring(row("ended", "2026-01-31")).updated == [.referent: 1])
        let faults = try test.faults([ImportFile(name: "referents.csv", bytes: Array(row("active").text.utf8))])
        #expect(faults.map(\.code) == ["state.forbidden"] && faults.first?.line == 2)
        // A return is a new mandate.
        #expect(try test.bring(("r.csv", "coop,given_name,family_name,started_on,status\na,Ève,Noé,2026-02-01,active\n")).created == [.referent: 1])
    }

    @Test("homonyms are told apart by a column id, and refused without one")
    func homonyms() throws {
        let test = try ExchangeFederation()
        let head = "id,coop,given_name,family_name,started_on,job_title\n"
        func row(_ digit: Int, _ title: String) -> String { "00000000-0000-7000-8000-00000000000\(digit),a,Ève,Noé,2025-01-31,\(title)\n" }
        #expect(try test.bring(("coops.csv", Self.coops), ("referents.csv", head + row(1, "x") + row(2, "y"))).created[.referent] == 2)
        #expect(try test.bring(("referents.csv", head + row(2, "z"))).updated == [.referent: 1])
        let faults = try test.faults([ImportFile(name: "referents.csv", bytes: Array("coop,given_name,family_name,started_on\na,Ève,Noé,2025-01-31\n".utf8))])
        #expect(faults.map(\.code) == ["import.ambiguous"])
    }

    struct Refusal: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let file: String
        let bytes: [UInt8]
        /// `line:field code` of each fault, in order.
        let faults: [String]

        init(_ name: String, in file: String = "coops.csv", _ text: String, _ faults: String...) {
            (testDescription, self.file, bytes, self.faults) = (name, file, Array(text.utf8), faults)
        }

        init(_ name: String, _ bytes: [UInt8], _ faults: String...) {
            (testDescription, file, self.bytes, self.faults) = (name, "coops.csv", bytes, faults)
        }
    }

    private static let head = "slug,name,department_code\n"
    private static let people = "coop,given_name,family_name,started_on,status,is_primary\n"
    static let refusals = [
        Refusal("nothing", "", "1: csv.empty"),
        Refusal("unknown kind", in: "list.csv", "x,y\n1,2\n", "1: csv.type"),
        Refusal("unknown, missing and double columns", "slug,name,mail,name\na,A,x,A\n", "1:mail csv.column-unknown", "1:name csv.column-twice", "1:department_code csv.column-missing"),
        Refusal("a reference by id and by slug", in: "sites.csv", "coop,coop_id,name,workstations,seats\n", "1:coop_id csv.column-twice"),
        Refusal("each bad line", head + "a,A,01\nB,B,01\nc,C,1\nd,D\ne,E,01,x\n", "3:slug text.slug", "4:department_code department.unknown", "5: csv.columns", "6: csv.columns"),
        Refusal("several faults in a line", head + "A,,1\n", "2:slug text.slug", "2:department_code department.unknown", "2:name field.required"),
        Refusal("text behind a quote", head + "a,\"A\"x,01\nb,B,99\n", "2: csv.quote", "3:department_code department.unknown"),
        Refusal("a quote inside a plain cell", head + "a,5\" A,01\n", "2: csv.quote"),
        Refusal("an open quote does not hide the lines behind it", head + "a,\"A,01\nb,B,99\n", "2: csv.quote", "3:department_code department.unknown"),
        Refusal("latin-1", Array((head + "a,Si").utf8) + [0xE8] + Array("ge,01\nb,B,99\n".utf8), "2: csv.encoding", "3:department_code department.unknown"),
        Refusal("UTF-16", [0xFF, 0xFE] + Array(head.utf8), "1: csv.encoding"),
        Refusal("a line over 1 MiB", head + "a," + String(repeating: "x", count: 1 << 20) + ",01\nb,B,99\n", "2: csv.line-length", "3:department_code department.unknown"),
        Refusal("control characters", head + "a,A\u{202E},01\n", "2:name text.forbidden-char"),
        Refusal("the same twice", head + "a,A,01\na,B,01\n", "3: import.duplicate"),
        Refusal("years that fall", "slug,name,department_code,founded_year,coop_since_year\na,A,01,1990,1980\n", "2:coop_since_year coop.years"),
        Refusal("year as text", "slug,name,department_code,founded_year\na,A,01,12e2\n", "2:founded_year field.type"),
        Refusal("a flag that is none", in: "sites.csv", "coop,name,workstations,seats,projector\nhere,S,1,1,vrai\n", "2:projector field.type"),
        Refusal("an unknown co-op", in: "referents.csv", people + "nobody,Ève,Noé,2025-01-31,active,1\n", "2:coop reference.unknown"),
        Refusal("a date of a spreadsheet", in: "referents.csv", people + "here,Ève,Noé,31/01/2025,active,1\n", "2:started_on date.format"),
        Refusal("a former member", in: "referents.csv", people + "former,Ève,Noé,2025-01-31,active,1\n", "2: coop.former-member"),
        Refusal("two primaries", in: "referents.csv", people + "here,Ève,Noé,2025-01-31,active,1\nhere,Léo,Noé,2025-01-31,active,1\n", "3: referent.primary-taken"),
        Refusal("ended without a day", in: "referents.csv", people + "here,Ève,Noé,2025-01-31,ended,0\n", "2:ended_on referent.ended"),
    ]

    @Test("a bad CSV file gets each bad line reported with its number, and nothing is imported", arguments: refusals)
    func refuses(_ refusal: Refusal) throws {
        let test = try ExchangeFederation()
        try test.bring(("coops.csv", "slug,name,department_code,membership\nhere,H,01,member\nformer,F,02,former_member\n"))
        let head = test.federation.heads.head
        let faults = try test.faults([ImportFile(name: refusal.file, bytes: refusal.bytes)])
        #expect(faults.map { "\($0.line ?? 0):\($0.field ?? "") \($0.code)" } == refusal.faults)
        #expect(test.federation.heads.head == head)
        #expect(try test.documents(.coop).count == 2)
    }

    @Test("one bad line among good files keeps everything out, and what names the bad row is not blamed")
    func allOrNothing() throws {
        let test = try ExchangeFederation()
        let faults = try test.faults(
            ExchangeFederation.sampleFiles + [
                ImportFile(name: "coops.csv", bytes: Array("slug,name,department_code\nnew,N,98\n".utf8)),
                ImportFile(name: "sites.csv", bytes: Array("coop,name,workstations,seats\nnew,S,1,1\n".utf8)),
            ])
        #expect(faults.map(\.file) == ["coops.csv"])
        #expect(test.federation.heads.head == 0)
        #expect(try test.documents(.idea).isEmpty)
    }

    @Test("no bytes stop the server: each file is imported or refused with a place")
    func anyBytes() throws {
        var random = SeededGenerator(seed: 7)
        let test = try ExchangeFederation()
        let alphabet = Array("\",;\r\n'=|[]{}:aA01-".utf8) + [0xE9, 0x00, 0xC3, 0xA9]
        let sample = ExchangeFederation.sampleFiles[2].bytes
        for round in 0..<400 {
            var bytes: [UInt8]
            if round % 4 == 0 {
                bytes = sample
                for _ in 0..<3 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            } else {
                bytes = Array("slug,name,department_code,activities\n".utf8) + (0..<Int.random(in: 0..<120, using: &random)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            }
            let faults = try test.faults([ImportFile(name: round % 4 == 0 ? "x.json" : "coops.csv", bytes: bytes)], dryRun: true)
            #expect(faults.allSatisfy { $0.line != nil || $0.field != nil })
        }
        #expect(test.federation.heads.head == 0)
    }

    @Test("no more than 10,000 faults are kept")
    func cap() throws {
        let test = try ExchangeFederation()
        let bytes = Array((Self.head + String(repeating: "A,A,01\n", count: 10_050)).utf8)
        #expect(try test.faults([ImportFile(name: "coops.csv", bytes: bytes)]).count == 10_000)
    }

    @Test("progress goes from nothing to all rows")
    func progress() throws {
        let test = try ExchangeFederation()
        let calls = Calls()
        let rows = (0..<1200).map { "s\($0),Coop \($0),01\n" }.joined()
        _ = try Import.run([ImportFile(name: "coops.csv", bytes: Array((Self.head + rows).utf8))], into: test.federation) { calls.add("\($0)/\($1)") }
        #expect(calls.all == ["0/1200", "500/1200", "1000/1200", "1200/1200"])
    }
}
