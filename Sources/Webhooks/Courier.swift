import CCurl
import Domain
import Glibc
import SQLite

/// Delivers events to webhooks: one thread, libcurl's multi interface, and the log of events behind it.
///
/// Nothing is taken out of the log before it is sent; what became of it is stored afterwards, many at a time. A process that
/// dies has therefore sent some events whose fate it has not stored: they are sent once more, with the same id.
package final class Courier: Sendable {
    package struct Settings: Sendable {
        package var addressGuard = AddressGuard.strict
        package var limits = WebhookUpkeep.Limits()
        package var timeoutSeconds = 15
        /// All requests together: a webhook that fails has one at most.
        package var connections = 256
        /// What names stand for, in the form of CURLOPT_RESOLVE: for tests, which have no DNS.
        package var resolve: @Sendable () -> [String] = { [] }
        package init() {}
    }

    package struct Statistics: Sendable {
        package var delivered = 0
        package var failed = 0
    }

    struct Inbox {
        var stored: [CourierLoop.Stored] = []
        var isStopping = false
        var hasStopped = false
        var upkeep: Bool?
        var statistics = Statistics()
    }

    private let inbox = Monitor(Inbox())
    private let federation: Federation
    private let wake: @Sendable () -> Void

    /// Begins to deliver.
    package init(_ federation: Federation, settings: Settings = Settings()) {
        self.federation = federation
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        let loop = CourierLoop(federation, settings, inbox)
        wake = { loop.wake() }
        federation.webhooks.onNews(wake)
        startThread {
            // Whoever writes goes before those who are told of it. On Linux this is the thread's own (setpriority(2)); where it is refused, they are equals.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            loop.run()
        }
    }

    package var statistics: Statistics { inbox.withLock { $0.statistics } }

    /// Begins no more, gives what is under way some seconds to end, and stores what became of it.
    package func stop() {
        federation.webhooks.onNews(nil)
        inbox.withLock { $0.isStopping = true }
        wake()
        inbox.when({ $0.hasStopped }) { _ in }
    }
}
