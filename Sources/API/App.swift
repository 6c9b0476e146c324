import Domain
import HTTP
import JSON
import Text
import Webhooks

/// The API as the server drives it: finds the route, knows the caller, runs the handler, makes a problem of every error.
package final class App: Application {
    package struct Settings: Sendable {
        /// Whoever can open the socket is the operator, who needs no token: for the control socket only.
        package var isControl = false
        /// Origins whose pages may call the API from a browser, exactly as browsers send them.
        package var allowedOrigins: Set<String> = []
        /// Addresses of proxies whose `X-Forwarded-For` is believed.
        package var trustedProxies: Set<String> = []
        /// Counts failed credentials from this machine too, which tests and proxies without X-Forwarded-For want.
        package var limitsLoopback = false
        /// Which addresses webhooks may have.
        package var addressGuard = AddressGuard.strict
        package init() {}
    }

    package let federation: Federation
    package let metrics: Metrics
    private let router: Router
    private let table: [Route]
    private let settings: Settings
    private let failures = RateLimiter(limit: 10, windowSeconds: 60)
    /// Of callers without a token.
    private let writes = RateLimiter(limit: 30, windowSeconds: 60)
    private let log: AccessLog?

    package init(_ federation: Federation, settings: Settings = Settings(), metrics: Metrics, log: AccessLog?) {
        self.federation = federation
        self.settings = settings
        self.metrics = metrics
        self.log = log
        var routes = Self.routes(federation) + WebhookRoutes(federation: federation, addressGuard: settings.addressGuard).routes
        routes += OperationRoutes(federation, metrics: metrics, isControl: settings.isControl).routes
        if settings.isControl { routes += ControlRoutes(federation).routes }
        router = Router(routes.map { ($0.method, $0.template) })
        table = routes
    }

    /// Every resource, in the order of the contract.
    private static func routes(_ federation: Federation) -> [Route] {
        [
            CoopRoutes(federation: federation).routes, ResourceRoutes<Site>(federation).routes, ReferentRoutes(federation: federation).routes,
            ResourceRoutes<Theme>(federation).routes, ResourceRoutes<Question>(federation).routes, ResourceRoutes<Resource>(federation).routes,
            ResourceRoutes<Prize>(federation).routes, IdeaRoutes(federation: federation).routes, ResourceRoutes<Mooc>(federation).routes,
            ResourceRoutes<Module>(federation).routes, ResourceRoutes<Activity>(federation).routes, ChangesRoutes(federation: federation).routes,
            AccessRoutes(federation: federation).routes, HistoryRoutes(federation: federation).routes, SessionRoutes(federation: federation).routes,
            SheetRoutes(federation: federation).routes, PairingRoutes(federation: federation).routes, RoundRoutes(federation: federation).routes,
            PushRoutes(federation: federation).routes, RepairRoutes(federation: federation).routes, EventRoutes(federation: federation).routes,
            AppointmentRoutes(federation: federation).routes, DeviceRoutes(federation: federation).routes, ErasureRoutes(federation: federation).routes,
            IndicatorRoutes(federation).routes, DashboardRoutes().routes,
        ].flatMap { $0 }
    }

    /// Methods and templates, for the contract's test.
    package var routes: [(method: String, template: String)] { table.map { ($0.method, $0.template) } }

    // MARK: Answering

    package func answer(_ request: Request) -> Answer {
        switch router.match(request.method, request.path) {
        case .unknown:
            guard Self.methods.contains(request.method) else { return finish(request.response(to: Problem.methodUnknown), request, nil, nil) }
            // What asks about the server as a whole (RFC 9110 sections 9.3.6 and 9.3.7).
            if request.path == "*" || request.method == "CONNECT" { return finish(otherMethod(request, Self.served), request, nil, nil) }
            return finish(request.response(to: Problem.notFound), request, nil, nil)
        case .otherMethod(let template, let allowed):
            return finish(otherMethod(request, allowed), request, template, nil)
        case .found(let place, let parameters):
            let route = table[place]
            do {
                let caller = try authenticate(request, route)
                let address = remote(of: request)
                let call = try Call(request, caller: caller, template: route.template, parameters: parameters, remote: address, isLimited: isLimited(address))
                return try run(route, call)
            } catch {
                return finish(request.response(to: error, forOperator: settings.isControl), request, route.template, nil)
            }
        }
    }

    private static let methods: Set = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]

    private static let served = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"]

    private func run(_ route: Route, _ call: Call) throws -> Answer {
        guard MediaType.choose(call.request.headers["Accept"], from: route.offers) != nil else { throw Problem.notAcceptable(route.offers) }
        switch route.handler {
        case .read(let handler): return try finish(handler(call), call.request, call.template, call.caller)
        case .wait(let handler): return try settle(handler(call), call)
        case .write(let handler):
            if call.isLimited, call.caller.role == nil { try limitWrites(call) }
            let key = try idempotencyKey(call)
            let write = try handler(call)
            return .later { [self] promise in
                federation.write({ (tx) throws(DomainError) in try Self.once(key, tx, write) }) { [self] result in
                    promise.keep { [self] in
                        switch result {
                        case .success(let outcome): finish((route.finishing?(outcome, call) ?? outcome).response, call.request, call.template, call.caller)
                        case .failure(let error): finish(call.response(to: error), call.request, call.template, call.caller)
                        }
                    }
                }
            }
        }
    }

    /// What a waiting handler answers in the end gets the same finish as everything else.
    private func settle(_ answer: Answer, _ call: Call) -> Answer {
        switch answer {
        case .now(let response): finish(response, call.request, call.template, call.caller)
        case .later(let begin):
            .later { [self] promise in
                begin(Promise { thunk in promise.keep { [self] in settle(thunk(), call) } })
            }
        }
    }

    private func finish(_ response: Response, _ request: Request, _ template: String?, _ caller: Caller?) -> Answer {
        var response = response
        response.route = template
        response.caller = caller?.token?.text
        response.headers.add("Vary", "Authorization, Accept, Accept-Encoding, Accept-Language")
        if let origin = request.headers["Origin"], settings.allowedOrigins.contains(origin) {
            response.headers.add("Access-Control-Allow-Origin", origin)
            response.headers.add("Access-Control-Expose-Headers", "ETag, Link, Location, RateLimit, Request-Id")
        }
        return .now(response.compressed(for: request))
    }

    /// OPTIONS says what is allowed; a browser's preflight from an origin that is not on the list learns nothing more.
    private func otherMethod(_ request: Request, _ allowed: [String]) -> Response {
        guard request.method == "OPTIONS" else {
            return request.response(to: Self.methods.contains(request.method) ? Problem.method(allowed) : Problem.methodUnknown)
        }
        var response = Response(status: 204, headers: ["Allow": allowed.joined(separator: ", ")])
        if let origin = request.headers["Origin"], settings.allowedOrigins.contains(origin), request.headers["Access-Control-Request-Method"] != nil {
            response.headers.add("Access-Control-Allow-Methods", allowed.joined(separator: ", "))
            response.headers.add("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Request-Id")
            response.headers.add("Access-Control-Max-Age", "600")
        }
        return response
    }

    // MARK: Who asks

    private func authenticate(_ request: Request, _ route: Route) throws(Problem) -> Caller {
        guard let field = request.headers["Authorization"] else {
            if settings.isControl { return .operatorItself }
            if route.needsToken { throw .unauthorized() }
            return .anonymous
        }
        var verdict = TokenBook.Verdict.refused(wipe: false)
        if let credentials = Self.bearer(field), let secret = Token.Secret(credentials), request.headers.all("Authorization").count == 1 {
            let now = federation.now()
            verdict = federation.tokens.judge(secret, at: now)
            if case .caller = verdict { federation.note(secret.id, at: now) }
        }
        switch verdict {
        case .caller(let caller): return caller
        case .refused(let wipe):
            // A good token passes even where its address is blocked: behind one proxy or one office router there are many people.
            let address = remote(of: request)
            if isLimited(address) {
                if let seconds = failures.blocked(address) { throw .rateLimited(retryAfter: seconds) }
                failures.count(address)
            }
            throw .unauthorized(wipe: wipe)
        }
    }

    /// What stands behind the scheme, which may be written in any case (RFC 9110 section 11.1); nil for another scheme.
    private static func bearer(_ field: String) -> Substring? {
        let scheme = "bearer ".utf8
        guard let end = field.utf8.index(field.startIndex, offsetBy: scheme.count, limitedBy: field.endIndex),
            field.utf8[..<end].elementsEqual(scheme, by: { $0 == $1 || (0x41...0x5A).contains($0) && $0 | 0x20 == $1 })
        else { return nil }
        return field[end...]
    }

    /// The client's address: the nearest one that no trusted proxy has.
    private func remote(of request: Request) -> String {
        guard settings.trustedProxies.contains(request.remote) else { return request.remote }
        let hops = request.headers.all("X-Forwarded-For").joined(separator: ",").split(separator: ",").map { $0.filter { $0 != " " } }
        return hops.last { !settings.trustedProxies.contains($0) } ?? request.remote
    }

    /// This machine's own requests are not counted unless a setting wants it.
    private func isLimited(_ address: String) -> Bool {
        settings.limitsLoopback || !(address == "::1" || address.hasPrefix("127.") || address == "unix")
    }

    private func limitWrites(_ call: Call) throws(Problem) {
        if let seconds = writes.blocked(call.remote) { throw .rateLimited(retryAfter: seconds) }
        writes.count(call.remote)
    }

    // MARK: Repeated requests

    private func idempotencyKey(_ call: Call) throws(Problem) -> Idempotency.Key? {
        guard call.request.method == "POST" else { return nil }
        let fields = call.request.headers.all("Idempotency-Key")
        guard let field = fields.first else { return nil }
        let isKey = fields.count == 1 && (1...255).contains(field.utf8.count) && field.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard isKey, call.caller.token != nil || Identifier<Void>(field) != nil else {
            throw .header("Idempotency-Key", en: "must be 1 to 255 visible ASCII characters, without a token a UUID", fr: "doit compter de 1 à 255 caractères ASCII visibles ; sans jeton, un UUID")
        }
        return Idempotency.Key(
            token: call.caller.token, method: call.request.method, path: call.request.path, key: field, body: call.request.body, secret: federation.requestKey)
    }

    /// The answer to the same request before, or the write and its answer kept with it.
    private static func once(_ key: Idempotency.Key?, _ tx: Transaction, _ write: Route.Write) throws(DomainError) -> Outcome {
        guard let key else { return try write(tx) }
        if let kept = try Idempotency.find(key, in: tx) {
            var outcome = Outcome(status: kept.status, etag: kept.etag, location: kept.location, body: kept.body)
            outcome.isReplay = true
            return outcome
        }
        let outcome = try write(tx)
        let answer = Idempotency.Answer(status: outcome.status, location: outcome.location, etag: outcome.etag, body: outcome.body)
        try Idempotency.keep(answer, under: key, type: outcome.record?.type, id: outcome.record?.id, in: tx)
        return outcome
    }

    // MARK: Afterwards

    package func completed(_ exchange: Exchange) {
        metrics.count(exchange)
        log?.write(exchange)
    }
}

