import Foundation
import JSON
import TestSupport
import Testing

@Suite("Appointment files over HTTP")
struct AppointmentRoutesTests {
    let app: TestApp
    let coop: String
    let other: String
    /// A file of the co-op in which a step is noted.
    let file: String
    private let any = [("If-Match", "*")]
    private static let absent = "0197a000-0000-7000-8000-00000000dead"

    init() throws {
        app = try TestApp()
        (coop, other) = (try app.addCoop("a-casa"), try app.addCoop("granit"))
        let body = #"{"opened_on":"2025-11-03","role_defined_on":"2025-11-10","role_defined_note":"Ana hésite"}"#
        file = try #require(app.send("POST", "/v1/appointments", body, token: app.token(.coopManager, coop: coop))["Location"])
    }

    enum Who: String, CaseIterable {
        case nobody, dashboard, federation, manager, device, helper
        case otherManager = "another co-op's manager"
        case otherDevice = "another co-op's device"
    }

    private func token(_ who: Who) throws -> String? {
        switch who {
        case .nobody: nil
        case .dashboard: try app.token(.federationReader)
        case .federation: try app.token(.federationAdmin)
        case .manager: try app.token(.coopManager, coop: coop)
        case .device: try app.token(.referent, coop: coop)
        case .helper: try app.token(.referent, coop: coop, helper: true)
        case .otherManager: try app.token(.coopManager, coop: other)
        case .otherDevice: try app.token(.referent, coop: other)
        }
    }

    struct Operation: Sendable, CustomTestStringConvertible {
        let name: String
        let method: String
        /// Behind the file's path.
        let path: String
        var body: String?
        /// What each gets where the file is there: the status, by the one who asks.
        let statuses: [Who: Int]
        var testDescription: String { name }
    }

    private static let writers: [Who: Int] = [.nobody: 401, .dashboard: 403, .device: 403, .helper: 403, .otherManager: 404, .otherDevice: 403]

