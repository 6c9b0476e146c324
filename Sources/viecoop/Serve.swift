import API
import Domain
import Glibc
import HTTP
import HTTPServer
import SQLite
import Webhooks

enum Serve: Command {
    static let name = "serve"
    static let summary = "Runs the server until it is told to stop (SIGTERM or Ctrl-C)."
    static let help = """
        viecoop serve [--data DIR] [--listen HOST:PORT] [--demo] [--log all|errors|off]
                      [--cors-origins LIST] [--trusted-proxies LIST] [--limit-loopback] [--webhook-allow LIST]

          --data             the folder of the database, which must exist (VIECOOP_DATA, default: data)
          --listen           where to listen (VIECOOP_LISTEN, default: 127.0.0.1:8080); port 0 takes a free one
          --demo             creates the folder, loads the sample data, makes a token per role and prints commands to paste
          --log              which requests are logged to standard error (VIECOOP_LOG, default: errors with --demo, else all)
          --cors-origins     origins whose pages may call the API, by commas (VIECOOP_CORS_ORIGINS)
          --trusted-proxies  addresses whose X-Forwarded-For is believed, by commas (VIECOOP_TRUSTED_PROXIES)
          --limit-loopback   limits failed credentials from this machine too (VIECOOP_LIMIT_LOOPBACK)
          --webhook-allow    networks and ports of webhooks that are permitted beside public ones by https, by commas:
                             10.1.0.0/16:8443,127.0.0.1/32:* (VIECOOP_WEBHOOK_ALLOW)

        A second signal stops it at once.

        Example: viecoop serve --data /var/lib/viecoop --listen 127.0.0.1:8080
        """

    static func run(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        let listen = try Address(arguments.value("--listen") ?? "127.0.0.1:8080")
        let isDemo = arguments.flag("--demo")
        let levelName = try arguments.value("--log") ?? (isDemo ? "errors" : "all")
        guard let level = AccessLog.Level(rawValue: levelName) else { throw Misuse("--log must be all, errors or off") }
        var settings = App.Settings()
        settings.allowedOrigins = try Set(list(arguments.value("--cors-origins")))
        settings.trustedProxies = try Set(list(arguments.value("--trusted-proxies")))
        settings.limitsLoopback = arguments.flag("--limit-loopback")
        if let networks = try arguments.value("--webhook-allow") {
            guard let allowing = AddressGuard(allowing: networks) else { throw Misuse("--webhook-allow must be networks and ports, such as 10.1.0.0/16:8443,127.0.0.1/32:*") }
            settings.addressGuard = allowing
        }
        try arguments.end()

        Memory.keepLargeBlocks()
        let signals = Signals()
        // First, so that a taken port leaves no trace in the folder.
        let listening = ServerSettings(listener: .tcp(host: listen.host, port: listen.port))
        let listener = try Listener(listening.listener)
        if isDemo { mkdir(data, 0o700) }
        let lock = try Federation.lock(directory: data)
        let log = AccessLog(level: level)
        var federationSettings = Federation.Settings()
        federationSettings.onRetention = { report in
            log.note("forgot what was due", report.parts.map { ($0.type.plural, String($0.ids.count)) })
        }
        federationSettings.onDelay = { delay in
            log.note("put off by an hour what was due", [("type", delay.type), ("id", delay.id), ("what", delay.what), ("cause", delay.cause.cause)])
        }
        let federation = try Federation(directory: data, settings: federationSettings)
        let metrics = Metrics()
        let app = App(federation, settings: settings, metrics: metrics, log: log)
        var controlSettings = settings
        controlSettings.isControl = true
        let control = App(federation, settings: controlSettings, metrics: metrics, log: nil)

        var controlServerSettings = ServerSettings(listener: .unix(path: data + "/control.sock"))
        controlServerSettings.bodyLimit = 70 << 20
        controlServerSettings.threads = 2
        let server = try Server(listening, on: listener, application: app)
        let controlServer = try Server(controlServerSettings, application: control)
        metrics.connections.withLock { connections in
            connections = {
                let statistics = server.statistics
                return (statistics.openConnections, statistics.suspendedConnections)
            }
        }
        var courierSettings = Courier.Settings()
        courierSettings.addressGuard = settings.addressGuard
        let courier = Courier(federation, settings: courierSettings)
        metrics.deliveries.withLock { deliveries in
            deliveries = {
                let statistics = courier.statistics
                return (statistics.delivered, statistics.failed)
            }
        }
        let address = "http://\(listen.host.contains(":") ? "[\(listen.host)]" : listen.host):\(server.port)"
        log.note("listening", [("address", address), ("version", Version.text), ("sqlite", Database.libraryVersion), ("data", data)])
        if !listen.isLoopback {
            log.note("reachable from other machines without TLS: put a TLS proxy in front, and name it in --trusted-proxies")
        }
        if isDemo { try Demo.start(federation, address: address) }

        signals.wait()
        // A second signal does not wait for anybody.
        startThread {
            signals.wait()
            _exit(1)
        }
        federation.waiters.close()
        server.stop(grace: 25)
        controlServer.stop(grace: 1)
        courier.stop()
        federation.close()
        log.note("stopped")
        log.close()
        withExtendedLifetime(lock) {}
    }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
    }

    /// `127.0.0.1:8080`, `[::1]:0`.
    private struct Address {
        let host: String
        let port: UInt16

        init(_ text: String) throws {
            guard let colon = text.lastIndex(of: ":"), colon > text.startIndex, text[colon...].dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }),
                let port = UInt16(text[text.index(after: colon)...])
            else {
                throw Misuse("--listen must be HOST:PORT, such as 127.0.0.1:8080")
            }
            host = text[..<colon].filter { $0 != "[" && $0 != "]" }
            self.port = port
        }

        var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
    }
}

/// SIGTERM and SIGINT as something to wait for; made before any thread, so that all of them leave these signals alone.
struct Signals: Sendable {
    private let set: sigset_t

    init() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        self.set = set
    }

    func wait() {
        var set = set
        var received: Int32 = 0
        sigwait(&set, &received)
    }
}
