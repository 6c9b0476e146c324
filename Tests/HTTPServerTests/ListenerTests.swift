import Glibc
import HTTP
import HTTPServer
import Testing

@Suite struct ListenerTests {
    @Test("a Unix socket is its owner's alone, answers, and is gone afterwards")
    func unixSocket() throws {
        let path = temporaryPath(".sock")
        let server = try TestServer({ $0.listener = .unix(path: path) }, answer: { .now(.text($0.remote)) })
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        let client = try RawSocket(path: path)
        client.send(get("/"))
        #expect(try client.answer().text == "unix")
        server.server.stop(grace: 1)
        #expect(access(path, F_OK) != 0)
    }

    @Test("a socket file that a killed server left is replaced, one that answers is not")
    func staleSocket() throws {
        let path = temporaryPath(".sock")
        let settings = ServerSettings(listener: .unix(path: path))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let left = socket(AF_UNIX, 1, 0)
        let bound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(left, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        try #require(bound == 0)
        close(left)
        let server = try TestServer { $0.listener = .unix(path: path) }
        let error = #expect(throws: ServerError.self) { try Server(settings, application: server.application) }
        #expect(error?.description.contains("another server answers there") == true)
        let client = try RawSocket(path: path)
        client.send(get("/"))
        #expect(try client.answer().status == 200)
    }

    @Test("a path that no socket can have is refused with advice", arguments: ["", "/nowhere/at/all.sock", "/tmp/" + String(repeating: "a", count: 108)])
    func badPath(_ path: String) throws {
        let settings = ServerSettings(listener: .unix(path: path))
        #expect(throws: ServerError.self) { try Server(settings, application: Recorder { _ in .now(.text("")) }) }
    }

    @Test("IPv6 clients are named by their address")
    func version6() throws {
        let server = try TestServer({ $0.listener = .tcp(host: "::1", port: 0) }, answer: { .now(.text($0.remote)) })
        #expect(server.port > 0)
        let client = try RawSocket(port6: server.port)
        client.send(get("/"))
        #expect(try client.answer().text == "::1")
    }
}
