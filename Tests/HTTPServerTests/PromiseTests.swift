import Dispatch
import HTTP
import HTTPServer
import Testing

@Suite struct PromiseTests {
    @Test("a promise kept later answers its own connection, and others are served meanwhile")
    func keepsLater() throws {
        let promises = Promises()
        let server = try TestServer(answer: { request in
            request.path == "/wait" ? .later { promises.add($0) } : .now(.text("now"))
        })
        let waiter = try server.connect()
        waiter.send(get("/wait") + get("/next"))
        let promise = try promises.next()
        #expect(server.server.statistics.suspendedConnections == 1)
        #expect(try server.ask(get("/other")).text == "now")
        promise.keep { .now(.text("at last")) }
        #expect(try waiter.answer().text == "at last")
        #expect(try waiter.answer().text == "now")
        #expect(server.server.statistics.suspendedConnections == 0)
    }

    @Test("a promise may be kept at once, again and again, and from another thread")
    func keepsAtOnce() throws {
        let server = try TestServer(answer: { request in
            .later { first in
                first.keep {
                    .later { second in
                        DispatchQueue.global().async { second.keep { .now(.text(request.path)) } }
                    }
                }
            }
        })
        let client = try server.connect()
        client.send((0..<50).map { get("/\($0)") }.joined())
        for number in 0..<50 { #expect(try client.answer().text == "/\(number)") }
    }

    @Test("keeping a promise twice has no effect, not even on a later wait of the same connection")
    func keepsOnce() throws {
        let promises = Promises()
        let server = try TestServer(answer: { _ in .later { promises.add($0) } })
        let client = try server.connect()
        client.send(get("/1") + get("/2"))
        let first = try promises.next()
        first.keep { .now(.text("first")) }
        first.keep { .now(.text("wrong")) }
        #expect(try client.answer().text == "first")
        let second = try promises.next()
        first.keep { .now(.text("wrong")) }
        second.keep { .now(.text("second")) }
        #expect(try client.answer().text == "second")
    }

    @Test("a client that leaves while it waits is noticed when the promise is kept")
    func leaves() throws {
        let promises = Promises()
        let server = try TestServer(answer: { _ in .later { promises.add($0) } })
        do {
            let client = try server.connect()
            client.send(get("/"))
            try promises.next().keep { .later { promises.add($0) } }
        }
        try promises.next().keep { .now(.text("nobody")) }
        #expect(server.application.exchanges(1).count == 1)
    }

    @Test("thousands of promises kept from several threads all arrive")
    func manyWaiters() throws {
        let server = try TestServer(answer: { request in
            .later { promise in DispatchQueue.global().async { promise.keep { .now(.text(request.path)) } } }
        })
        let clients = try (0..<200).map { _ in try server.connect() }
        for round in 0..<20 {
            for (number, client) in clients.enumerated() { client.send(get("/\(round)-\(number)")) }
            for (number, client) in clients.enumerated() { #expect(try client.answer().text == "/\(round)-\(number)") }
        }
    }
}
