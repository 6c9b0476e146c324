import JSON
import TestSupport
import Testing

@Suite("Merging co-ops over HTTP")
struct CoopRoutesTests {
    private let any = [("If-Match", "*")]

    @Test("the id of a merged co-op leads to its successor, its people are told where to go, and devices hear of it")
    func merges() throws {
        let app = try TestApp()
        let (former, successor) = (try app.addCoop("ancienne"), try app.addCoop("nouvelle"))
        let (admin, manager) = (try app.token(.federationAdmin), try app.token(.coopManager, coop: former))
        let mandate = try app.addReferent(former, more: #","status":"active""#)
        let device = try app.token(.referent, coop: former, referent: mandate)
        let cursor = try #require(try app.get("/v1/changes?types=coop", token: admin).json()["cursor"]?.stringValue)
        let path = "/v1/coops/\(former)"
        let into = #"{"into":"\#(successor)"}"#
        #expect(try app.send("POST", path + "/merge", into, token: manager, headers: any).code == "scope.missing")
        #expect(try app.send("POST", path + "/merge", into, token: admin).code == "precondition.required")
        #expect(try app.send("POST", path + "/merge", #"{"into":"\#(former)"}"#, token: admin, headers: any).faults == ["#/into coop.merge-target"])
        let merged = try app.send("POST", path + "/merge", into, token: admin, headers: any)
        #expect(merged.status == 200)
        #expect(try merged.json()["successor_id"]?.stringValue == successor)
        #expect(try merged.json()["membership"]?.stringValue == "former_member")

        for token in [nil, manager, device, admin] {
            let read = try app.get(path, token: token)
            #expect(read.status == 308)
            #expect(read["Location"] == "/v1/coops/\(successor)")
            #expect(try app.get(path + "?follow=false", token: token).json()["successor_id"]?.stringValue == successor)
        }
        let refused = try app.send("POST", "/v1/referents", #"{"coop_id":"\#(former)","given_name":"A","family_name":"B","started_on":"2026-03-02"}"#, token: manager)
        #expect(refused.code == "coop.merged")
        #expect(try refused.json()["canonical_id"]?.stringValue == successor)
        #expect(try app.send("PATCH", path, #"{"website":null}"#, token: admin, headers: any).code == "coop.merged")
        #expect(try app.get("/v1/me", token: manager).json()["coop_id"]?.stringValue == former)
        #expect(try app.get("/v1/me", token: device).json()["coop_id"]?.stringValue == successor)
        #expect(try app.send("PATCH", "/v1/referents/\(mandate)", #"{"work_phone":"02 99 00 00 00"}"#, token: device, headers: any).status == 200)

        let changes = try app.get("/v1/changes?cursor=\(cursor)", token: admin).json()["changes"]?.elements ?? []
        #expect(changes.contains { $0["id"]?.stringValue == former && $0["doc"]?["successor_id"]?.stringValue == successor })
        let last = try app.get(path + "/history", token: admin).json()["items"]?.elements?.first { $0["action"]?.stringValue == "merge" }
        #expect(last?["by"]?["actor"]?.stringValue == "federation_admin")
        #expect(try app.get("/v1/coops?has_referent=true", token: manager).json()["items"]?.elements?.compactMap { $0["id"]?.stringValue } == [successor])
        #expect(try app.get("/v1/coops?has_referent=true").status == 400)
    }
}
