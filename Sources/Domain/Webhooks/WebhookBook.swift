import SQLite
import Synchronization

/// Every webhook in memory, so that a change knows without SQLite whether anybody listens, and whoever delivers knows where to.
package final class WebhookBook: Sendable {
    private struct State {
        var webhooks: [Identifier<Webhook>: Webhook] = [:]
        /// Of which something was asked by hand since it was last looked at: a ping, a replay, another address.
        var touched: Set<Identifier<Webhook>> = []
        var wake: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let count = Atomic(0)
    private let hasNews = Atomic(false)

    package init() {}

    /// Whether nobody listens: then no event is even thought of.
    package var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    /// In the order of creation.
    package var all: [Webhook] { state.withLock { $0.webhooks.values.sorted { ($0.id.high, $0.id.low) < ($1.id.high, $1.id.low) } } }

    package func find(_ id: Identifier<Webhook>) -> Webhook? { state.withLock { $0.webhooks[id] } }

    // MARK: Waking whoever delivers

    /// Called on any thread when there may be something to deliver; it must be short.
    package func onNews(_ body: (@Sendable () -> Void)?) { state.withLock { $0.wake = body } }

    /// Those that were touched since the last call, nil where nothing happened; from now on, news wake again.
    package func takeNews() -> Set<Identifier<Webhook>>? {
        guard hasNews.exchange(false, ordering: .sequentiallyConsistent) else { return nil }
        return state.withLock { state in
            defer { state.touched = [] }
            return state.touched
        }
    }

    func wakeAfterCommit(of tx: Transaction) { tx.afterCommit { [self] in wake() } }

    /// Once until the news are taken: a batch brings hundreds of events.
    private func wake() {
        guard !hasNews.exchange(true, ordering: .sequentiallyConsistent) else { return }
        state.withLock { $0.wake }?()
    }

    // MARK: Keeping up with the table

    func load(from connection: Connection) throws(DatabaseError) {
        let stored = try WebhookTable.all(in: connection)
        state.withLock { state in
            for webhook in stored { state.webhooks[webhook.id] = webhook }
        }
        count.store(stored.count, ordering: .relaxed)
    }

    /// What the transaction has made of a webhook holds once it is on disk; nil: it is gone.
    func keep(_ webhook: Webhook?, for id: Identifier<Webhook>, after tx: Transaction) {
        tx.afterCommit { [self] in
            let number = state.withLock { state in
                state.webhooks[id] = webhook
                state.touched.insert(id)
                return state.webhooks.count
            }
            count.store(number, ordering: .relaxed)
            wake()
        }
    }

    func touch(_ id: Identifier<Webhook>, after tx: Transaction) {
        tx.afterCommit { [self] in
            state.withLock { _ = $0.touched.insert(id) }
            wake()
        }
    }

    /// What deliveries have told of its health, without touching it.
    func note(_ webhook: Webhook, after tx: Transaction) {
        tx.afterCommit { [self] in state.withLock { if $0.webhooks[webhook.id] != nil { $0.webhooks[webhook.id] = webhook } } }
    }
}
