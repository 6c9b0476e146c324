@testable import Domain
import JSON
import Synchronization
import TestSupport

/// A member co-op with a site, a facilitator and a published module; a clock on the morning of 2 March 2026.
struct SessionFixture {
    let test: TestFederation
    let coop: Coop
    let site: Site
    let facilitator: Facilitator
    let module: Module
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
        return try test.federation.perform { (tx) throws(DomainError) in try Session.store.transition(session.id, step, expecting: .any, by: manager, in: tx) }
    }

    func open(_ more: String = "", capacity: Int = 5) throws(DomainError) -> Session { try session(#","status":"open""# + more, capacity: capacity) }

    @discardableResult
    func register(_ session: Session, _ name: String, size: Int = 1, _ more: String = "", by caller: Caller? = nil) throws(DomainError) -> Registration {
        let id = try test.create(
            Registration.self,
            #"{"session_id":"\#(session.id)","contact_name":"\#(name)","phone":"+33299\#(Self.digits(name))","party_size":\#(size)\#(more)}"#, by: caller ?? manager)
        return try test.stored(id)
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
        return try test.federation.perform { (tx) throws(DomainError) in
            try Registration.store.transition(registration.id, step, expecting: .any, by: caller, in: tx)
        }
    }

    /// Runs what has fallen due, as the timer does.
    func runDue() throws(DomainError) { try test.federation.perform { (tx) throws(DomainError) in try Due.run(in: tx) } }

    func findings() throws -> [FeedAudit.Finding] { try test.federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) } }
}
