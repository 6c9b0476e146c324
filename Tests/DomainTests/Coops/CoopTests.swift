import Domain
import JSON
import TestSupport
import Testing

@Suite struct CoopTests {
    static let refusals: [(String, [String])] = [
        (#""founded_year":1950,"coop_since_year":1949"#, ["#/coop_since_year coop.years"]),
        (#""founded_year":2027"#, ["#/founded_year number.range"]),
        (#""founded_year":1849"#, ["#/founded_year number.range"]),
        (#""region_code":"FR-IDF""#, ["#/region_code region.mismatch"]),
        (#""region_code":"FR-XYZ""#, ["#/region_code region.unknown"]),
        (#""activities":["rental","syndic"]"#, ["#/activities/0 reference.unknown", "#/activities/1 reference.unknown"]),
        (
            #""region_code":"FR-IDF","founded_year":2030,"coop_since_year":2029,"activities":["x"]"#,
            [
                "#/region_code region.mismatch", "#/founded_year number.range", "#/coop_since_year number.range", "#/coop_since_year coop.years",
                "#/activities/0 reference.unknown",
            ]
        ),
    ]

    @Test("years, region and activities must fit, and every misfit is told at once", arguments: refusals)
    func refuses(fields: String, expected: [String]) throws {
        let test = try TestFederation()
        #expect(faults { try test.addCoop("a", ",\(fields)") } == expected)
    }

    static let regions = [("01", "FR-ARA"), ("2A", "FR-20R"), ("2B", "FR-20R"), ("35", "FR-BRE"), ("93", "FR-IDF"), ("974", "FR-974"), ("976", "FR-976")]

    @Test("the region follows from the department, which stays text", arguments: regions)
    func region(department: String, region: String) throws {
        let test = try TestFederation()
        let coop = try test.create(Coop.self, #"{"slug":"a","name":"A","department_code":"\#(department)"}"#)
        #expect(coop.regionCode == region)
        let shown = try test.document(of: coop, for: .reader)
        #expect(shown?["department_code"] == .string(department))
        #expect(shown?["founded_year"] == .null)
        #expect(try test.patch(coop, #"{"department_code":"22"}"#).regionCode == "FR-BRE")
    }

    @Test("this year is not too late, and both years may be the same")
    func years() throws {
        let test = try TestFederation()
        #expect(faults { try test.addCoop("a", #","founded_year":2026,"coop_since_year":2026"#) } == [])
    }

    @Test("a former member begins nothing new", arguments: ["former_member", "member"])
    func formerMember(membership: String) throws {
        let fixture = try SessionFixture()
        let (test, coop, manager) = (fixture.test, fixture.coop, fixture.manager)
        let theme = try test.addTheme()
        let idea = try ["submitted", "published"].reduce(test.addIdea(on: theme)) { try test.step($0, #"{"to":"\#($1)"}"#) }
        try test.patch(coop, #"{"membership":"\#(membership)"}"#)
        let beginnings: [(String, () throws -> Void)] = [
            ("referent", { _ = try test.addReferent(of: coop) }),
            ("idea", { _ = try test.addIdea(on: theme, by: manager) }),
            ("endorsement", { try test.create(Endorsement.self, #"{"idea_id":"\#(idea.id)"}"#, by: manager) }),
            ("adoption", { try test.create(Adoption.self, #"{"idea_id":"\#(idea.id)"}"#, by: manager) }),
            ("appointment file", { try test.create(AppointmentFile.self, "{}", by: manager) }),
            ("facilitator", { try test.create(Facilitator.self, #"{"display_name":"Ana","kind":"employee"}"#, by: manager) }),
            ("session", { _ = try fixture.session() }),
        ]
        for (name, begin) in beginnings { #expect(refusal(begin) == (membership == "former_member" ? "coop.former-member" : nil), "\(name)") }
    }

    @Test("nor does it take up again what it had withdrawn or given up")
    func formerMemberResumes() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let idea = try ["submitted", "published"].reduce(test.addIdea(on: test.addTheme())) { try test.step($0, #"{"to":"\#($1)"}"#) }
        let endorsement = try test.create(Endorsement.self, #"{"idea_id":"\#(idea.id)"}"#, by: .manager(of: coop))
        let adoption = try test.create(Adoption.self, #"{"idea_id":"\#(idea.id)"}"#, by: .manager(of: coop))
        func give(_ to: String) throws {
            _ = try test.federation.perform { (tx) throws(DomainError) in
                try Endorsement.store.transition(endorsement.id, Transition(TestJSON.parse(#"{"to":"\#(to)"}"#)), expecting: .any, by: .manager(of: coop), in: tx)
            }
        }
        func take(_ to: String) throws {
            _ = try test.federation.perform { (tx) throws(DomainError) in
                try Adoption.store.transition(adoption.id, Transition(TestJSON.parse(#"{"to":"\#(to)"}"#)), expecting: .any, by: .manager(of: coop), in: tx)
            }
        }
        try give("withdrawn")
        try take("abandoned")
        try test.patch(coop, #"{"membership":"former_member"}"#)
        #expect(refusal { try give("given") } == "coop.former-member")
        #expect(refusal { try take("considering") } == "coop.former-member")
    }

    @Test("the mandates that a former member has can still end")
    func formerMembersMandates() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let referent = try test.addReferent(of: coop)
        try test.patch(coop, #"{"membership":"former_member"}"#)
        #expect(refusal { try test.step(referent, #"{"to":"ended"}"#) } == nil)
    }

    @Test("the public sees members and their sites, and both go and come back with the membership")
    func sitesFollowMembership() throws {
        let test = try TestFederation()
        let coop = try test.addCoop("a", membership: "applicant")
        let site = try test.create(Site.self, #"{"coop_id":"\#(coop.id)","name":"Hall","workstations":3,"seats":8,"address":"1 rue"}"#)
        #expect(try test.document(of: coop, for: .anonymous) == nil && test.document(of: site, for: .anonymous) == nil)
        try test.patch(coop, #"{"membership":"member"}"#)
        let shown = try #require(try test.document(of: site, for: .anonymous)?.members?.map(\.name))
        #expect(shown == ["id", "rev", "coop_id", "name", "address", "created_at", "updated_at"])
        #expect(try test.document(of: coop, for: .anonymous)?["email"] == nil)
        #expect(try test.document(of: coop, for: .anonymous)?["city"] == .null)
        #expect(try test.document(of: site, for: .reader)?["workstations"] == .number("3"))
        try test.patch(coop, #"{"membership":"former_member"}"#)
        #expect(try test.document(of: coop, for: .anonymous) == nil && test.document(of: site, for: .anonymous) == nil)
        // A site made meanwhile follows as well.
        let second = try test.create(Site.self, #"{"coop_id":"\#(coop.id)","name":"Annexe","workstations":0,"seats":4}"#)
        try test.patch(coop, #"{"membership":"member"}"#)
        #expect(try test.document(of: second, for: .anonymous) != nil && test.document(of: site, for: .anonymous) != nil)
    }

    @Test("a site's time zone is its department's", arguments: [("974", "Indian/Reunion"), ("972", "America/Martinique"), ("2A", "Europe/Paris")])
    func timeZone(department: String, zone: String) throws {
        let test = try TestFederation()
        let coop = try test.create(Coop.self, #"{"slug":"a","name":"A","department_code":"\#(department)"}"#)
        #expect(try test.create(Site.self, #"{"coop_id":"\#(coop.id)","name":"S","workstations":1,"seats":1}"#).timeZone == zone)
    }

    @Test("the federation's note is the federation's own")
    func note() throws {
        let test = try TestFederation()
        let coop = try test.addCoop("a", #","note":"à rappeler""#)
        #expect(try test.document(of: coop, for: .admin)?["note"]?.stringValue == "à rappeler")
        for caller in [Caller.reader, .manager(of: coop), .device(of: coop), .anonymous] { #expect(try test.document(of: coop, for: caller)?["note"] == nil) }
    }
}
