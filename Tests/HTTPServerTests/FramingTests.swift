import HTTP
import HTTPServer
import Testing

/// One request that is wrong or hostile, and what the client has to read.
struct Attack: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// Any of these; empty: the connection ends without an answer, or after one.
    let statuses: [Int]
    /// The stable code of our refusal; nil where the library answers by itself, with its own text.
    let code: String?
    var testDescription: String { name }

    init(_ name: String, _ text: String, _ statuses: Int..., code: String? = nil) {
        self.init(name, Array(text.utf8), statuses, code: code)
    }

    init(_ name: String, _ bytes: [UInt8], _ statuses: [Int], code: String? = nil) {
        (self.name, self.bytes, self.statuses, self.code) = (name, bytes, statuses, code)
    }

    /// A GET with further header lines.
    static func header(_ name: String, _ line: String, _ statuses: Int..., code: String? = nil) -> Attack {
        Attack(name, Array("GET / HTTP/1.1\r\nHost: x\r\n\(line)\r\n\r\n".utf8), statuses, code: code)
    }

    /// A POST with these header lines and body.
    static func post(_ name: String, _ lines: String, body: String = "", _ statuses: Int..., code: String? = nil) -> Attack {
        Attack(name, Array("POST / HTTP/1.1\r\nHost: x\r\n\(lines)\r\n\r\n\(body)".utf8), statuses, code: code)
    }

    static func line(_ name: String, _ line: String, _ statuses: Int..., code: String? = nil) -> Attack {
        Attack(name, Array("\(line)\r\nHost: x\r\n\r\n".utf8), statuses, code: code)
    }
}

@Suite struct FramingTests {
    static let lengths: [Attack] = [
        .post("CL and TE", "Content-Length: 5\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n", 400, code: "framing.both-lengths"),
        .post("TE and CL", "Transfer-Encoding: chunked\r\nContent-Length: 5", body: "0\r\n\r\n", 400, code: "framing.both-lengths"),
        .post("cl and te, odd case", "cOnTeNt-lEnGtH: 5\r\ntRANSFER-eNCODING: CHUNKED", body: "0\r\n\r\n", 400, code: "framing.both-lengths"),
        .post("CL: 0 and TE", "Content-Length: 0\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n", 400, code: "framing.both-lengths"),
        .post("malformed CL and TE", "Content-Length: x\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n", 400, code: "framing.both-lengths"),
        .post("two CL that differ", "Content-Length: 5\r\nContent-Length: 6", body: "abcde", 400, code: "framing.content-length"),
        .post("two CL that agree", "Content-Length: 5\r\nContent-Length: 5", body: "abcde", 400, code: "framing.content-length"),
        .post("CL list", "Content-Length: 5,5", body: "abcde", 400),
        .post("CL with plus", "Content-Length: +5", body: "abcde", 400),
        .post("CL negative", "Content-Length: -1", 400),
        .post("CL hexadecimal", "Content-Length: 0x5", body: "abcde", 400),
        .post("CL with white space inside", "Content-Length: 1 0", body: "abcde", 400),
        .post("CL with a space behind it, which RFC 9112 allows and the library does not", "Content-Length: 5 ", body: "abcde", 400),
        .post("CL empty", "Content-Length:", 400),
        .post("CL 2^64", "Content-Length: 18446744073709551616", body: "abcde", 400, 413),
        .post("CL 2^63", "Content-Length: 9223372036854775808", body: "abcde", 413, code: "body.too-large"),
        .post("CL just over the limit", "Content-Length: 1048577", body: "abcde", 413, code: "body.too-large"),
        .post("CL with 25 digits", "Content-Length: 0000000000000000000000005", body: "abcde", 400, code: "framing.content-length"),
    ]

