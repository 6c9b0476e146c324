import API
import Domain
import Foundation
import JSON
import TestSupport
import Testing

@Suite("What devices push, and how their copies are mended")
struct PushRoutesTests {
    let app: TestApp
    let coop: String
    let admin: String
    let manager: String
    let device: String
    let referent: String
    let epoch: String
    private let any = [("If-Match", "*")]

    init() throws {
        app = try TestApp()
        coop = try app.addCoop("a-casa")
        admin = try app.token(.federationAdmin)
        manager = try app.token(.coopManager, coop: coop)
        referent = try app.addReferent(coop)
        device = try app.token(.referent, coop: coop, referent: referent)
        epoch = app.federation.epochs.current
    }

    private func id() -> String { UUID().uuidString.lowercased() }

    private func push(_ mutations: [String], token: String? = nil) throws -> TestAnswer {
        try app.send("POST", "/v1/push", #"{"epoch":"\#(epoch)","mutations":[\#(mutations.joined(separator: ","))]}"#, token: token ?? manager)
    }

    /// The first result.
    private func result(_ mutation: String, token: String? = nil) throws -> JSON {
        let answer = try push([mutation], token: token)
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(answer.json()["results"]?.elements?.first)
    }

    private func patch(_ fields: String, base: Int64, of other: String? = nil) -> String {
        #"{"mid":"\#(id())","type":"referent","id":"\#(other ?? referent)","op":"patch","base":\#(base),"fields":\#(fields)}"#
    }

    private var head: Int64 { app.federation.heads.head }

    /// The path of a published idea.
    private func idea() throws -> String {
        let theme = try app.addTheme("t\(head)")
        let path = try #require(app.send("POST", "/v1/ideas", #"{"title":"Jardin","theme_id":"\#(theme)"}"#, token: admin)["Location"])
        for state in ["submitted", "published"] { _ = try app.send("POST", path + "/transitions", #"{"to":"\#(state)"}"#, token: admin, headers: any) }
        return String(path.split(separator: "/").last ?? "")
    }

    @Test("a mutation happens once, however often it is sent; the same mid with other content is refused")
    func once() throws {
        let (mid, record) = (id(), id())
        let create = #"{"mid":"\#(mid)","type":"endorsement","id":"\#(record)","op":"create","fields":{"idea_id":"\#(try idea())"}}"#
        let first = try push([create], token: device)
        #expect(try first.json()["results"]?.elements?.first?["status"]?.stringValue == "applied")
        let head = head
        let again = try push([create], token: device)
        #expect(try again.json()["results"] == first.json()["results"])
        #expect(self.head == head)
        let reused = try result(create.replacingOccurrences(of: record, with: id()), token: device)
        #expect(reused["status"]?.stringValue == "rejected")
        #expect(reused["problem"]?["code"]?.stringValue == "mid.reused")
        let twin = try result(create.replacingOccurrences(of: mid, with: id()).replacingOccurrences(of: record, with: id()), token: device)
        #expect(twin["status"]?.stringValue == "duplicate")
        #expect(twin["id"]?.stringValue == record)
        #expect(try app.get("/v1/endorsements/\(record)", token: device).status == 200)
    }

    @Test("two edits of different fields both survive; of the same field one wins, and the loser is told; one's own is no conflict")
    func merges() throws {
        let base = head
        #expect(try result(patch(#"{"job_title":"Gardienne"}"#, base: base))["status"]?.stringValue == "applied")
        #expect(try result(patch(#"{"work_phone":"+33698765432"}"#, base: base), token: device)["status"]?.stringValue == "applied")
        #expect(try result(patch(#"{"job_title":"Gardienne"}"#, base: base), token: admin)["status"]?.stringValue == "applied")
        let merged = try result(patch(#"{"job_title":"Directrice","trained_on":"2026-02-01"}"#, base: base), token: admin)
        #expect(merged["status"]?.stringValue == "merged")
        #expect(merged["conflicts"]?.elements?.first == .object([.init("field", .string("job_title")), .init("yours", .string("Directrice")), .init("server", .string("Gardienne"))]))
        #expect(merged["doc"]?["trained_on"]?.stringValue == "2026-02-01")
        let lost = try result(patch(#"{"job_title":"Directrice"}"#, base: base), token: admin)
        #expect(lost["status"]?.stringValue == "conflict")
        for title in ["A", "B", "A", "B"] { #expect(try result(patch(#"{"job_title":"\#(title)"}"#, base: base))["status"]?.stringValue == "applied") }
        #expect(try app.get("/v1/referents/\(referent)", token: manager).json()["job_title"]?.stringValue == "B")
    }

    @Test("one bad mutation stops no other, each in order, with the same problem as a request")
    func isolates() throws {
        let other = id()
        let results = try push([
            #"{"mid":"\#(id())","type":"referent","id":"\#(other)","op":"create","fields":{"coop_id":"\#(coop)","given_name":"","family_name":"X","started_on":"2026-01-05"}}"#,
            #"{"mid":"\#(id())","type":"nothing","id":"\#(other)","op":"create"}"#,
            #"{"mid":"\#(id())","type":"referent","id":"\#(other)","op":"create","fields":{"coop_id":"\#(coop)","given_name":"Ana","family_name":"X","started_on":"2026-01-05"}}"#,
            #"{"mid":"\#(id())","type":"referent","id":"\#(other)","op":"transition","to":"active"}"#,
            #"{"mid":"\#(id())","type":"referent","id":"\#(other)","op":"transition","to":"active"}"#,
            #"{"mid":"\#(id())","type":"referent","id":"\#(other)","op":"transition","to":"designated"}"#,
        ]).json()["results"]?.elements ?? []
        #expect(results.map { $0["status"]?.stringValue } == ["rejected", "rejected", "applied", "applied", "duplicate", "conflict"])
        #expect(results[0]["problem"]?["errors"]?.elements?.first?["pointer"]?.stringValue == "#/given_name")
        #expect(results[5]["conflicts"]?.elements?.first?["server"]?.stringValue == "active")
        #expect(try FeedAudit.isClean(app.federation))
    }

    @Test("deletion is final: what comes after it is a conflict for who knew the record; a stale deletion is one too")
    func deletes() throws {
        let referent = try app.addReferent(coop, "Autre")
        let base = head
        #expect(try result(patch(#"{"job_title":"Gardienne"}"#, base: base, of: referent))["status"]?.stringValue == "applied")
        let delete = #"{"mid":"\#(id())","type":"referent","id":"\#(referent)","op":"delete","base":\#(base)}"#
        let stale = try result(delete, token: admin)
        #expect(stale["status"]?.stringValue == "conflict")
        #expect(stale["doc"]?["job_title"]?.stringValue == "Gardienne")
        #expect(try result(#"{"mid":"\#(id())","type":"referent","id":"\#(referent)","op":"delete","base":\#(head)}"#, token: admin)["status"]?.stringValue == "applied")
        let late = try result(patch(#"{"job_title":"X"}"#, base: base, of: referent))
        #expect(late["status"]?.stringValue == "conflict")
        #expect(late["gone"]?.stringValue == "deleted")
    }

    @Test("another's record is refused like one that is not there; a device may no more than its role")
    func isGuarded() throws {
        let other = try app.token(.coopManager, coop: app.addCoop("autre"))
        func body(_ id: String, _ mid: String) -> String { #"{"mid":"\#(mid)","type":"referent","id":"\#(id)","op":"patch","base":0,"fields":{"job_title":"X"}}"# }
        let mid = id()
        let theirs = try result(body(referent, mid), token: other)["problem"]
        let nobody = try result(body(id(), id()), token: other)["problem"]
        #expect(theirs == nobody)
        #expect(theirs?["code"]?.stringValue == "not-found")
        // Whatever else is wrong with it, and where nobody of the role may do it at all.
        for (token, mutation) in [(other, #""op":"patch","fields":{"no_field":1}"#), (device, #""op":"delete""#), (other, #""op":"transition","to":"nowhere""#)] {
            func refusal(of id: String) throws -> JSON? { try result(#"{"mid":"\#(self.id())","type":"referent","id":"\#(id)",\#(mutation)}"#, token: token)["problem"] }
            #expect(try refusal(of: referent) == refusal(of: id()), "\(mutation)")
        }
        let fields = try result(patch(#"{"job_title":"X"}"#, base: 0), token: device)
        #expect(fields["problem"]?["code"]?.stringValue == "scope.missing")
        #expect(try result(patch("{}", base: 0), token: app.token(.federationReader))["problem"]?["code"]?.stringValue == "scope.missing")
        #expect(try app.send("POST", "/v1/push", #"{"epoch":"\#(epoch)","mutations":[]}"#).status == 401)
    }

    @Test("nobody makes an erased person's record again, and a repair tells those who had it to wipe their notes")
    func forgetsErased() throws {
        let fields = #"{"coop_id":"\#(coop)","given_name":"Ana","family_name":"Neuf","started_on":"2026-01-05"}"#
        let record = id()
        func create() throws -> JSON { try result(#"{"mid":"\#(id())","type":"referent","id":"\#(record)","op":"create","fields":\#(fields)}"#) }
        #expect(try create()["status"]?.stringValue == "applied")
        _ = try app.federation.erase(.referent, #require(Identifier(record)), by: .operatorItself)
        #expect(try create()["problem"]?["code"]?.stringValue == "record.erased")
        func reason(_ token: String) throws -> JSON? {
            try app.send("POST", "/v1/repair", #"{"types":["referent"],"have":[["referent","\#(record)","1.n"]]}"#, token: token).json()["changes"]?.elements?
                .first { $0["id"]?.stringValue == record }?["reason"]
        }
        #expect(try reason(manager) == .string("erased"))
        #expect(try reason(app.token(.federationReader)) == nil)
    }

    @Test("an envelope that will not do is refused whole, with the next step")
    func refusesEnvelopes() throws {
        let other = try app.send("POST", "/v1/push", #"{"epoch":"xxxx","mutations":[]}"#, token: device)
        #expect(other.code == "epoch_changed")
        #expect(try other.json()["epoch"]?.stringValue == epoch)
        let many = try push((0...100).map { _ in "{}" })
        #expect(many.status == 413)
        #expect(try many.json()["maximum"] == .number("100"))
        #expect(try app.send("POST", "/v1/push", #"{"mutations":[],"x":1}"#, token: device).status == 422)
        #expect(try push([]).json()["results"] == .array([]))
    }

    @Test("a copy that differs is found by the digest and mended by the difference alone, bucket by bucket or whole")
    func repairs() throws {
        for number in 0..<30 { _ = try app.addReferent(coop, "Nom\(number)") }
        func copy(_ changes: [JSON]?) -> [String: String] {
            Dictionary(uniqueKeysWithValues: (changes ?? []).compactMap { entry in
                guard entry["op"]?.stringValue == "put", let id = entry["id"]?.stringValue, let type = entry["type"]?.stringValue, let rev = entry["rev"]?.integerValue else { return nil }
                return ("\(type)\n\(id)", "\(rev).\(entry["layer"]?.stringValue ?? "")")
            })
        }
        var held = copy(try app.get("/v1/changes?limit=1000", token: manager).json()["changes"]?.elements)
        let true_ = held
        let (lost, stale) = (held.keys.sorted()[3], held.keys.sorted()[7])
        held[lost] = nil
        held[stale] = "1.n"
        held["idea\n0197a000-0000-7000-8000-00000000abcd"] = "5.n"
        func have(_ held: [String: String]) -> String {
            held.map { key, version in
                let parts = key.split(separator: "\n")
                return #"["\#(parts[0])","\#(parts[1])","\#(version)"]"#
            }.joined(separator: ",")
        }
        let mended = try app.send("POST", "/v1/repair", #"{"have":[\#(have(held))]}"#, token: manager).json()
        let changes = try #require(mended["changes"]?.elements)
        #expect(changes.count == 3)
        for (key, version) in copy(changes) { held[key] = version }
        held["idea\n0197a000-0000-7000-8000-00000000abcd"] = nil
        #expect(held == true_)
        let cursor = try #require(mended["cursor"]?.stringValue)
        _ = try app.addReferent(coop, "Dernier")
        #expect(try app.get("/v1/changes?cursor=\(cursor)", token: manager).json()["changes"]?.elements?.count == 1)

        var whole: [JSON] = []
        var first: String?
        for bucket in "0123456789abcdef" {
            let more = first.map { #","cursor":"\#($0)""# } ?? ""
            let part = try app.send("POST", "/v1/repair", #"{"bucket":"\#(bucket)"\#(more)}"#, token: manager).json()
            first = first ?? part["cursor"]?.stringValue
            whole += part["changes"]?.elements ?? []
        }
        #expect(copy(whole).count == true_.count + 1)
        let digest = try app.get("/v1/digest", token: manager).json()
        #expect(digest["types"]?["referent"]?["count"]?.integerValue == 32)
        #expect(try app.get("/v1/digest?types=coop", token: manager).json()["types"]?["referent"] == nil)
        #expect(try app.get("/v1/digest?types=nothing").status == 400)
        #expect(try app.send("POST", "/v1/repair", #"{"cursor":"x"}"#, token: manager).code == "cursor.invalid")
        // A damaged name is a difference like any other.
        let odd = try app.send("POST", "/v1/repair", #"{"types":["theme"],"have":[["no\ntype","NO-ID","x"]]}"#, token: manager).json()
        #expect(odd["changes"]?.elements?.map { $0["type"]?.stringValue } == ["no\ntype"])
        #expect(try app.send("POST", "/v1/repair", #"{"bucket":"g","have":[["x"]]}"#, token: manager).faults == ["#/bucket field.type", "#/have/0 field.type"])
    }
}

extension FeedAudit {
    fileprivate static func isClean(_ federation: Federation) throws -> Bool {
        try federation.read { (connection) throws(DomainError) in try verify(in: connection).isEmpty }
    }
}
