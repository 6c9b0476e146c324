import HTTP
import HTTPServer
import Testing

@Suite struct ExchangeTests {
    @Test("100 pipelined requests are answered in order, on one connection")
    func pipelines() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send((0..<100).map { get("/\($0)") }.joined())
        for number in 0..<100 { #expect(try client.answer().text == "GET /\(number)? 0") }
        #expect(server.application.paths == (0..<100).map { "/\($0)" })
        #expect(client.end == nil)
    }

    @Test("method, path, query, headers, body and peer reach the application as they were sent")
    func passesOn() throws {
        let server = try TestServer(answer: { request in
            .now(.text([
                request.method, request.path, request.query, request.headers["X-Name"] ?? "",
                String(decoding: request.body, as: UTF8.self), request.remote, request.id,
            ].joined(separator: "|")))
        })
        let answer = try server.ask(
            "POST /a%20b/c?d=%C3%A9&e HTTP/1.1\r\nHost: x:80\r\nx-name: \t é v \r\nRequest-Id: my.id\r\nContent-Length: 4\r\n\r\nbody")
        #expect(answer.text == "POST|/a%20b/c|d=%C3%A9&e|é v|body|127.0.0.1|my.id")
        #expect(answer.header("Request-Id") == "my.id")
        #expect(answer.header("X-Content-Type-Options") == "nosniff")
        #expect(answer.header("Date")?.hasSuffix("GMT") == true)
    }

    @Test("a request id that is not fit to log is replaced", arguments: ["", "a b", "a\"b", String(repeating: "a", count: 129)])
    func replacesID(_ id: String) throws {
        let server = try TestServer()
        let made = try server.ask(get("/", "Request-Id: \(id)")).header("Request-Id")
        #expect(made?.utf8.count == 16)
        #expect(made != id)
    }

    @Test("an absolute target of this host is its path")
    func absolute() throws {
        let server = try TestServer()
        #expect(try server.ask("GET http://X/a?b HTTP/1.1\r\nHost: x\r\n\r\n").text == "GET /a?b 0")
        #expect(try server.ask("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n").text == "GET /? 0")
        #expect(try server.ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").text == "OPTIONS *? 0")
    }

    @Test("a head that arrives byte by byte is read like any other")
    func slowHead() throws {
        let server = try TestServer()
        let client = try server.connect()
        for byte in get("/slow", "Accept: */*", "X-Empty:", "X-Long: " + String(repeating: "a", count: 500)).utf8 { client.send([byte]) }
        #expect(try client.answer().text == "GET /slow? 0")
    }

    @Test("a head is read up to the limits, given the memory", arguments: [(8191, 1, 1000), (8191, 1, 3000), (10, 62, 50), (10, 1, 12_000)])
    func largeHead(_ path: Int, _ lines: Int, _ line: Int) throws {
        let server = try TestServer()
        let lines = (0..<lines).map { "X-\($0): " + String(repeating: "v", count: line) }.joined(separator: "\r\n")
        #expect(try server.ask(get("/" + String(repeating: "p", count: path), lines)).status == 200)
    }

    @Test("with more memory for each connection, all limits may be exhausted at once")
    func largestHead() throws {
        let server = try TestServer { $0.poolBytes = 32 << 10 }
        let lines = (0..<60).map { "X-\($0): " + String(repeating: "v", count: 250) }.joined(separator: "\r\n")
        #expect(try server.ask(get("/" + String(repeating: "p", count: 8191), lines)).status == 200)
    }

    @Test("HEAD gets the headers of GET and no body; the connection goes on")
    func head() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send(get("/", method: "HEAD") + get("/next"))
        let answer = try client.answer(head: true)
        #expect(answer.header("Content-Length") == "9")
        #expect(try client.answer().text == "GET /next? 0")
        #expect(server.application.exchanges(2).map(\.responseBytes) == [0, 12])
    }

    @Test("a stream is sent piece by piece, chunked, and pieces of any size arrive whole", arguments: [1, 100_000])
    func streams(_ size: Int) throws {
        let server = try TestServer(answer: { _ in
            let left = Counter(5)
            return .now(Response(status: 200, body: .stream {
                guard let number = left.next() else { return nil }
                return number == 3 ? [] : [UInt8](repeating: UInt8(number), count: size)
            }))
        })
        let client = try server.connect()
        client.send(get("/") + get("/again"))
        let expected = [4, 2, 1, 0].flatMap { [UInt8](repeating: $0, count: size) }
        for _ in 0..<2 {
            let answer = try client.answer()
            #expect(answer.header("Transfer-Encoding") == "chunked")
            #expect(answer.body == expected)
        }
        #expect(server.application.exchanges(2).map(\.responseBytes) == [4 * size, 4 * size])
    }

    @Test("a body arrives whole, with its length given or in chunks, and up to the limit")
    func bodies() throws {
        let server = try TestServer { $0.bodyLimit = 300_000 }
        let body = String(repeating: "b", count: 300_000)
        #expect(try server.ask(get("/", method: "PUT", "Content-Length: 300000") + body).text == "PUT /? 300000")
        let chunks = "186a0;name=value\r\n\(body.prefix(100_000))\r\n30D40\r\n\(body.prefix(200_000))\r\n0\r\nTrailer: dropped\r\n\r\n"
        let answer = try server.ask(get("/", method: "PUT", "Transfer-Encoding: chunked") + chunks)
        #expect(answer.text == "PUT /? 300000")
        #expect(answer.header("Connection") == "close")
    }

    @Test("who expects it is told to continue before the body")
    func continues() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send(get("/", method: "POST", "Content-Length: 2", "Expect: 100-Continue"))
        #expect(String(decoding: try client.read(25), as: UTF8.self) == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("ab")
        #expect(try client.answer().text == "POST /? 2")
    }

    @Test("HTTP/1.0 is answered and closed, or kept if asked to")
    func old() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
        #expect(try client.answer().text == "GET /1? 0")
        #expect(try client.answer().text == "GET /2? 0")
        #expect(client.readToEnd().isEmpty)
    }

    @Test("an answer that closes is the last, whatever was sent behind the request")
    func closes() throws {
        let server = try TestServer(answer: { _ in
            var response = Response.text("bye")
            response.closes = true
            return .now(response)
        })
        let client = try server.connect()
        client.send(get("/") + get("/canary"))
        #expect(try client.answer().header("Connection") == "close")
        #expect(client.readToEnd().isEmpty)
        #expect(server.application.paths == ["/"])
    }

    @Test("each exchange is reported with its route, status and sizes, and without its path")
    func reports() throws {
        let server = try TestServer(answer: { _ in
            var response = Response.text("four", status: 201)
            (response.route, response.caller) = ("/v1/{id}", "token-1")
            return .now(response)
        })
        _ = try server.ask(get("/v1/secret", method: "POST", "Content-Length: 3", "Request-Id: r1") + "abc")
        let exchange = try #require(server.application.exchanges(1).first)
        #expect(exchange.id == "r1")
        #expect(exchange.method == "POST")
        #expect(exchange.route == "/v1/{id}")
        #expect(exchange.status == 201)
        #expect(exchange.requestBytes == 3)
        #expect(exchange.responseBytes == 4)
        #expect(exchange.remote == "127.0.0.1")
        #expect(exchange.caller == "token-1")
        #expect(exchange.refusal == nil)
        #expect(exchange.seconds > 0)
    }
}
