import Domain
import JSON
import SQLite
import TestSupport

@testable import Webhooks

/// A federation whose courier delivers to receivers on this machine, by a clock that the test moves.
final class CourierWorld: Sendable {
    let base: TestFederation
    private let settings: Courier.Settings
    private let courier: Monitor<Courier?>

    /// - Parameter isRunning: whether the courier delivers from the start.
    init(isRunning: Bool = true, configure: (inout Courier.Settings) -> Void = { _ in }) throws {
        base = try TestFederation()
        var settings = Courier.Settings()
        settings.addressGuard = try AddressGuard(allowing: "127.0.0.1/32:*").orThrow()
        configure(&settings)
        self.settings = settings
        courier = Monitor(nil)
        if isRunning { start() }
    }

    deinit { stop() }

    func start() { courier.withLock { $0 = Courier(base.federation, settings: settings) } }

    func stop() {
        let running = courier.withLock { courier in
            defer { courier = nil }
            return courier
        }
        running?.stop()
    }

    // MARK: Webhooks

    func hook(_ url: String, _ events: [String] = ["*"], ordered: Bool = false, by caller: Caller = .admin) throws -> Webhook {
        var draft = Webhook.Draft()
        draft.url = url
        draft.events = events
        draft.isOrdered = ordered
        let made = draft
        return try base.federation.perform { (tx) throws(DomainError) in try Webhook.create(made, by: caller, in: tx) }
    }

    func set(_ status: Webhook.Status, of webhook: Webhook) throws {
        var draft = Webhook.Draft()
        draft.status = status
        let change = draft
        _ = try base.federation.perform { (tx) throws(DomainError) in try Webhook.update(webhook.id, with: change, expecting: .any, by: .admin, in: tx) }
    }

    func ping(_ webhook: Webhook) throws { _ = try base.federation.perform { (tx) throws(DomainError) in try Webhook.ping(webhook.id, by: .admin, in: tx) } }

    func present(_ webhook: Webhook) throws -> Webhook { try base.federation.webhook(webhook.id, for: .admin) }

    func deliveries(_ webhook: Webhook, _ state: Delivery.State? = nil) throws -> [Delivery] {
        try base.federation.deliveries(of: webhook.id, state: state, before: .max, limit: 500, for: .admin)
    }

    /// Waits for a delivery in the state.
    func delivery(_ webhook: Webhook, _ state: Delivery.State, attempts: Int) throws -> Delivery {
        try waitUntil("a delivery that is \(state) after \(attempts) attempts") { try deliveries(webhook, state).contains { $0.attempts == attempts } }
        return try deliveries(webhook, state).first { $0.attempts == attempts }.orThrow()
    }

    // MARK: Events and time

    /// Makes so many themes, each an event for the federation.
    @discardableResult
    func happen(_ count: Int = 1) throws -> [Theme] {
        try (0..<count).map { _ in try base.addTheme("theme-\(base.head)") }
    }

    /// Changes a record once more.
    func change(_ theme: Theme) throws { try base.patch(theme, #"{"title":"Titre \#(base.head)"}"#) }

    /// Lets time pass; something that happens makes the courier look at the clock.
    func pass(seconds: Int64) throws {
        base.clock.advance(seconds: seconds)
        try happen()
    }

    func run(_ sql: String) throws {
        try base.federation.perform { (tx) throws(DomainError) in try storing { () throws(DatabaseError) in try tx.connection.run(sql) } }
    }
}

extension Optional {
    struct Nothing: Error {}

    func orThrow() throws -> Wrapped {
        guard let self else { throw Nothing() }
        return self
    }
}
