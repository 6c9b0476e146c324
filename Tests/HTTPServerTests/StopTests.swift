import Dispatch
import HTTP
import HTTPServer
import Testing

@Suite struct StopTests {
    @Test("stopping with connections that wait answers them 503 and does not abort", arguments: [1, 200])
    func waiting(_ count: Int) throws {
        let promises = Promises()
        let server = try TestServer(answer: { _ in .later { promises.add($0) } })
        let clients = try (0..<count).map { _ in try server.connect() }
        for client in clients { client.send(get("/")) }
        let kept = try clients.map { _ in try promises.next() }
        server.server.stop(grace: 0.01)
        for client in clients { #expect(try client.answer().status == 503) }
        // Too late, and harmless.
        for promise in kept { promise.keep { .now(.text("late")) } }
        #expect(server.application.exchanges(count).map(\.status) == .init(repeating: 503, count: count))
    }

    @Test("a request that waits is finished within the grace, and says that the connection ends")
    func finishes() throws {
        let promises = Promises()
        let server = try TestServer(answer: { _ in .later { promises.add($0) } })
        let client = try server.connect()
        client.send(get("/"))
        let promise = try promises.next()
        let stopped = DispatchSemaphore(value: 0)
        DispatchQueue(label: "stop").async {
            server.server.stop(grace: 20)
            stopped.signal()
        }
        // Nobody else is accepted any more; then it is certain that stopping has begun.
        while (try? RawSocket(port: server.port)) != nil {}
        promise.keep { .now(.text("done")) }
        let answer = try client.answer()
        #expect(answer.text == "done")
        _ = client.readToEnd()
        #expect(stopped.wait(timeout: .now() + 20) == .success)
    }

    @Test("idle connections do not hold the stop up")
    func idle() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send(get("/"))
        _ = try client.answer()
        let fresh = try server.connect()
        server.server.stop(grace: 60)
        #expect(client.readToEnd().isEmpty)
        #expect(fresh.readToEnd().isEmpty)
    }

    @Test("stopping under load, many times, neither aborts nor hangs")
    func underLoad() throws {
        for _ in 0..<20 {
            let server = try TestServer(answer: { request in
                .later { promise in DispatchQueue.global().async { promise.keep { .now(.text(request.path)) } } }
            })
            let clients = try (0..<20).map { _ in try server.connect() }
            for client in clients { client.send((0..<50).map { get("/\($0)") }.joined()) }
            server.server.stop(grace: 0)
            #expect(server.server.statistics.openConnections == 0)
            for client in clients { _ = client.readToEnd() }
        }
    }

    @Test("a port in use is refused with advice")
    func portInUse() throws {
        let server = try TestServer()
        let settings = ServerSettings(listener: .tcp(host: "127.0.0.1", port: server.port))
        let error = #expect(throws: ServerError.self) { try Server(settings, application: server.application) }
        #expect(error?.description.contains("choose another port") == true)
    }

    @Test("addresses that this machine cannot listen on are refused with advice", arguments: ["192.0.2.1", "no.such.host.invalid"])
    func badAddress(_ host: String) throws {
        let settings = ServerSettings(listener: .tcp(host: host, port: 0))
        let error = #expect(throws: ServerError.self) { try Server(settings, application: Recorder { _ in .now(.text("")) }) }
        #expect(error?.description.hasPrefix("Cannot listen on \(host)") == true)
    }
}