    static let codings: [Attack] = [
        .post("TE with comma", "Transfer-Encoding: chunked,", body: "0\r\n\r\n", 501, code: "framing.transfer-encoding"),
        .post("TE chunked, gzip", "Transfer-Encoding: chunked, gzip", body: "0\r\n\r\n", 501, code: "framing.transfer-encoding"),
        .post("TE gzip, chunked", "Transfer-Encoding: gzip, chunked", body: "0\r\n\r\n", 501, code: "framing.transfer-encoding"),
        .post("TE xchunked", "Transfer-Encoding: xchunked", body: "0\r\n\r\n", 501, code: "framing.transfer-encoding"),
        .post("TE identity", "Transfer-Encoding: identity", body: "0\r\n\r\n", 501, code: "framing.transfer-encoding"),
        .post("TE quoted", "Transfer-Encoding: \"chunked\"", body: "0\r\n\r\n", 501, code: "framing.transfer-encoding"),
        .post("TE empty", "Transfer-Encoding:", body: "0\r\n\r\n", 501, code: "framing.transfer-encoding"),
        .post("TE with a vertical tab", "Transfer-Encoding: \u{0B}chunked", body: "0\r\n\r\n", 400, code: "framing.header-value"),
        .post("two TE", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n", 501, code: "framing.transfer-encoding"),
        .post("two TE, the first unknown", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n", 501, code: "framing.transfer-encoding"),
        Attack("TE in HTTP/1.0", "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501, code: "framing.transfer-encoding"),
        .header("TE with GET", "Transfer-Encoding: chunked\r\n\r\n0", 400, code: "framing.unexpected-body"),
        .post("chunk size over 2^64", "Transfer-Encoding: chunked", body: "10000000000000000\r\nabc\r\n0\r\n\r\n", 400, 413),
        .post("chunk size negative", "Transfer-Encoding: chunked", body: "-1\r\nabc\r\n0\r\n\r\n", 400),
        .post("chunk size with 0x", "Transfer-Encoding: chunked", body: "0x3\r\nabc\r\n0\r\n\r\n", 400),
        .post("chunk size with space", "Transfer-Encoding: chunked", body: " 3\r\nabc\r\n0\r\n\r\n", 400),
        .post("chunk size empty", "Transfer-Encoding: chunked", body: "\r\nabc\r\n0\r\n\r\n", 400),
        .post("chunk without CRLF", "Transfer-Encoding: chunked", body: "3\r\nabcde\r\n0\r\n\r\n", 400),
        .post("chunk larger than the limit", "Transfer-Encoding: chunked", body: "200000\r\n" + String(repeating: "a", count: 0x200000), 413, code: "body.too-large"),
        .post("trailer without colon", "Transfer-Encoding: chunked", body: "0\r\nnonsense\r\n\r\n", 400),
    ]

    static let lines: [Attack] = [
        .header("space before colon", "X-A : b", 400, code: "framing.header-name"),
        .header("tab before colon", "X-A\t: b", 400, code: "framing.header-name"),
        .header("CL with space before colon", "Content-Length : 5\r\n\r\nabcde", 400, code: "framing.header-name"),
        .header("name with a slash", "X/A: b", 400, code: "framing.header-name"),
        .header("name not ASCII", "Xé: b", 400, code: "framing.header-name"),
        .header("name empty", ": b", 400, code: "framing.header-line"),
        .header("line without colon", "nonsense", 400),
        .header("CR inside a value", "X-A: b\rTransfer-Encoding: chunked", 400, code: "framing.header-value"),
        .header("NUL inside a value", "X-A: b\0c", 400, code: "framing.header-line"),
        .header("NUL at the end of a value", "X-A: b\0", 400, code: "framing.header-line"),
        .header("NUL at the start of a value", "X-A: \0b\r\nX-B: c", 400, code: "framing.header-line"),
        .header("NUL inside a name", "X\0A: b", 400),
        .header("line that starts with NUL", "\0X-A: b\r\nX-B: c", 400, code: "framing.header-line"),
        .header("DEL inside a value", "X-A: b\u{7F}", 400, code: "framing.header-value"),
        .header("folded line", "X-A: b\r\n c", 400, code: "framing.header-line"),
        .header("folded line that builds a name", "Transfer-: chunked\r\n Encoding", 400, code: "framing.header-line"),
        .header("folded line with a tab", "X-A: b\r\n\tc\r\nX-B: d", 400, code: "framing.header-line"),
        .header("fold of the first line", " X-A: b", 400),
        .header("bare LF after a value", "X-A: b\nX-B: c", 400, code: "framing.header-line"),
        Attack("bare LF after the request line", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400, code: "framing.header-line"),
        Attack("bare LF at the end of the head", "GET / HTTP/1.1\r\nHost: x\r\n\n", 400, code: "framing.header-line"),
        Attack("bare LF everywhere", "GET / HTTP/1.1\nHost: x\n\n", 400, code: "framing.header-line"),
        .header("65 lines", (0..<64).map { "X-\($0): a" }.joined(separator: "\r\n"), 431, code: "headers.too-large"),
        .header("17 KiB of lines", "X-A: " + String(repeating: "a", count: 17 << 10), 431),
        .header("1 MiB of cookie", "Cookie: " + String(repeating: "a", count: 1 << 20), 431),
        .header("2,000 lines", (0..<2000).map { "X-\($0): a" }.joined(separator: "\r\n"), 431),
        .header("two Hosts", "Host: x", 400, code: "framing.host"),
        Attack("two Hosts that differ", "GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n", 400, code: "framing.host"),
        Attack("Host missing", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400, code: "framing.host"),
        Attack("no header at all", "GET / HTTP/1.1\r\n\r\n", 400, code: "framing.host"),
        Attack("Host empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, code: "framing.host"),
        Attack("Host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400, code: "framing.host"),
        Attack("Host with a user", "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n", 400, code: "framing.host"),
        Attack("Host list", "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n", 400, code: "framing.host"),
        Attack("Host with a bad port", "GET / HTTP/1.1\r\nHost: x:8a\r\n\r\n", 400, code: "framing.host"),
        .header("other Expect", "Expect: 200-maybe", 417, code: "expect.unknown"),
        .header("two Expects", "Expect: 100-continue\r\nExpect: 100-continue", 417, code: "expect.unknown"),
        .post("Content-Encoding", "Content-Encoding: gzip\r\nContent-Length: 3", body: "abc", 415, code: "body.encoding"),
    ]

    static let targets: [Attack] = [
        Attack("HTTP/0.9", "GET /\r\n", 400),
        .line("HTTP/0.9 by name", "GET / HTTP/0.9", 505),
        .line("HTTP/3.7", "GET / HTTP/3.7", 505),
        .line("http in lower case", "GET / http/1.1", 400),
        .line("version with a space", "GET / HTTP/1.1 ", 400),
        .line("version with three digits", "GET / HTTP/1.11", 400),
        Attack("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        Attack("TLS hello", [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3, 3, 0x0D, 0x0A, 0x0D, 0x0A], []),
        .line("target missing", "GET HTTP/1.1", 400),
        .line("method missing", " / HTTP/1.1"),
        .line("two spaces before the target", "GET  / HTTP/1.1", 400, code: "framing.request-line"),
        .line("two spaces after the target", "GET /  HTTP/1.1", 400, code: "uri.character"),
        .line("tab in the request line", "GET\t/ HTTP/1.1", 400),
        .line("space inside the target", "GET /a b HTTP/1.1", 400, code: "uri.character"),
        .line("NUL inside the target", "GET /a\0b HTTP/1.1", 400, code: "framing.request-line"),
        .line("NUL inside the method", "GE\0T / HTTP/1.1", 400, code: "framing.request-line"),
        .line("control byte in the target", "GET /a\u{01} HTTP/1.1", 400, code: "uri.character"),
        .line("CR in the target", "GET /a\rb HTTP/1.1", 400, code: "uri.character"),
        .line("bytes above ASCII in the target", "GET /é HTTP/1.1", 400, code: "uri.character"),
        .line("fragment in the target", "GET /a#b HTTP/1.1", 400, code: "uri.character"),
        .line("%00 in the path", "GET /a%00b HTTP/1.1", 400, code: "uri.escape"),
        .line("%00 in the query", "GET /?a=%00 HTTP/1.1", 400, code: "uri.escape"),
        .line("% without digits", "GET /%zz HTTP/1.1", 400, code: "uri.escape"),
        .line("% at the end", "GET /% HTTP/1.1", 400, code: "uri.escape"),
        .line("target without slash", "GET a HTTP/1.1", 400, code: "uri.form"),
        .line("absolute target of another host", "GET http://y/ HTTP/1.1", 400, code: "uri.form"),
        .line("absolute target with a user", "GET http://u@x/ HTTP/1.1", 400, code: "uri.form"),
        .line("absolute target of another scheme", "GET file:///etc/passwd HTTP/1.1", 400, code: "uri.form"),
        .line("target of 8 KiB and a byte", "GET /" + String(repeating: "a", count: 8192) + " HTTP/1.1", 414, code: "uri.too-long"),
        .line("target of 1 MiB", "GET /" + String(repeating: "a", count: 1 << 20) + " HTTP/1.1", 414),
        Attack("body on GET", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 400, code: "framing.unexpected-body"),
        Attack("body on DELETE", "DELETE / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 400, code: "framing.unexpected-body"),
        Attack("body on TRACE", "TRACE / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 400, code: "framing.unexpected-body"),
    ]

    @Test("a malformed request is refused and closed, and what is behind it never runs", arguments: lengths + codings + lines + targets)
    func refuses(_ attack: Attack) throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send(attack.bytes + Array(get("/canary").utf8) + Array(get("/canary").utf8))
        client.finish()
        if !attack.statuses.isEmpty {
            let answer = try client.answer()
            #expect(attack.statuses.contains(answer.status), "\(answer.head)")
            #expect(answer.header("Connection") == "close")
            if let code = attack.code {
                #expect(answer.header("Content-Type") == "application/problem+json")
                #expect(answer.text.contains("\"code\":\"\(code)\""), "\(answer.text)")
            }
        }
        _ = client.readToEnd()
        #expect(client.end != nil)
        #expect(!server.application.paths.contains("/canary"))
        // The library reports only what got as far as a readable request line.
        if let code = attack.code {
            let exchange = try #require(server.application.exchanges(1).first)
            #expect(exchange.refusal == code)
            #expect(exchange.route == nil)
            #expect(attack.statuses.contains(exchange.status))
            #expect(server.application.paths.isEmpty)
        }
    }

    @Test("the requests beside the attacks are answered: the table refuses for the right reason", arguments: [
        "GET / HTTP/1.1\r\nHost: x\r\nX-A:b\r\nX-Empty:\r\nX-Tab:\tb\t\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.7\r\nHost: [::1]:8080\r\n\r\n",
        "GET /a%2Fb?c=d&e=%41&&=&f HTTP/1.1\r\nHost: x.example:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\ncontent-length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: x\r\ntransfer-encoding: CHUNKED\r\n\r\n003;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
        "BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b; c=\"d\"\r\nX-HTTP-Method-Override: DELETE\r\n\r\n",
    ])
    func accepts(_ text: String) throws {
        let server = try TestServer()
        #expect(try server.ask(text).status == 200)
    }

    @Test("CONNECT is the application's to refuse")
    func connects() throws {
        let server = try TestServer(answer: { .now(.text($0.path, status: 405)) })
        #expect(try server.ask("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n").text == "x:443")
    }

    @Test("headers of more bytes than the limit are refused, where they fit into memory")
    func tooManyBytes() throws {
        let server = try TestServer { $0.headerBytes = 4096 }
        #expect(try server.ask(get("/", "X-A: " + String(repeating: "a", count: 4000))).status == 200)
        let answer = try server.ask(get("/", "X-A: " + String(repeating: "a", count: 4096)))
        #expect(answer.status == 431)
        #expect(answer.text.contains("headers.too-large"))
    }

    @Test("a refusal speaks the client's language and has no body for HEAD")
    func speaks() throws {
        let server = try TestServer()
        let french = try server.ask(get("/%00", "Accept-Language: fr-FR,en;q=0.5"))
        #expect(french.header("Content-Language") == "fr")
        #expect(french.text.contains("mal formée"))
        let head = try server.connect()
        head.send(get("/%00", method: "HEAD"))
        #expect(try head.answer(head: true).status == 400)
        #expect(head.readToEnd().isEmpty)
    }

    @Test("413 is answered before the body is sent, and to who waits for 100 Continue", arguments: ["", "Expect: 100-continue\r\n"])
    func refusesEarly(_ expect: String) throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("POST / HTTP/1.1\r\nHost: x\r\n\(expect)Content-Length: 9999999\r\n\r\n")
        #expect(try client.answer().status == 413)
    }

    @Test("413 reaches a client that goes on sending", arguments: ["Content-Length: 8000000", "Transfer-Encoding: chunked"])
    func refusesLate(_ length: String) throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send(get("/", method: "POST", length) + (length.hasPrefix("T") ? "7A1200\r\n" : ""))
        client.send([UInt8](repeating: 0x61, count: 8_000_000))
        #expect(try client.answer().text.contains("body.too-large"))
        #expect(server.application.paths.isEmpty)
    }

    @Test("bodies together get no more than their memory, which each gives back; small ones always fit", arguments: [true, false])
    func sharesMemory(chunked: Bool) throws {
        let server = try TestServer { $0.bodyMemory = 200_000 }
        func answer(_ count: Int, after exchanges: Int) throws -> RawSocket.Answer {
            _ = server.application.exchanges(exchanges)
            let client = try server.connect()
            let body = String(repeating: "a", count: count)
            client.send(
                chunked
                    ? get("/", method: "POST", "Transfer-Encoding: chunked") + String(count, radix: 16) + "\r\n" + body + "\r\n0\r\n\r\n"
                    : get("/", method: "POST", "Content-Length: \(count)") + body)
            return try client.answer()
        }
        let refused = try answer(300_000, after: 0)
        #expect(refused.status == 503 && refused.text.contains(#""code":"busy""#) && refused.header("Retry-After") == "5")
        for round in 1...4 { #expect(try answer(150_000, after: round).text == "POST /? 150000") }
        #expect(server.application.paths.count == 4)

        let full = try TestServer { $0.bodyMemory = 0 }
        let client = try full.connect()
        client.send(get("/", method: "POST", "Content-Length: 16000") + String(repeating: "a", count: 16_000))
        #expect(try client.answer().status == 200)
    }

    @Test("an endless chunk extension ends the connection")
    func longExtension() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send(get("/", method: "POST", "Transfer-Encoding: chunked") + "1;" + String(repeating: "a", count: 1 << 20) + get("/canary"))
        _ = client.readToEnd()
        #expect(client.end != nil)
        #expect(server.application.paths.isEmpty)
    }
}
