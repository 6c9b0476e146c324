import Embedded
import Foundation
import JSON
import TestSupport
import Testing

/// Commands beside a running server, and on a folder that no server uses.
struct CommandProcessTests {
    @Test("a token made and revoked by command works and stops working at once", arguments: [true, false])
    func handlesTokens(running: Bool) throws {
        let folder = TestFolder()
        var server: Running? = running ? try Running(folder.path) : nil
        func command(_ words: String...) throws -> Program.Outcome { try Program.run(words + ["--data", folder.path]) }
        let samples = try Self.samples(folder)
        #expect(try Program.run(["import"] + samples + ["--data", folder.path]).code == 0)

        let made = try command("token", "create", "--role", "referent", "--coop", "a-casa-cumuna", "--helper", "--label", "Ana", "--expires", "2999-12-31")
        #expect(made.code == 0 && made.errors.isEmpty, "\(made)")
        #expect(made.output.hasPrefix("vc_") && made.output.hasSuffix("\n") && made.output.dropLast().allSatisfy { !$0.isWhitespace })
        let token = String(made.output.dropLast())
        let listed = try command("token", "list").output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        let row = try #require(listed.first { $0.contains("Ana") })
        #expect(row[1] == "referent" && row[4].hasPrefix("until 2999-12-31"))
        for (words, message) in [
            (["--role", "coop_manager", "--coop", "nowhere"], "no co-op with the slug nowhere"),
            (["--role", "federation_admin", "--expires", "soon"], "--expires must be a time"),
            (["--role", "coop_manager"], "--coop is required"),
        ] {
            let refused = try Program.run(["token", "create", "--data", folder.path] + words)
            #expect(refused.code == 1 && refused.output.isEmpty && refused.errors.contains(message), "\(refused)")
        }

        if let server {
            let me = try server.get("/v1/me", token: token)
            #expect(me.status == 200)
            #expect(try me.json()["helper"]?.boolValue == true)
        }
        #expect(try command("token", "revoke", row[0]).output == "revoked\n")
        #expect(try command("token", "revoke", UUID().uuidString.lowercased()).code == 1)
        if server == nil { server = try Running(folder.path) }
        let answer = try #require(try server?.get("/v1/me", token: token))
        #expect(answer.status == 401)
        #expect(try answer.json()["wipe"]?.boolValue == true)
        #expect(try command("token", "list").output.contains("revoked 2"))
    }

    @Test("the samples are imported, again without change, exported and imported back", arguments: [true, false])
    func importsAndExports(running: Bool) throws {
        let folder = TestFolder(), files = TestFolder()
        let server: Running? = running ? try Running(folder.path) : nil
        func command(_ words: [String]) throws -> Program.Outcome { try Program.run(words + ["--data", folder.path]) }
        let samples = try Self.samples(files)
        let dry = try command(["import"] + samples + ["--dry-run"])
        #expect(dry.code == 0 && dry.output.contains("would be created: "), "\(dry)")
        #expect(try command(["export", "coop", "--format", "ndjson"]).output.isEmpty)
        let first = try command(["import"] + samples)
        #expect(first.code == 0 && first.output.contains("created: ") && first.errors.isEmpty, "\(first)")
        #expect(try command(["import"] + samples).output.contains("nothing to change"))

        let csv = try command(["export", "coop", "--format", "csv"])
        #expect(csv.code == 0 && csv.output.contains("a-casa-cumuna"))
        try files.write(Array(csv.output.utf8), to: "coops.csv")
        let back = try command(["import", files.file("coops.csv")])
        #expect(back.code == 0 && back.output.contains("nothing to change"), "\(back)")

        try files.write(Array("slug,name,department_code\nOne!,Un,2B\ntwo,,2B\n".utf8), to: "coops.csv")
        let bad = try command(["import", files.file("coops.csv")])
        #expect(bad.code == 1 && bad.errors.contains("line 2") && bad.errors.contains("line 3") && bad.errors.contains("nothing was imported"), "\(bad)")
        #expect(try command(["export", "coop", "--format", "csv"]).output == csv.output)
        let missing = try command(["import", files.file("none.csv")])
        #expect(missing.code == 1 && missing.errors.contains("none.csv can't be read"), "\(missing)")

        #expect(try command(["feed", "verify"]).output == "every document is as its record\n")
        #expect(try command(["feed", "rebuild"]).output == "0 records rendered again\n")
        let doctor = try command(["doctor"])
        #expect(doctor.code == 0 && doctor.output.contains("status: ready"), "\(doctor)")
        withExtendedLifetime(server) {}
    }

