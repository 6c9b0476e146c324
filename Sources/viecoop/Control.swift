import API
import CCurl
import Domain
import Glibc
import HTTP
import JSON
import SQLite

/// How admin commands reach a federation: through the running server's control socket, or, where none runs, by opening the
/// database under its lock and asking the same API without a socket.
enum Control {
    struct Reply {
        let status: Int
        let body: [UInt8]
    }

    /// - Parameters:
    ///   - settings: with which the database is opened where no server runs.
    ///   - line: called with each line of an answer that is sent line by line, as it comes.
    static func send(
        _ request: Request, data: String, opening settings: Federation.Settings = Federation.Settings(), line: @escaping ([UInt8]) -> Void = { _ in }
    ) throws -> Reply {
        let socket = data + "/control.sock"
        if access(socket, F_OK) == 0, let reply = try overSocket(request, socket, line) { return reply }
        return try inProcess(request, data, settings, line)
    }

    /// The JSON of a 2xx answer.
    static func json(
        _ method: String, _ path: String, query: String = "", body: [UInt8] = [], data: String, naming options: [String: String] = [:],
        opening settings: Federation.Settings = Federation.Settings()
    ) throws -> JSON {
        let reply = try send(request(method, path, query: query, body: body), data: data, opening: settings)
        try check(reply, naming: options)
        return reply.body.isEmpty ? .null : try JSON.parse(reply.body)
    }

    static func request(_ method: String, _ path: String, query: String = "", body: [UInt8] = [], accept: String = "*/*") -> Request {
        var headers: Headers = ["Accept": accept, "Accept-Language": preferredLanguage]
        if !body.isEmpty { headers.add("Content-Type", "application/json") }
        return Request(method: method, path: path, query: query, headers: headers, body: body)
    }

    /// - Parameter options: what the person who is at the terminal calls the fields of the request.
    /// - Throws: what a problem says, with every fault on a line of its own.
    static func check(_ reply: Reply, naming options: [String: String] = [:]) throws {
        guard reply.status >= 300 else { return }
        guard let problem = try? JSON.parse(reply.body, limits: JSONLimits(depth: 32, members: 1_000_000)), let detail = problem["detail"]?.stringValue else {
            throw Failure("the server answered \(reply.status)")
        }
        let faults = (problem["errors"]?.elements ?? []).map { fault in
            let pointer = fault["pointer"]?.stringValue ?? ""
            return "\n  \(options[pointer] ?? pointer) \(fault["detail"]?.stringValue ?? "")"
        }
        // The detail of several faults speaks to programs.
        throw Failure(faults.isEmpty ? detail : (problem["title"]?.stringValue ?? detail) + ":" + faults.joined())
    }

    private static var preferredLanguage: String {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"].compactMap { (name: String) in getenv(name).map { String(cString: $0) } }
        return names.first { !$0.isEmpty }?.hasPrefix("fr") == true ? "fr" : "en"
    }

    // MARK: The two ways

    private static func inProcess(_ request: Request, _ data: String, _ settings: Federation.Settings, _ line: ([UInt8]) -> Void) throws -> Reply {
        let lock = try Federation.lock(directory: data)
        defer { withExtendedLifetime(lock) {} }
        let federation = try Federation(directory: data, settings: settings)
        defer { federation.close() }
        var control = App.Settings()
        control.isControl = true
        let app = App(federation, settings: control, metrics: Metrics(), log: nil)
        var answer = app.answer(request)
        while case .later(let begin) = answer {
            let kept = Monitor<(@Sendable () -> Answer)?>(nil)
            begin(Promise { thunk in kept.change { $0 = thunk } })
            answer = kept.when({ $0 != nil }) { $0 }?() ?? answer
        }
        guard case .now(let response) = answer else { throw Failure("no answer") }
        switch response.body {
        case .bytes(let bytes): return Reply(status: response.status, body: bytes)
        case .stream(let next):
            var splitter = LineSplitter()
            while let piece = next() { splitter.take(piece, line) }
            return Reply(status: response.status, body: [])
        case .live: throw Failure("nobody listens to events on this socket")
        }
    }

    /// - Returns: nil where nobody listens any more.
    private static func overSocket(_ request: Request, _ socket: String, _ line: @escaping ([UInt8]) -> Void) throws -> Reply? {
        guard let handle = curl_easy_init() else { throw Failure("libcurl has no memory") }
        defer { curl_easy_cleanup(handle) }
        let receiver = Receiver(line)
        let context = Unmanaged.passUnretained(receiver).toOpaque()
        var headers: UnsafeMutablePointer<curl_slist>?
        for field in request.headers.fields + [("Expect", "")] { headers = curl_slist_append(headers, "\(field.name): \(field.value)") }
        defer { curl_slist_free_all(headers) }
        _ = CCurl_setopt_string(handle, CURLOPT_UNIX_SOCKET_PATH, socket)
        _ = CCurl_setopt_string(handle, CURLOPT_URL, "http://localhost\(request.path)\(request.query.isEmpty ? "" : "?" + request.query)")
        _ = CCurl_setopt_string(handle, CURLOPT_CUSTOMREQUEST, request.method)
        _ = CCurl_setopt_string(handle, CURLOPT_PROXY, "")
        _ = CCurl_setopt_pointer(handle, CURLOPT_HTTPHEADER, headers)
        _ = CCurl_setopt_write(
            handle,
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                let received = UnsafeRawBufferPointer(start: bytes, count: size * count)
                Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue().take(Array(received))
                return size * count
            }, context)
        let code = request.body.withUnsafeBytes { body in
            if !body.isEmpty {
                _ = CCurl_setopt_long(handle, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
                _ = CCurl_setopt_pointer(handle, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: body.baseAddress))
            }
            return withExtendedLifetime(receiver) { curl_easy_perform(handle) }
        }
        if code == CURLE_COULDNT_CONNECT { return nil }
        guard code == CURLE_OK else { throw Failure("the server at \(socket) did not answer: \(String(cString: curl_easy_strerror(code)))") }
        var status = 0
        _ = CCurl_getinfo_long(handle, CURLINFO_RESPONSE_CODE, &status)
        return Reply(status: status, body: receiver.bytes)
    }

    private final class Receiver {
        private(set) var bytes: [UInt8] = []
        private var splitter = LineSplitter()
        private let line: ([UInt8]) -> Void
        /// An answer by lines is handed on and not gathered, beyond what a problem may need.
        init(_ line: @escaping ([UInt8]) -> Void) { self.line = line }

        func take(_ piece: [UInt8]) {
            if bytes.count < 8 << 20 { bytes += piece }
            splitter.take(piece, line)
        }
    }

    private struct LineSplitter {
        private var rest: [UInt8] = []

        mutating func take(_ piece: [UInt8], _ line: ([UInt8]) -> Void) {
            rest += piece
            while let end = rest.firstIndex(of: 0x0A) {
                line(Array(rest[..<end]))
                rest.removeSubrange(...end)
            }
        }
    }
}
