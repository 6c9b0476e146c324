import Domain
import HTTP
import SQLite
import Synchronization

/// Rates, errors and durations by route, and what the server's parts count, in Prometheus' text format.
package final class Metrics: Sendable {
    private struct Series {
        var count = 0
        var seconds = 0.0
        var buckets = [Int](repeating: 0, count: Metrics.bounds.count)

        mutating func add(_ exchange: Exchange) {
            count += 1
            seconds += exchange.seconds
            if let bucket = Metrics.bounds.firstIndex(where: { exchange.seconds <= $0 }) { buckets[bucket] += 1 }
        }
    }

    private struct Key: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    fileprivate static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30]

    /// Methods are the client's words; those that we do not know share one name, so that nobody fills the memory.
    private static let methods: Set = ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"]

    private let series = Mutex<[Key: Series]>([:])
    /// What the HTTP server counts; set once it runs.
    package let connections = Mutex<(@Sendable () -> (open: Int, suspended: Int))?>(nil)

    /// What the courier counts; set once it runs.
    package let deliveries = Mutex<(@Sendable () -> (delivered: Int, failed: Int))?>(nil)

    package init() {}

    func count(_ exchange: Exchange) {
        let key = Key(method: Self.methods.contains(exchange.method) ? exchange.method : "other", route: exchange.route ?? "none", status: exchange.status)
        series.withLock { series in
            series[key, default: Series()].add(exchange)
        }
    }

    func text(_ federation: Federation) -> String {
        var lines: [String] = []
        func gauge(_ name: String, _ kind: String, _ help: String, _ value: some CustomStringConvertible) {
            lines += ["# HELP viecoop_\(name) \(help)", "# TYPE viecoop_\(name) \(kind)", "viecoop_\(name) \(value)"]
        }
        let all = series.withLock { $0 }.sorted { ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status) }
        lines += ["# HELP viecoop_http_request_seconds Time from the request line to the last byte of the answer.", "# TYPE viecoop_http_request_seconds histogram"]
        for (key, series) in all {
            let labels = "method=\"\(key.method)\",route=\"\(key.route)\",status=\"\(key.status)\""
            var sum = 0
            for (bound, count) in zip(Self.bounds, series.buckets) {
                sum += count
                lines.append("viecoop_http_request_seconds_bucket{\(labels),le=\"\(bound)\"} \(sum)")
            }
            lines.append("viecoop_http_request_seconds_bucket{\(labels),le=\"+Inf\"} \(series.count)")
            lines.append("viecoop_http_request_seconds_sum{\(labels)} \(series.seconds)")
            lines.append("viecoop_http_request_seconds_count{\(labels)} \(series.count)")
        }
        let writer = federation.database.writer.statistics
        gauge("commits_total", "counter", "Transactions that are on disk.", writer.commits)
        gauge("writes_total", "counter", "Closures in these transactions.", writer.closures)
        gauge("commit_seconds_total", "counter", "Time spent waiting for the disk.", writer.commitSeconds)
        gauge("batch_size", "gauge", "Closures in the last transaction.", writer.lastBatch)
        gauge("write_queue", "gauge", "Closures that wait for the writer.", federation.database.writer.queueLength)
        gauge("wal_bytes", "gauge", "Size of the write-ahead log.", federation.database.walBytes)
        gauge("waiting_clients", "gauge", "Long polls that wait for news.", federation.waiters.count)
        gauge("feed_head", "gauge", "The newest seq of the history.", federation.heads.head)
        if let counts = connections.withLock({ $0 })?() {
            gauge("connections", "gauge", "Open connections.", counts.open)
            gauge("connections_suspended", "gauge", "Of these, those that wait for an answer.", counts.suspended)
        }
        if let counts = deliveries.withLock({ $0 })?() {
            gauge("webhook_delivered_total", "counter", "Messages that webhooks have taken.", counts.delivered)
            gauge("webhook_failed_total", "counter", "Attempts that failed.", counts.failed)
        }
        lines += webhooks(federation)
        return lines.joined(separator: "\n") + "\n"
    }

    /// How each webhook stands, by its id.
    private func webhooks(_ federation: Federation) -> [String] {
        guard let health = try? federation.webhookHealth(), !health.isEmpty else { return [] }
        func gauge(_ name: String, _ help: String, _ value: (Federation.WebhookHealth) -> some CustomStringConvertible) -> [String] {
            ["# HELP viecoop_webhook_\(name) \(help)", "# TYPE viecoop_webhook_\(name) gauge"]
                + health.map { "viecoop_webhook_\(name){webhook=\"\($0.webhook.id)\"} \(value($0))" }
        }
        let states = health.map { "viecoop_webhook_state{webhook=\"\($0.webhook.id)\",state=\"\($0.webhook.status.rawValue)\"} 1" }
        return ["# HELP viecoop_webhook_state Whether it is active, paused or disabled.", "# TYPE viecoop_webhook_state gauge"] + states
            + gauge("behind", "Events between it and the newest one.") { $0.behind }
            + gauge("lag_seconds", "Age of the first of these.") { $0.lagSeconds(at: federation.now()) }
            + gauge("waiting", "Deliveries to be tried again.") { $0.waiting } + gauge("dead", "Dead letters.") { $0.dead }
            + gauge("failing_seconds", "Time since the first failure after the last success.") { $0.failingSeconds(at: federation.now()) }
    }
}
