import Foundation

/// What wrk saw.
struct Load {
    var perSecond = 0.0
    /// Milliseconds.
    var p50 = 0.0
    var p99 = 0.0
    /// A whole answer, head included.
    var bytes = 0.0
    /// Answers that were no 2xx or 3xx, and broken connections.
    var errors = 0
}

/// Runs wrk against one server with a script of its own (https://github.com/wg/wrk/blob/master/SCRIPTING).
struct Wrk {
    let workspace: Workspace
    let program: String
    let clients: Int
    let seconds: Int

    func load(port: UInt16, _ requests: Requests, seconds: Int? = nil) throws(BenchError) -> Load {
        let script = try workspace.write("wrk.lua", (requests.script + Wrk.summary).utf8)
        let output = try workspace.run(
            program,
            ["-t2", "-c\(clients)", "-d\(seconds ?? self.seconds)s", "--timeout", "10s", "-s", script, "http://127.0.0.1:\(port)\(requests.path)"])
        let line = output.split(separator: "\n").first { $0.hasPrefix("RESULT ") }
        let figures = (line?.split(separator: " ") ?? []).compactMap { Double($0) }
        guard figures.count == 6, figures[0] > 0, figures[1] > 0 else { throw BenchError("wrk measured nothing:\n\(output)") }
        return Load(
            perSecond: figures[0] / figures[1] * 1e6, p50: figures[4] / 1000, p99: figures[5] / 1000,
            bytes: figures[2] / figures[0], errors: Int(figures[3]))
    }

    /// Figures instead of wrk's table for people: requests, microseconds, bytes, errors, p50 and p99 in microseconds.
    private static let summary = """

        done = function(summary, latency, requests)
            local e = summary.errors
            io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration, summary.bytes,
                e.connect + e.read + e.write + e.timeout + e.status, latency:percentile(50), latency:percentile(99)))
        end
        """
}

/// The requests of one scenario, the same for both servers.
struct Requests {
    let path: String
    let script: String

    /// One GET, over and over.
    static func same(_ path: String, token: String?) -> Requests {
        Requests(path: path, script: token.map { #"wrk.headers["Authorization"] = "Bearer \#($0)""# } ?? "")
    }

    /// GETs of all these paths in turn.
    static func each(_ paths: [String], token: String) -> Requests {
        let script = """
            local paths = {\(paths.map { "\"\($0)\"" }.joined(separator: ","))}
            local turn = 0
            init = function()
                wrk.headers["Authorization"] = "Bearer \(token)"
                for i, path in ipairs(paths) do paths[i] = wrk.format("GET", path) end
            end
            request = function()
                turn = turn % #paths + 1
                return paths[turn]
            end
            """
        return Requests(path: "/", script: script)
    }

    /// POSTs of bodies that are all different: each `########` in `body` becomes a number that was not used yet. `from`
    /// tells runs apart.
    static func create(_ path: String, body: String, from: Int, token: String) -> Requests { create([path], body: body, from: from, token: token) }

    /// The same to several paths, so many in a row to each of them.
    static func create(_ paths: [String], inARow: Int = 1, body: String, from: Int, token: String) -> Requests {
        let parts = body.components(separatedBy: "########").map { "[==[\($0)]==]" }
        let script = """
            local threads = 0
            setup = function(thread)
                thread:set("number", \(from) + threads * 1000000)
                threads = threads + 1
            end
            local paths = {\(paths.map { "\"\($0)\"" }.joined(separator: ","))}
            local head = " HTTP/1.1\\r\\nHost: localhost\\r\\nAuthorization: Bearer \(token)\\r\\n" ..
                "Content-Type: application/json\\r\\nContent-Length: \(body.utf8.count)\\r\\n\\r\\n"
            request = function()
                number = number + 1
                local digits = string.format("%08d", number)
                return table.concat({"POST ", paths[math.floor(number / \(inARow)) % #paths + 1], head, \(parts.joined(separator: ", digits, "))})
            end
            """
        return Requests(path: "/", script: script)
    }
}
