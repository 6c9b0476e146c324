import Dispatch
import Glibc
import HTTP
import HTTPServer
import Testing

/// The deadlines are short here, and each test waits for the server to close, which is the event. Where a test has to be quicker
/// than a deadline, there is a second for it, because a busy machine stops now and then.
@Suite struct DeadlineTests {
    @Test("who connects and says nothing is closed without an answer")
    func silent() throws {
        let server = try TestServer { $0.headerDeadline = 0.1 }
        #expect(try server.connect().readToEnd().isEmpty)
    }

    @Test("headers that do not end are answered 408, however steadily they arrive", arguments: ["GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n", "\u{16}\u{3}\u{1}\u{2}"])
    func slowHead(_ start: String) throws {
        let server = try TestServer { $0.headerDeadline = 1 }
        let client = try server.connect()
        client.send(start)
        client.drip("a")
        let answer = try client.answer()
        #expect(answer.status == 408)
        #expect(answer.text.contains("\"code\":\"timeout\""))
        _ = client.readToEnd()
        #expect(server.application.paths.isEmpty)
    }

    @Test("the headers of a later request have the same deadline")
    func slowSecondHead() throws {
        let server = try TestServer { $0.headerDeadline = 1 }
        let client = try server.connect()
        client.send(get("/") + "GET /second HTTP/1.1\r\n")
        #expect(try client.answer().status == 200)
        #expect(try client.answer().status == 408)
        #expect(server.application.exchanges(2).map(\.status) == [200, 408])
    }

    @Test("a body that comes too slowly is answered 408", arguments: ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
    func slowBody(_ length: String) throws {
        let server = try TestServer {
            $0.bodyGrace = 0.2
            $0.bodyRate = 1e6
        }
        let client = try server.connect()
        client.send(get("/", method: "POST", length) + "1000\r\n")
        client.drip("a")
        #expect(try client.answer().status == 408)
        _ = client.readToEnd()
        let exchange = try #require(server.application.exchanges(1).first)
        #expect(exchange.status == 408)
        #expect(exchange.refusal == "timeout")
        #expect(server.application.paths.isEmpty)
    }

    @Test("a connection that asks nothing more is closed without an answer")
    func idle() throws {
        let server = try TestServer { $0.idle = 0.1 }
        let client = try server.connect()
        client.send(get("/"))
        #expect(try client.answer().status == 200)
        #expect(client.readToEnd().isEmpty)
    }

    @Test("an answer that the client does not read is given up, with its length known or not", arguments: [true, false])
    func slowReader(_ stream: Bool) throws {
        let piece = [UInt8](repeating: 0x61, count: 1 << 20)
        let server = try TestServer({ $0.writeStall = 0.2 }, answer: { _ in
            .now(stream
                ? Response(status: 200, body: .stream { piece })
                : Response(status: 200, body: [UInt8](repeating: 0x61, count: 32 << 20)))
        })
        let client = try RawSocket(port: server.port, receiveBuffer: 4096)
        client.send(get("/"))
        #expect(server.application.exchanges(1).first?.status == 200)
        #expect(client.readToEnd().count < 32 << 20)
    }

    @Test("an answer that takes longer than the stall limit goes on as long as the client reads")
    func steadyReader() throws {
        let (pieces, piece) = (200, 32 << 10)
        let server = try TestServer({ $0.writeStall = 1 }, answer: { _ in
            .now(Response(status: 200, body: [UInt8](repeating: 0x61, count: pieces * piece)))
        })
        let client = try RawSocket(port: server.port, receiveBuffer: 4096)
        client.send(get("/"))
        #expect(try client.head().status == 200)
        // Two seconds for all of it.
        for _ in 0..<pieces {
            usleep(10_000)
            #expect(try client.read(piece).count == piece)
        }
    }

    @Test("who waits for a promise has no deadline")
    func waits() throws {
        let promises = Promises()
        let server = try TestServer({
            ($0.headerDeadline, $0.bodyGrace, $0.writeStall, $0.idle, $0.linger) = (1, 1, 1, 1, 1)
        }, answer: { _ in .later { promises.add($0) } })
        let client = try server.connect()
        client.send(get("/"))
        let promise = try promises.next()
        // Another connection's deadlines pass meanwhile.
        #expect(try server.connect().readToEnd().isEmpty)
        promise.keep { .now(.text("still here")) }
        #expect(try client.answer().text == "still here")
    }

    @Test("1,000 clients that stop in the middle leave the others served")
    func crowd() throws {
        let server = try TestServer()
        let crowd = try (0..<1000).map { number in
            let client = try server.connect()
            client.send([
                "", "GET", "GET / HTTP/1.1\r\nHost", get("/", method: "POST", "Content-Length: 9") + "a",
                get("/", method: "POST", "Transfer-Encoding: chunked") + "5\r\nab",
            ][number % 5])
            return client
        }
        let client = try server.connect()
        for number in 0..<1000 {
            client.send(get("/\(number)"))
            #expect(try client.answer().status == 200)
        }
        #expect(server.server.statistics.openConnections == 1001)
        _ = crowd.count
    }

    @Test("at the limit on connections newcomers wait until one closes")
    func limit() throws {
        let server = try TestServer { $0.connectionLimit = 4 }
        var clients = try (0..<4).map { _ in try server.connect() }
        for client in clients {
            client.send(get("/"))
            #expect(try client.answer().status == 200)
        }
        let late = try server.connect()
        late.send(get("/late"))
        clients[0].send(get("/early"))
        #expect(try clients[0].answer().status == 200)
        #expect(!server.application.paths.contains("/late"))
        clients.removeAll()
        #expect(try late.answer().status == 200)
    }


    @Test("a client that goes away right behind a piece of its body is not waited for")
    func noticesEnd() throws {
        let (entered, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let server = try TestServer({ ($0.threads, $0.bodyGrace) = (1, 120) }) { request in
            if request.path == "/hold" {
                entered.signal()
                gate.wait()
            }
            return .now(.text(""))
        }
        var leaver: RawSocket? = try server.connect()
        leaver?.send(get("/", method: "POST", "Content-Length: 100") + "aa")
        #expect(try server.ask(get("/")).status == 200)
        // The one thread is kept busy, so that it finds the piece and the end at once.
        let holder = try server.connect()
        holder.send(get("/hold"))
        try #require(entered.wait(timeout: .now() + 20) == .success)
        leaver?.send("aa")
        leaver = nil
        gate.signal()
        #expect(server.application.exchanges(3).contains { $0.method == "POST" && $0.status == 0 && $0.requestBytes == 4 })
    }
}
