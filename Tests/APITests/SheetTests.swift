import Domain
import JSON
import TestSupport
import Testing

@Suite("Sessions for calendars and for the printer")
struct SheetTests {
    let app: TestApp
    let coop: String
    let site: String
    let manager: String
    private let any = [("If-Match", "*")]

    init() throws {
        app = try TestApp()
        coop = try app.addCoop("a-casa")
        manager = try app.token(.coopManager, coop: coop)
        site = try app.add(Site.self, #"{"coop_id":"\#(coop)","name":"Salle de l'Étang ; fond, cour","address":"1 rue <du> Lac","workstations":5,"seats":8}"#)
    }

    private func session(_ starts: String = "2099-03-29T13:00:00Z") throws -> String {
        let slug = "s" + starts.filter(\.isNumber)
        let title = "Comprendre ensemble les charges, l'entretien et les travaux de notre résidence coopérative"
        let module = try app.add(Module.self, #"{"mooc_id":"\#(app.addMooc(slug))","slug":"\#(slug)","title":"\#(title)","status":"published"}"#)
        let body = #"{"site_id":"\#(site)","module_id":"\#(module)","starts_at":"\#(starts)","capacity":3,"status":"open"}"#
        return try #require(app.send("POST", "/v1/sessions", body, token: manager)["Location"])
    }

    /// The calendar's lines, unfolded.
    private func lines(_ answer: TestAnswer) -> [String] {
        answer.text.replacing("\r\n ", with: "").split(separator: "\r\n").map(String.init)
    }

    @Test("an event keeps its UID, its SEQUENCE rises with what calendars show, and a call-off is a CANCEL, for anyone who has it")
    func calendar() throws {
        let path = try session()
        let first = lines(try app.get(path + ".ics"))
        let uid = "UID:\(path.split(separator: "/").last ?? "")@viecoop"
        #expect(first.contains(uid) && first.contains("SEQUENCE:0") && first.contains("METHOD:PUBLISH"))
        #expect(first.contains("DTSTART:20990329T130000Z") && first.contains("DTEND:20990329T143000Z"))
        #expect(first.contains { $0.hasPrefix("LOCATION:Salle de l'Étang \\; fond\\, cour\\, 1 rue <du> Lac") })
        #expect(try app.send("PATCH", path, #"{"starts_at":"2099-03-30T13:00:00Z"}"#, token: manager, headers: any).status == 200)
        #expect(lines(try app.get(path + ".ics")).contains("SEQUENCE:1"))
        #expect(try app.send("POST", path + "/transitions", #"{"to":"cancelled"}"#, token: manager, headers: any).status == 200)
        let last = lines(try app.get(path + ".ics"))
        #expect(last.contains(uid) && last.contains("SEQUENCE:2") && last.contains("METHOD:CANCEL") && last.contains("STATUS:CANCELLED"))
        #expect(lines(try app.get("/v1/coops/\(coop)/calendar.ics")).contains("STATUS:CANCELLED"))
    }

    @Test("lines have at most 75 octets and split no character")
    func folds() throws {
        let answer = try app.get(session() + ".ics")
        #expect(answer["Content-Type"] == "text/calendar; charset=utf-8")
        #expect(answer.text.split(separator: "\r\n").contains { $0.hasPrefix(" ") })
        for line in answer.body.split(separator: 0x0A) { #expect(line.count <= 76 && String(validating: line, as: UTF8.self) != nil) }
    }

    @Test("a site's and a co-op's calendars hold what the reader may see, in order")
    func collections() throws {
        _ = (try session("2099-05-01T13:00:00Z"), try session("2099-04-01T13:00:00Z"))
        let module = try app.add(Module.self, #"{"mooc_id":"\#(app.addMooc("x"))","slug":"x","title":"Brouillon","status":"published"}"#)
        _ = try app.send("POST", "/v1/sessions", #"{"site_id":"\#(site)","module_id":"\#(module)","starts_at":"2099-06-01T13:00:00Z","capacity":1}"#, token: manager)
        for path in ["/v1/sites/\(site)", "/v1/coops/\(coop)"] {
            let starts = lines(try app.get(path + "/calendar.ics")).filter { $0.hasPrefix("DTSTART") }
            #expect(starts == ["DTSTART:20990401T130000Z", "DTSTART:20990501T130000Z"])
            #expect(lines(try app.get(path + "/calendar.ics", token: manager)).count { $0 == "BEGIN:VEVENT" } == 3)
        }
        #expect(try app.get("/v1/sites/\(coop)/calendar.ics").status == 404)
    }

    @Test("the invitation is French, says when and where as people read it, and escapes what it is given")
    func invites() throws {
        let path = try session()
        _ = try app.send("PATCH", "/v1/coops/\(coop)", #"{"phone":"0299000000"}"#, token: manager, headers: any)
        let page = try app.get(path + "/sheet")
        #expect(page.text.contains("dimanche 29 mars 2099, de 15\u{A0}h à 16\u{A0}h\u{A0}30"))
        #expect(page.text.contains("02\u{A0}99\u{A0}00\u{A0}00\u{A0}00") && page.text.contains("Bulletin à rendre"))
        #expect(page.text.contains("1 rue &lt;du&gt; Lac") && !page.text.contains("<du>"))
        #expect(page["Content-Security-Policy"]?.contains("default-src 'none'") == true)
        let table = try app.get(path + "/sheet", headers: [("Accept", "text/csv")])
        #expect(table.text.hasPrefix("id,") && table.text.contains("2099-03-29T15:00"))
    }

    @Test("the sheet to sign has names only, for those at the desk; a line for each person")
    func signs() throws {
        let path = try session()
        for (name, size) in [("Anne <b>", 2), ("=Ben", 1), ("Chloé", 1)] {
            _ = try app.send("POST", path + "/registrations", #"{"contact_name":"\#(name)","email":"\#(size)\#(name.utf8.count)@exemple.coop","party_size":\#(size)}"#, token: manager)
        }
        let helper = try app.token(.referent, coop: coop, helper: true)
        let page = try app.get(path + "/signatures", token: helper)
        #expect(page.text.contains("Anne &lt;b&gt;") && page.text.components("<tr><td>") == 3 && !page.text.contains("exemple.coop"))
        #expect(try app.get(path + "/signatures", token: manager, headers: [("Accept", "text/csv")]).text == "contact_name,party_size\r\nAnne <b>,2\r\n'=Ben,1\r\n")
        #expect(try app.get(path + "/signatures").status == 401)
        #expect(try app.get(path + "/signatures", token: app.token(.referent, coop: coop)).code == "scope.missing")
        #expect(try app.get(path + "/signatures", token: app.token(.coopManager, coop: app.addCoop("autre"))).code == "scope.not-yours")
        #expect(try app.get(path + "/signatures", token: app.token(.federationAdmin)).code == "scope.missing")
    }
}

extension String {
    /// How often another stands in it.
    fileprivate func components(_ part: String) -> Int { split(separator: part, omittingEmptySubsequences: false).count - 1 }
}
