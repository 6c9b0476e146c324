import Foundation
import HTTP
import HTTPServer
import Synchronization
import Testing

/// A live source that a test speaks through.
private final class Voice: Sendable {
    private struct State {
        var words: [String] = []
        var isOver = false
        var bell: Response.Bell?
    }
    private let state = Mutex(State())
    private let asked = DispatchSemaphore(value: 0)

    var response: Response {
        Response(status: 200, headers: ["Content-Type": "text/plain"], body: .live { [self] bell in
            let piece: Response.Piece = state.withLock { state in
                state.bell = bell
                if !state.words.isEmpty { return .bytes(Array(state.words.removeFirst().utf8)) }
                return state.isOver ? .end : .notYet
            }
            if case .notYet = piece { asked.signal() }
            return piece
        })
    }

    /// Returns once the source has said that there is nothing for now.
    func waitUntilAsked() { #expect(asked.wait(timeout: .now() + 20) == .success) }

    func say(_ words: String...) { change { $0.words += words } }
    func end() { change { $0.isOver = true } }
    func ring() { change { _ in } }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            return state.bell
        }?.ring()
    }
}

@Suite struct LiveTests {
    private func piece(_ client: RawSocket) throws -> String {
        let head = try client.read(3)
        let size = try #require(Int(String(decoding: head.dropLast(2), as: UTF8.self), radix: 16))
        return String(decoding: try client.read(size + 2).dropLast(2), as: UTF8.self)
    }

    private func open(_ server: TestServer, _ voice: Voice) throws -> RawSocket {
        let client = try server.connect()
        client.send(get("/"))
        #expect(try client.head().status == 200)
        return client
    }

    @Test("a live answer sends each piece when there is one, and sleeps in between")
    func speaks() throws {
        let voice = Voice()
        let server = try TestServer(answer: { _ in .now(voice.response) })
        let client = try open(server, voice)
        for word in ["one", "two", "three"] {
            voice.waitUntilAsked()
            voice.ring()
            voice.waitUntilAsked()
            voice.say(word)
            #expect(try piece(client) == word)
        }
        voice.waitUntilAsked()
        voice.say("four", "five")
        voice.end()
        #expect(try client.chunks() == Array("fourfive".utf8))
        client.send(get("/again"))
        #expect(try client.head().status == 200)
        #expect(server.application.exchanges(1)[0].responseBytes == 19)
    }

    @Test("a bell that rings at any moment, and long after, wakes nobody wrongly and loses nothing")
    func rings() throws {
        let voice = Voice()
        let server = try TestServer(answer: { request in request.path == "/" ? .now(voice.response) : .now(.text("other")) })
        let client = try open(server, voice)
        let isDone = Atomic(false)
        for _ in 0..<3 { Thread.detachNewThread { while !isDone.load(ordering: .relaxed) { voice.ring() } } }
        for number in 0..<300 {
            voice.say("\(number % 10)")
            #expect(try piece(client) == "\(number % 10)")
        }
        voice.end()
        #expect(try client.chunks().isEmpty)
        client.send(get("/other"))
        #expect(try client.answer().text == "other")
        isDone.store(true, ordering: .relaxed)
        withExtendedLifetime(voice) {}
    }

    @Test("a client that is slow for a while gets all, in order")
    func slow() throws {
        let voice = Voice()
        let server = try TestServer(answer: { _ in .now(voice.response) })
        let client = try RawSocket(port: server.port, receiveBuffer: 4096)
        client.send(get("/"))
        voice.waitUntilAsked()
        let words = (0..<40).map { String(repeating: "\($0 % 10)", count: $0 % 3 == 0 ? 7 : 300_000) }
        for word in words { voice.say(word) }
        voice.end()
        #expect(try client.head().status == 200)
        #expect(try client.chunks() == Array(words.joined().utf8))
    }

    @Test("a client of HTTP/1.0, which has no chunks, gets the pieces as they are")
    func old() throws {
        let voice = Voice()
        let server = try TestServer(answer: { _ in .now(voice.response) })
        let client = try server.connect()
        client.send("GET / HTTP/1.0\r\nHost: x\r\n\r\n")
        #expect(try client.head().header("Transfer-Encoding") == nil)
        for word in ["one", "two"] {
            voice.waitUntilAsked()
            voice.say(word)
            #expect(String(decoding: try client.read(word.utf8.count), as: UTF8.self) == word)
        }
        voice.waitUntilAsked()
        voice.end()
        #expect(client.readToEnd().isEmpty)
    }

    @Test("stopping ends live answers, asleep or not, and does not abort", arguments: [1, 100])
    func stops(_ count: Int) throws {
        let voices = (0..<count).map { _ in Voice() }
        let server = try TestServer(answer: { request in .now(voices[Int(request.path.dropFirst()) ?? 0].response) })
        let clients = try voices.indices.map { number in
            let client = try server.connect()
            client.send(get("/\(number)"))
            return client
        }
        for voice in voices { voice.waitUntilAsked() }
        server.server.stop(grace: 0.01)
        for client in clients {
            #expect(try client.head().status == 200)
            #expect(try client.chunks().isEmpty)
        }
        for voice in voices { voice.ring() }
    }

    @Test("a client that has left is noticed at the next piece")
    func leaves() throws {
        let voice = Voice()
        let server = try TestServer(answer: { _ in .now(voice.response) })
        do {
            let client = try open(server, voice)
            voice.waitUntilAsked()
            withExtendedLifetime(client) {}
        }
        // The first one may still find room in the kernel.
        for _ in 0..<1000 where server.server.statistics.openConnections > 0 { voice.say("anybody?") }
        #expect(server.application.exchanges(1).count == 1)
    }

    @Test("a client that takes nothing is cut off although its answer sleeps")
    func stalls() throws {
        let voice = Voice()
        let server = try TestServer({ $0.writeStall = 0.1 }, answer: { _ in .now(voice.response) })
        let client = try open(server, voice)
        voice.waitUntilAsked()
        // Everything is acknowledged, and nothing was said for longer than a reader may take.
        _ = client.readToEnd()
        #expect(server.application.exchanges(1).count == 1)
    }
}