    @Test("what is forgotten is shown by a dry run, then done, by the term that is kept with the data", arguments: [true, false])
    func forgets(running: Bool) throws {
        let folder = TestFolder()
        let server = try Running(folder.path)
        func others(_ what: String) -> String { "registrations: 0 \(what)\nfacilitators: 0 \(what)\n" }
        func command(_ words: String...) throws -> Program.Outcome { try Program.run(["retention"] + words + ["--data", folder.path]) }
        #expect(try command("set", "referent_months", "120").output == "referent_months\t120\n")
        let admin = try server.token()
        let id = UUID()
        let body = referent(id, coop: try server.addCoop("a-casa", token: admin)).replacingOccurrences(of: "2026-01-05", with: "2020-01-06")
        #expect(try server.send("POST", "/v1/referents", body, token: admin).status == 201)
        let path = "/v1/referents/\(id.uuidString.lowercased())"
        #expect(try server.send("POST", path + "/transitions", #"{"to":"ended","ended_on":"2021-03-01"}"#, token: admin, headers: [("If-Match", "*")]).status == 200)
        if !running { server.stop() }

        #expect(try command("run").output == "referents: 0 forgotten\nappointments: 0 forgotten\n" + others("forgotten"))
        #expect(try command("set", "referent_months", "12").code == 0)
        #expect(try command("terms").output == "referent_months\t12\nappointment_months\t12\nregistration_days\t90\nwaitlist_days\t30\nfacilitator_months\t6\n")
        let line = "  \(id.uuidString.lowercased())\n"
        for _ in 0..<2 { #expect(try command("run", "--dry-run").output == "referents: 1 would be forgotten\n\(line)appointments: 0 would be forgotten\n" + others("would be forgotten")) }
        #expect(try command("run").output == "referents: 1 forgotten\n\(line)appointments: 0 forgotten\n" + others("forgotten"))
        let exported = try Program.run(["export", "referent", "--format", "csv", "--data", folder.path]).output
        #expect(exported.contains("ancien") && !exported.contains("Muller"))

        let high = try command("set", "referent_months", "1000")
        #expect(high.code == 1 && high.errors.contains("NUMBER must be a whole number from 1 to 120"), "\(high)")
        let unknown = try command("set", "nothing", "12")
        #expect(unknown.code == 1 && unknown.errors.contains("NAME must be one of: referent_months"), "\(unknown)")
        for words in [["set"], ["set", "referent_months"], ["set", "referent_months", "soon"], ["start"]] {
            #expect(try Program.run(["retention"] + words + ["--data", folder.path]).code == 2, "\(words)")
        }
    }

    @Test("help and version print to standard output; no command at all is a misuse")
    func explains() throws {
        #expect(try Program.run(["version"]).output.hasPrefix("viecoop "))
        for words in [["help"], ["--help"], ["-h"]] + ["serve", "import", "export", "token", "feed", "retention", "replica", "doctor", "version"].flatMap({ [["help", $0], [$0, "--help"]] }) {
            let outcome = try Program.run(words)
            #expect(outcome.code == 0 && outcome.errors.isEmpty && outcome.output.contains("viecoop"), "\(words): \(outcome)")
        }
        #expect(try Program.run([]).code == 2)
    }

    @Test("every option of serve is taken from the environment too")
    func readsEnvironment() throws {
        let folder = TestFolder()
        let program = try Program(["serve"], environment: [
            "VIECOOP_DATA": folder.path, "VIECOOP_LISTEN": "127.0.0.1:0", "VIECOOP_LOG": "off", "VIECOOP_DEMO": "1", "VIECOOP_CORS_ORIGINS": "https://a.example",
        ])
        let port = try Running.port(of: program)
        _ = try program.outputLine(with: "export FEDERATION=")
        let answer = try TestClient.send("GET", "/v1/ideas?limit=1", nil, [("Origin", "https://a.example")], port: port)
        #expect(answer.status == 200 && answer["Access-Control-Allow-Origin"] == "https://a.example")
        program.send(SIGTERM)
        let outcome = program.wait()
        #expect(outcome.code == 0 && !outcome.errors.contains("/v1/ideas"), "\(outcome)")
        let bad = try Program.run(["serve"], environment: ["VIECOOP_DATA": folder.path, "VIECOOP_LOG": "loud"])
        #expect(bad.code == 2)
    }

    /// The paths of the three sample files.
    static func samples(_ folder: TestFolder) throws -> [String] {
        try Embedded.sampleData.map { file in
            try folder.write(file.bytes, to: file.name)
            return folder.file(file.name)
        }
    }
}
