import API
import Dispatch
import Domain
import HTTP
import TestSupport
import Testing

/// A client's stream, as the server draws it.
private final class Listener {
    private struct NoStream: Error {}

    private let next: @Sendable (Response.Bell) -> Response.Piece
    private let rung = DispatchSemaphore(value: 0)

    init(_ app: TestApp, token: String?, after last: String? = nil) throws {
        var headers: Headers = token.map { ["Authorization": "Bearer \($0)"] } ?? [:]
        if let last { headers.add("Last-Event-ID", last) }
        guard case .now(let response) = app.app.answer(Request(method: "GET", path: "/v1/events", headers: headers)), case .live(let next) = response.body else {
            throw NoStream()
        }
        #expect(response.headers["Content-Type"] == "text/event-stream")
        self.next = next
    }

    /// What there is to send; nil where the stream has ended, empty where it sleeps.
    func piece() -> String? {
        switch next(Response.Bell { [rung] in rung.signal() }) {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .notYet: ""
        case .end: nil
        }
    }

    func waitForBell() -> Bool { rung.wait(timeout: .now() + 10) == .success }
    /// Since the last look.
    var wasRung: Bool {
        var was = false
        while rung.wait(timeout: .now()) == .success { was = true }
        return was
    }
}

@Suite("Pokes")
struct EventRoutesTests {
    let app: TestApp
    let coop: String
    let device: String

    init() throws {
        app = try TestApp()
        coop = try app.addCoop("a-casa")
        device = try app.token(.referent, coop: coop)
    }

    private func poke(_ seq: Int64) -> String { "id: \(seq)\nevent: poke\ndata: \(seq)\n\n" }
    private var head: Int64 { app.federation.heads.head }

    @Test("news of what a client may see pokes it once, however much it is; other news does not")
    func pokes() throws {
        let listener = try Listener(app, token: device)
        #expect(listener.piece() == ":\n\n")
        #expect(listener.piece() == "")
        for number in 0..<3 { _ = try app.addReferent(coop, "Nom\(number)") }
        #expect(listener.waitForBell())
        #expect(listener.piece() == poke(head))
        #expect(listener.piece() == "")
        _ = listener.wasRung
        let theme = try app.addTheme("jardin")
        #expect(listener.waitForBell())
        #expect(listener.piece() == poke(head))
        #expect(listener.piece() == "")
        let other = try app.addCoop("autre")
        #expect(listener.waitForBell())
        #expect(listener.piece() == poke(head))
        #expect(listener.piece() == "")
        let admin = try app.token(.coopManager, coop: other)
        _ = listener.wasRung
        _ = try app.send("POST", "/v1/ideas", #"{"title":"Secret","theme_id":"\#(theme)"}"#, token: admin)
        #expect(!listener.wasRung)
        #expect(listener.piece() == "")
    }

    @Test("a client that was away is poked at once where something has happened, and not otherwise")
    func comesBack() throws {
        let last = head
        #expect(try Listener(app, token: device, after: "\(last)").piece() == ":\n\n")
        _ = try app.addReferent(coop)
        for id in ["\(last)", "0", "nonsense", "99999999999999999999", "\(head + 5)"] {
            let listener = try Listener(app, token: device, after: id)
            #expect(listener.piece() == poke(head), "\(id)")
            #expect(listener.piece() == "")
        }
    }

    @Test("a revoked token's stream wakes and ends at once, and so do all when the server stops")
    func ends() throws {
        let listener = try Listener(app, token: device)
        let stranger = try Listener(app, token: nil)
        for listener in [listener, stranger] {
            #expect(listener.piece() == ":\n\n")
            #expect(listener.piece() == "")
        }
        let id = try #require(Token.Secret(Substring(device))?.id)
        _ = try app.federation.revokeToken(id)
        #expect(listener.waitForBell())
        #expect(listener.piece() == nil)
        #expect(!stranger.wasRung)
        app.federation.waiters.close()
        #expect(stranger.waitForBell())
        #expect(stranger.piece() == nil)
    }

    @Test("who has left holds no place among those who wait")
    func leaves() throws {
        do {
            let listener = try Listener(app, token: device)
            _ = (listener.piece(), listener.piece())
            #expect(app.federation.waiters.count == 1)
        }
        #expect(app.federation.waiters.count == 0)
    }

    @Test("is for those who read streams, and takes no parameter")
    func refuses() throws {
        #expect(try app.get("/v1/events", token: device, headers: [("Accept", "application/json")]).status == 406)
        #expect(try app.get("/v1/events?since=4").status == 400)
        #expect(try app.get("/v1/events", token: "vc_x_y").status == 401)
        #expect(try app.send("HEAD", "/v1/events", token: device)["Content-Type"] == "text/event-stream")
    }
}