extension Response {
    /// The same, as gzip where the client asks for it and it is worth it.
    fileprivate func compressed(for request: Request) -> Response {
        guard let accepted = request.headers["Accept-Encoding"], Gzip.isWanted(accepted) else { return self }
        var response = self
        switch body {
        case .bytes(let bytes):
            guard bytes.count > 1024 else { return self }
            response.body = .bytes(Gzip().compress(bytes, isLast: true))
        case .stream(let next):
            let stream = Gzip.Stream()
            response.body = .stream { stream.next(of: next) }
        // Its pieces are small, and have to leave at once.
        case .live: return self
        }
        response.headers.add("Content-Encoding", "gzip")
        return response
    }
}

extension Gzip {
    /// Whether an Accept-Encoding names gzip with a weight above 0.
    static func isWanted(_ accepted: String) -> Bool {
        accepted.lowercased().split(separator: ",").prefix(20).contains { range in
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard parts.first == "gzip" || parts.first == "*" else { return false }
            return !parts.dropFirst().contains { $0.hasPrefix("q=0") && !$0.contains { ("1"..."9").contains($0) } }
        }
    }

    // Unchecked: one connection's pieces are asked for one after the other.
    final class Stream: @unchecked Sendable {
        private var gzip: Gzip? = Gzip()

        func next(of source: @Sendable () -> [UInt8]?) -> [UInt8]? {
            guard let compressor = gzip else { return nil }
            if let piece = source() { return compressor.compress(piece, isLast: false) }
            gzip = nil
            return compressor.compress([], isLast: true)
        }
    }
}
