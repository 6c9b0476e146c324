import Domain
import JSON
import Testing

struct ImportSampleTests {
    static let counts: [(RecordType, Int)] = [
        (.activity, 7), (.coop, 43), (.site, 108), (.theme, 2), (.question, 4), (.resource, 18), (.prize, 7), (.idea, 20), (.mooc, 2), (.module, 5),
    ]

    @Test("the sample data arrives whole, and a second run changes nothing and takes no seq")
    func arrivesOnce() throws {
        let test = try ExchangeFederation()
        let first = try Import.run(ExchangeFederation.sampleFiles, into: test.federation)
        #expect(first.created == Dictionary(uniqueKeysWithValues: Self.counts))
        #expect(first.updated.isEmpty && first.unchanged.isEmpty)
        #expect(first.notes.contains { $0.en.contains("session_rules") })
        let head = test.federation.heads.head
        let second = try Import.run(ExchangeFederation.sampleFiles.reversed(), into: test.federation)
        #expect(second.changesNothing)
        #expect(second.unchanged == first.created)
        #expect(test.federation.heads.head == head)
    }

    @Test("a dry run counts what would change, and changes nothing")
    func dryRun() throws {
        let test = try ExchangeFederation()
        let head = test.federation.heads.head
        let report = try Import.run(ExchangeFederation.sampleFiles, dryRun: true, into: test.federation)
        #expect(report.created == Dictionary(uniqueKeysWithValues: Self.counts))
        #expect(test.federation.heads.head == head)
        #expect(try test.documents(.coop).isEmpty)
        // Numbers that the taken back work gave out don't trouble the real one.
        #expect(try Import.run(ExchangeFederation.sampleFiles, into: test.federation) == report)
    }

    @Test("departments stay text, unknown years null, and the traps of the data arrive as they are")
    func traps() throws {
        let test = try ExchangeFederation(sample: true)
        for (slug, department, region) in [("a-casa-cumuna", "2B", "FR-20R"), ("dombes-coop", "01", "FR-ARA"), ("hippocampe-habitat", "976", "FR-976")] {
            let coop = try test.coop(slug)
            #expect(coop?["department_code"] == .string(department))
            #expect(coop?["region_code"] == .string(region))
        }
        let inSaintDenis = try test.documents(.coop).filter { $0["city"] == .string("Saint-Denis") }
        #expect(Set(inSaintDenis.compactMap { $0["department_code"]?.stringValue }) == ["93", "974"])
        let old = try test.coop("horloge-habitat-cooperatif")
        #expect(old?["founded_year"] == .number("1968") && old?["coop_since_year"] == .number("2022"))
        #expect(try test.coop("le-logis-breton")?["founded_year"] == .null)
        #expect(try test.coop("mimosa-accession")?["membership"] == .string("former_member"))
        #expect(try test.coop("le-col-comite-ouvrier-du-logement")?["fictitious"] == .bool(false))
        #expect(try test.documents(.site).contains { $0["workstations"] == .number("0") })
        let reunion = try test.coop("volcan-habitat-cooperatif")?["id"]
        #expect(try test.documents(.site).filter { $0["coop_id"] == reunion }.allSatisfy { $0["time_zone"] == .string("Indian/Reunion") })
    }

    @Test("an idea has its theme, question, resources, prizes, variants and examples, and is published to the network")
    func ideas() throws {
        let test = try ExchangeFederation(sample: true)
        let ideas = try test.documents(.idea)
        #expect(ideas.allSatisfy { $0["status"] == .string("published") && $0["origin"] == .string("workshop") && $0["scope"] == .string("network") })
        let idea = ideas.first { $0["slug"] == .string("immersion-poste-collegue") }
        let prize = try test.documents(.prize).first { $0["slug"] == .string("vis-ma-vie-en-coop") }
        #expect(idea?["prize_ids"]?.elements == prize?["id"].map { [$0] })
        #expect(idea?["variants"]?.elements?.first?["slug"] == .string("une-journee"))
        let theme = try test.documents(.theme).first { $0["slug"] == .string("implication-culture-cooperative") }
        #expect(idea?["theme_id"] == theme?["id"])
        #expect(ideas.first { $0["slug"] == .string("climat-conditions-de-travail") }?["examples"]?.elements?.count == 4)
        #expect(ideas.first { $0["slug"] == .string("coconstruire-projets-strategiques") }?["resource_ids"]?.elements?.count == 6)
        #expect(ideas.first { $0["slug"] == .string("newsletter-vie-coop") }?["recurrence"] == .string("3 à 4 par an"))
    }

