import SQLite
import TestSupport
import Testing

/// A row that no longer goes with its document: whoever would read it is told that it is the server's fault, the log says which and what
/// mends it.
struct DamageTests {
    @Test("a damaged row of the feed is named in the log's line of the answer, and mended beside the running server")
    func cause() throws {
        let folder = TestFolder()
        let server = try Running(folder.path, ["--log", "errors"])
        let token = try server.token()
        let coop = try server.addCoop("a-casa", token: token)
        try Connection(path: folder.file("viecoop.db"), mode: .readWrite).run("UPDATE feed SET entry = x'00' WHERE id = ?", [.text(coop)])
        // A commit of the server's own: until then its readers may go on in a snapshot from before.
        _ = try server.addCoop("a-lume", token: token)

        let answer = try server.get("/v1/coops/\(coop)", token: token)
        #expect(answer.status == 500 && !answer.text.contains("feed"), "\(answer.text)")
        let line = try server.program.errorLine(with: #""cause""#)
        #expect(line.contains(#""status":500"#) && line.contains("viecoop feed rebuild"), "\(line)")

        #expect(try Program.run(["feed", "rebuild", "--data", folder.path]).code == 0)
        #expect(try server.get("/v1/coops/\(coop)", token: token).status == 200)
        #expect(server.stop().code == 0)
    }

    @Test("a record whose row another program has spoilt is an error of that record, and costs nobody the server", arguments: [
        "status = 'away'", "coop_id = 'x'", "started_on = 'soon'",
    ])
    func spoilt(_ change: String) throws {
        let folder = TestFolder()
        let server = try Running(folder.path, ["--log", "errors"])
        let token = try server.token()
        let coop = try server.addCoop("a-casa", token: token)
        let body = #"{"coop_id":"\#(coop)","given_name":"Ana","family_name":"Petit","status":"active","started_on":"2025-09-01"}"#
        let referent = try server.send("POST", "/v1/referents", body, token: token)
        let path = try #require(referent["Location"], "\(referent.text)")
        let shell = try Connection(path: folder.file("viecoop.db"), mode: .readWrite)
        try shell.script("PRAGMA ignore_check_constraints = 1; PRAGMA foreign_keys = OFF; UPDATE referent SET \(change)")
        let answer = try server.patch(path, #"{"family_name":"Grand"}"#, token: token)
        #expect(answer.status == 500, "\(answer.text)")
        let line = try server.program.errorLine(with: #""cause""#)
        let row = "referent \(path.split(separator: "/").last ?? ""): "
        #expect(line.contains(row), "\(line)")
        let verified = try Program.run(["feed", "verify", "--data", folder.path])
        #expect(verified.code != 0 && verified.errors.contains(row), "\(verified.errors)")
        #expect(try server.get("/v1/coops/\(coop)", token: token).status == 200)
        #expect(server.stop().code == 0)
    }
}
