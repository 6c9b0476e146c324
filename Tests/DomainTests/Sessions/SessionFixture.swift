@testable import Domain
import JSON
import SQLite
import Synchronization
import TestSupport

/// A member co-op with a site, a facilitator and a published module; a clock on the morning of 2 March 2026.
struct SessionFixture {
    let test: TestFederation
    let coop: Coop
    let site: Site
    let facilitator: Facilitator
    let module: Module
    private let batch = Batch()
    var manager: Caller { .manager(of: coop) }

    init(workstations: Int = 5, projector: Bool = false, department: String = "35") throws {
        let test = try TestFederation()
        self.test = test
        try test.create(Activity.self, #"{"slug":"rental","title":"Locatif"}"#)
        try test.create(Activity.self, #"{"slug":"syndic","title":"Syndic"}"#)
        coop = try test.create(Coop.self, #"{"slug":"a-casa","name":"A Casa","department_code":"\#(department)","membership":"member","activities":["rental"]}"#)
        site = try test.create(
            Site.self, #"{"coop_id":"\#(coop.id)","name":"Siège","workstations":\#(workstations),"seats":6,"projector":\#(projector)}"#)
        facilitator = try test.create(Facilitator.self, #"{"display_name":"Ana","kind":"employee"}"#, by: .manager(of: coop))
        let mooc = try test.create(Mooc.self, #"{"slug":"culture","title":"Culture"}"#)
        module = try test.create(Module.self, #"{"mooc_id":"\#(mooc.id)","slug":"bases","title":"Les bases","status":"published"}"#)
    }

    func session(_ more: String = "", starts: String = "2026-03-12T14:00:00Z", capacity: Int = 5) throws(DomainError) -> Session {
        try test.create(
            Session.self, #"{"site_id":"\#(site.id)","module_id":"\#(module.id)","starts_at":"\#(starts)","capacity":\#(capacity)\#(more)}"#, by: manager)
    }

    @discardableResult
    func step(_ session: Session, _ json: String) throws(DomainError) -> Session {
        let step = try Transition<Session.Status>(TestJSON.parse(json), taking: Session.transitionFields)
        let manager = manager
        return try write { (tx) throws(DomainError) in try Session.store.transition(session.id, step, expecting: .any, by: manager, in: tx) }
    }

    func patch<R: Record>(_ record: R, _ json: String) throws(DomainError) -> R {
        let patch = try Draft<R>(TestJSON.parse(json), for: .patch)
        let manager = manager
        return try write { (tx) throws(DomainError) in try R.store.update(record.id, with: patch, expecting: .any, by: manager, in: tx) }
    }

    func open(_ more: String = "", starts: String = "2026-03-12T14:00:00Z", capacity: Int = 5) throws(DomainError) -> Session {
        try session(#","status":"open""# + more, starts: starts, capacity: capacity)
    }

    @discardableResult
    func register(_ session: Session, _ name: String, size: Int = 1, _ more: String = "", by caller: Caller? = nil) throws(DomainError) -> Registration {
        let draft = try Draft<Registration>(
            TestJSON.parse(#"{"session_id":"\#(session.id)","contact_name":"\#(name)","phone":"+33299\#(Self.digits(name))","party_size":\#(size)\#(more)}"#), for: .create)
        let caller = caller ?? manager
        return try stored(write { (tx) throws(DomainError) in try Registration.store.create(draft, by: caller, in: tx).record })
    }

    /// A number of six digits that only this name has.
    private static func digits(_ name: String) -> String {
        numbers.withLock { numbers in
            let number = numbers[name] ?? 100_000 + numbers.count
            numbers[name] = number
            return String(number)
        }
    }
    private static let numbers = Mutex<[String: Int]>([:])

    @discardableResult
    func step(_ registration: Registration, _ json: String, by caller: Caller? = nil) throws(DomainError) -> Registration {
        let step = try Transition<Registration.Status>(TestJSON.parse(json), taking: Registration.transitionFields)
        let caller = caller ?? manager
        return try write { (tx) throws(DomainError) in try Registration.store.transition(registration.id, step, expecting: .any, by: caller, in: tx) }
    }

    /// Runs what has fallen due, as the timer does.
    func runDue() throws(DomainError) { try write { (tx) throws(DomainError) in _ = try Due.run(in: tx) } }

    // MARK: Several writes in one commit

    /// What the writer has open while `together` runs.
    private final class Batch: @unchecked Sendable {
        var connection: Connection?
    }

    /// Runs the fixture's writes in `body` as parts of one batch, each with what the ones before have left.
    func together(_ body: @escaping () throws -> Void) throws {
        nonisolated(unsafe) let body = body
        try test.federation.perform { [batch] (tx) throws(DomainError) -> Swift.Result<Void, any Error> in
            batch.connection = tx.connection
            defer { batch.connection = nil }
            return Swift.Result { try body() }
        }.get()
    }

    private func write<Result: Sendable>(_ body: @escaping @Sendable (Transaction) throws(DomainError) -> Result) throws(DomainError) -> Result {
        guard let connection = batch.connection else { return try test.federation.perform(body) }
        return try body(test.federation.transaction(on: connection))
    }

    func stored<R: Record>(_ record: R) throws(DomainError) -> R {
        guard let connection = batch.connection else { return try test.stored(record) }
        return try R.store.require(record.id, in: connection)
    }

    func findings() throws -> [FeedAudit.Finding] { try test.federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) } }
}