    @Test("an import brings an edited idea's text back, and leaves the state that it has got meanwhile")
    func keepsStates() throws {
        let test = try ExchangeFederation(sample: true)
        let text = try #require(try test.documents(.idea).first { $0["slug"] == .string("newsletter-vie-coop") }?["id"]?.stringValue)
        let id = try #require(Identifier<Idea>(text))
        _ = try test.federation.perform { (tx) throws(DomainError) in
            let step = try Transition<Idea.Status>(.object([JSON.Member("to", .string("archived"))]))
            _ = try Idea.store.transition(id, step, expecting: .any, by: .operatorItself, in: tx)
            let patch = try Draft<Idea>(.object([JSON.Member("summary", .string("Autre résumé"))]), for: .patch)
            return try Idea.store.update(id, with: patch, expecting: .any, by: .operatorItself, in: tx).meta.rev
        }
        let report = try Import.run(ExchangeFederation.sampleFiles, into: test.federation)
        #expect(report.updated == [.idea: 1] && report.created.isEmpty)
        let idea = try test.documents(.idea).first { $0["id"] == .string(text) }
        #expect(idea?["status"] == .string("archived"))
        #expect(idea?["summary"] != .string("Autre résumé"))
    }

    struct Refusal: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let text: String
        let line: Int?
        let field: String?
        let code: String

        init(_ name: String, _ text: String, line: Int? = nil, field: String? = nil, code: String) {
            (testDescription, self.text, self.line, self.field, self.code) = (name, text, line, field, code)
        }
    }

    private static let registry = #""meta":{"schema":"coop-registry-sample/1"}"#
    static let refusals = [
        Refusal("truncated", "{\n\"meta\":", line: 2, code: "json.syntax"),
        Refusal("twice the same name", #"{"meta":1,"meta":2}"#, line: 1, field: "#/meta", code: "json.duplicate-key"),
        Refusal("another layout", #"{"meta":{"schema":"x/1"}}"#, field: "#/meta/schema", code: "import.schema"),
        Refusal("no list", #"{\#(registry),"coops":{}}"#, field: "#/coops", code: "field.type"),
        Refusal("no object", #"{\#(registry),"coops":[3]}"#, field: "#/coops/0", code: "field.type"),
        Refusal(
            "number for a department", #"{\#(registry),"coops":[{"slug":"a","name":"A","department_code":1,"sites":[]}]}"#,
            field: "#/coops/0/department_code", code: "field.type"),
        Refusal(
            "unknown field", #"{\#(registry),"coops":[{"slug":"a","name":"A","department_code":"01","mail":"x","sites":[]}]}"#, field: "#/coops/0/mail",
            code: "field.unknown"),
        Refusal(
            "site without seats", #"{\#(registry),"coops":[{"slug":"a","name":"A","department_code":"01","sites":[{"name":"S","workstations":1}]}]}"#,
            field: "#/coops/0/sites/0/seats", code: "field.required"),
        Refusal(
            "unknown activity", #"{\#(registry),"coops":[{"slug":"a","name":"A","department_code":"01","activities":["rental"]}]}"#,
            field: "#/coops/0/activities/0", code: "reference.unknown"),
        Refusal(
            "unknown theme", #"{"meta":{"schema":"coop-workshop/1"},"themes":[],"questions":[{"slug":"q","question":"?","theme":"none"}],"resources":[],"prizes":[],"ideas":[]}"#,
            field: "#/questions/0/theme", code: "reference.unknown"),
        Refusal(
            "theme left out",
            #"{"meta":{"schema":"coop-workshop/1"},"themes":[],"questions":[{"slug":"q","question":"?","theme":null}],"resources":[],"prizes":[],"ideas":[]}"#,
            field: "#/questions/0/theme", code: "field.required"),
        Refusal(
            "the same co-op twice", #"{\#(registry),"coops":[{"slug":"a","name":"A","department_code":"01","sites":[]},{"slug":"a","name":"B","department_code":"01","sites":[]}]}"#,
            field: "#/coops/1", code: "import.duplicate"),
    ]

    @Test("a bad JSON file says where, once, and brings nothing", arguments: refusals)
    func refuses(_ refusal: Refusal) throws {
        let test = try ExchangeFederation()
        let faults = try test.faults([ImportFile(name: "data.json", bytes: Array(refusal.text.utf8))])
        let fault = try #require(faults.first)
        #expect(faults.count == 1)
        #expect(fault.file == "data.json" && fault.line == refusal.line && fault.field == refusal.field && fault.code == refusal.code)
        #expect(test.federation.heads.head == 0)
    }
}