    static let operations = [
        Operation(
            name: "read", method: "GET", path: "",
            statuses: [.nobody: 401, .dashboard: 200, .federation: 200, .manager: 200, .device: 404, .helper: 404, .otherManager: 404, .otherDevice: 404]),
        Operation(
            name: "history", method: "GET", path: "/history",
            statuses: [.nobody: 401, .dashboard: 403, .federation: 200, .manager: 200, .device: 404, .helper: 404, .otherManager: 404, .otherDevice: 404]),
        Operation(name: "change", method: "PATCH", path: "", body: #"{"call_written_on":"2025-11-14"}"#, statuses: writers.merging([.federation: 200, .manager: 200]) { $1 }),
        Operation(name: "change a note", method: "PATCH", path: "", body: #"{"selected_note":"x"}"#, statuses: writers.merging([.federation: 403, .manager: 200]) { $1 }),
        Operation(
            name: "abandon", method: "POST", path: "/transitions", body: #"{"to":"abandoned"}"#, statuses: writers.merging([.federation: 200, .manager: 200]) { $1 }),
        Operation(name: "delete", method: "DELETE", path: "", statuses: writers.merging([.federation: 409, .manager: 409]) { $1 }),
    ]

    @Test("each may do what its role may; what another co-op has is for everyone like what is not there, byte for byte", arguments: operations)
    func matrix(operation: Operation) throws {
        for who in Who.allCases {
            let (token, file) = (try token(who), try openAnother())
            func ask(_ id: String) throws -> TestAnswer {
                try app.send(operation.method, "/v1/appointments/\(id)\(operation.path)", operation.body, token: token, headers: operation.method == "GET" ? [] : any)
            }
            let (present, missing) = (try ask(file), try ask(Self.absent))
            #expect(present.status == operation.statuses[who], "\(who.rawValue): \(present.text)")
            // Whoever sees the file may be told why not; nobody else learns that it is there.
            let seesIt = [.dashboard, .federation, .manager].contains(who)
            if seesIt, present.status < 300 || present.status == 409 { #expect(missing.status == 404, "\(who.rawValue)") }
            if !seesIt { #expect(shape(present, file) == shape(missing, Self.absent), "\(who.rawValue)") }
        }
    }

    /// The id of a new file of the co-op, after the open one is abandoned.
    private func openAnother() throws -> String {
        let manager = try token(.manager)
        for open in try app.get("/v1/appointments?status=open", token: manager).json()["items"]?.elements ?? [] {
            _ = try app.send("POST", "/v1/appointments/\(open["id"]?.stringValue ?? "")/transitions", #"{"to":"abandoned"}"#, token: manager, headers: any)
        }
        return id(try #require(app.send("POST", "/v1/appointments", #"{"opened_on":"2025-11-03","role_defined_on":"2025-11-10"}"#, token: manager)["Location"]))
    }

    private func id(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

    /// An answer without what names the request.
    private func shape(_ answer: TestAnswer, _ id: String) -> String {
        let headers = answer.headers.filter { !["date", "request-id"].contains($0.name.lowercased()) }.map { "\($0.name): \($0.value)" }
        return "\(answer.status)\n\(headers)\n\(answer.text.replacingOccurrences(of: id, with: "ID"))"
    }

    @Test("lists hold a co-op's own files, the federation's and the dashboards' all of them without notes; no filter finds what is hidden")
    func lists() throws {
        let counts: [Who: Int] = [.dashboard: 1, .federation: 1, .manager: 1, .device: 0, .helper: 0, .otherManager: 0, .otherDevice: 0]
        for (who, count) in counts {
            let token = try token(who)
            let list = try app.get("/v1/appointments?count=true&status=open&coop_id=\(coop)", token: token)
            #expect(try list.json()["total"]?.integerValue == Int64(count), "\(who.rawValue)")
            #expect(list.text.contains("Ana hésite") == (who == .manager), "\(who.rawValue)")
            let csv = try app.get("/v1/appointments", token: token, headers: [("Accept", "text/csv")])
            #expect(csv.text.contains("Ana hésite") == (who == .manager), "\(who.rawValue)")
            if count == 0 {
                let empty = try app.get("/v1/appointments?count=true&status=open&coop_id=\(Self.absent)", token: token)
                #expect(shape(list, coop) == shape(empty, Self.absent))
            }
            let changes = try app.get("/v1/changes?types=appointment", token: token)
            #expect(try changes.json()["changes"]?.elements?.count == count, "\(who.rawValue)")
            #expect(changes.text.contains("Ana hésite") == (who == .manager), "\(who.rawValue)")
            for query in ["role_defined_note=Ana", "sort=role_defined_note", "q=Ana"] { #expect(try app.get("/v1/appointments?\(query)", token: token).status == 400) }
        }
        #expect(try app.get("/v1/appointments").status == 401)
    }

    @Test("who opens a file: a manager the own co-op's, the federation any; another's is refused like nobody's")
    func opens() throws {
        let statuses: [(Who, String, Int)] = [
            (.nobody, coop, 401), (.dashboard, coop, 403), (.device, coop, 403), (.manager, coop, 409), (.federation, coop, 409), (.manager, other, 403),
            (.manager, Self.absent, 403), (.federation, Self.absent, 422), (.otherManager, other, 201),
        ]
        for (who, coop, status) in statuses {
            let answer = try app.send("POST", "/v1/appointments", #"{"coop_id":"\#(coop)"}"#, token: token(who))
            #expect(answer.status == status, "\(who.rawValue): \(answer.text)")
        }
        let another = try app.send("POST", "/v1/appointments", #"{"coop_id":"\#(other)"}"#, token: token(.manager))
        #expect(try shape(another, other) == shape(app.send("POST", "/v1/appointments", #"{"coop_id":"\#(Self.absent)"}"#, token: token(.manager)), Self.absent))
        #expect(try app.send("POST", "/v1/appointments", "{}", token: token(.federation)).faults == ["#/coop_id field.required"])
        let taken = try app.send("POST", "/v1/appointments", #"{"id":"\#(id(file))"}"#, token: token(.otherManager))
        #expect(taken.code == "id.taken")
    }

    @Test("a manager leads a file to an appointment; another co-op's mandate is like none")
    func appoints() throws {
        let manager = try token(.manager)
        let (mandate, foreign) = (try app.addReferent(coop), try app.addReferent(other))
        let steps = file + "/transitions"
        func appoint(_ referent: String) throws -> TestAnswer {
            try app.send("POST", steps, #"{"to":"appointed","referent_id":"\#(referent)"}"#, token: manager, headers: any)
        }
        #expect(try shape(appoint(foreign), foreign) == shape(appoint(Self.absent), Self.absent))
        let closed = try appoint(mandate)
        #expect(closed.status == 200)
        #expect(try closed.json()["lead_days"]?.integerValue == 63)
        #expect(try closed.json()["status"]?.stringValue == "appointed")
        let late = try app.send("POST", steps, #"{"to":"abandoned"}"#, token: manager, headers: any)
        #expect(late.code == "state.forbidden")
        #expect(try late.json()["permitted"] == .array([]))
        let seen = try app.get(file, token: token(.dashboard))
        #expect(try seen.json()["referent_id"]?.stringValue == mandate)
        #expect(!seen.text.contains("Muller") && !seen.text.contains("_note"))
    }
}
