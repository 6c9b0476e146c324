import Embedded
import Foundation
import Testing
import TestSupport

@Suite("Commands")
struct CommandTests {
    @Test("tokens are made, listed and revoked at once beside a running server, and without one", arguments: [true, false])
    func managesTokens(_ isRunning: Bool) throws {
        let folder = TestFolder()
        var server: RunningServer? = try RunningServer(data: folder.path)
        if !isRunning { #expect(server?.stop() == 0) }
        let made = try Binary.run("token", "create", "--role", "federation_reader", "--label", "Tableau", "--expires", "2099-12-31", "--data", folder.path)
        #expect(made.status == 0)
        let token = made.output.trimmingCharacters(in: .newlines)
        #expect(made.output == token + "\n")
        let id = String(token.split(separator: "_")[1])
        #expect(try Binary.run("token", "list", "--data", folder.path).output.contains("\(id)\tfederation_reader\t-\tTableau\tuntil 2099-12-31"))
        if isRunning { #expect(try server?.send("GET", "/v1/me", token: token).status == 200) }
        #expect(try Binary.run("token", "revoke", id, "--data", folder.path).status == 0)
        if !isRunning { server = try RunningServer(data: folder.path) }
        #expect(try server?.send("GET", "/v1/me", token: token).json()["wipe"] == .bool(true))
        #expect(try Binary.run("token", "create", "--role", "coop_manager", "--coop", "nowhere", "--data", folder.path).errors.contains("nowhere"))
        #expect(server?.stop() == 0)
    }

    @Test("the sample files are imported once; a second run and a dry run change nothing", arguments: [true, false])
    func imports(_ isRunning: Bool) throws {
        let folder = TestFolder()
        var server: RunningServer? = try RunningServer(data: folder.path)
        if !isRunning {
            #expect(server?.stop() == 0)
            server = nil
        }
        let files = try Embedded.sampleData.map { file in
            let path = folder.path + "/" + file.name
            try Data(file.bytes).write(to: URL(fileURLWithPath: path))
            return path
        }
        let dry = try Binary.run("import", files[0], files[1], files[2], "--dry-run", "--data", folder.path)
        #expect(dry.output.contains("would be created: 43 coops"))
        #expect(try Binary.run("export", "coop", "--format", "ndjson", "--data", folder.path).output.isEmpty)
        #expect(try Binary.run("import", files[0], files[1], files[2], "--data", folder.path).output.contains("created: 43 coops"))
        #expect(try Binary.run("import", files[0], files[1], files[2], "--data", folder.path).output.contains("nothing to change"))
        let csv = folder.path + "/coops.csv"
        try Binary.run("export", "coop", "--format", "csv", "--data", folder.path).output.write(toFile: csv, atomically: true, encoding: .utf8)
        #expect(try Binary.run("import", csv, "--data", folder.path).output.contains("nothing to change"))
        #expect(try Binary.run("feed", "verify", "--data", folder.path).status == 0)
        #expect(try Binary.run("feed", "rebuild", "--data", folder.path).output == "0 records rendered again\n")
        if let server { #expect(server.stop() == 0) }
    }

    @Test("every bad line is named, and nothing is imported")
    func namesFaults() throws {
        let folder = TestFolder()
        #expect(try RunningServer(data: folder.path).stop() == 0)
        let csv = folder.path + "/coops.csv"
        try "slug,name,department_code\na-casa,A Casa,2B\nbad slug,X,2B\nb,Y,99\n".write(toFile: csv, atomically: true, encoding: .utf8)
        let result = try Binary.run("import", csv, "--data", folder.path)
        #expect(result.status == 1)
        #expect(result.errors.contains("line 3, slug"))
        #expect(result.errors.contains("line 4, department_code"))
        #expect(try Binary.run("export", "coop", "--format", "ndjson", "--data", folder.path).output.isEmpty)
        #expect(try Binary.run("import", folder.path + "/none.csv", "--data", folder.path).errors.contains("none.csv"))
    }

    @Test("the binary holds every migration of the folder")
    func embeds() throws {
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let files = try FileManager.default.contentsOfDirectory(atPath: repository.appendingPathComponent("Migrations").path).filter { $0.hasSuffix(".sql") }
        #expect(Embedded.migrations.map { $0.name + ".sql" } == files.sorted())
    }
}
