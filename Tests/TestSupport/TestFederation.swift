import Domain
import JSON
import SQLite
import Synchronization

/// A clock that stands still until a test moves it.
package final class TestClock: Sendable {
    private let time: Mutex<Timestamp>

    package init(_ text: String = "2026-03-02T09:00:00Z") {
        guard let start = Timestamp(text) else { preconditionFailure("\(text) is no time") }
        time = Mutex(start)
    }

    package var now: Timestamp { time.withLock { $0 } }
    package func advance(seconds: Int64) { time.withLock { $0 = $0.adding(seconds: seconds) } }
    package func advance(days: Int64) { advance(seconds: days * 86_400) }
}

/// A real federation in a folder of its own, with a clock that the test moves. Closed and removed with the object.
package final class TestFederation: Sendable {
    package let clock: TestClock
    package let federation: Federation
    private let directory: TestFolder

    package init(clock: TestClock = TestClock(), in directory: TestFolder = TestFolder(), configure: (inout Federation.Settings) -> Void = { _ in }) throws {
        var settings = Federation.Settings()
        settings.database.cacheKiB = 2048
        settings.database.readerCacheKiB = 1024
        settings.database.readers = 2
        settings.now = { clock.now }
        configure(&settings)
        self.clock = clock
        self.directory = directory
        federation = try Federation(directory: directory.path, settings: settings)
    }

    deinit { federation.close() }

    // MARK: Writing, from JSON as clients send it

    @discardableResult
    package func create<R: Record>(_ type: R.Type = R.self, _ json: String, by caller: Caller = .operatorItself) throws(DomainError) -> R {
        try creation(type, json, by: caller).record
    }

    package func creation<R: Record>(_ type: R.Type = R.self, _ json: String, by caller: Caller = .operatorItself) throws(DomainError) -> Store<R>.Created {
        let draft = try Draft<R>(TestJSON.parse(json), for: .create)
        return try federation.perform { (tx) throws(DomainError) in try R.store.create(draft, by: caller, in: tx) }
    }

    @discardableResult
    package func patch<R: Record>(
        _ record: R, _ json: String, expecting: Expectation = .any, by caller: Caller = .operatorItself
    ) throws(DomainError) -> R {
        let patch = try Draft<R>(TestJSON.parse(json), for: .patch)
        return try federation.perform { (tx) throws(DomainError) in try R.store.update(record.id, with: patch, expecting: expecting, by: caller, in: tx) }
    }

    package func delete<R: Record>(_ record: R, expecting: Expectation = .any, by caller: Caller = .operatorItself) throws(DomainError) {
        try federation.perform { (tx) throws(DomainError) in try R.store.delete(record.id, expecting: expecting, by: caller, in: tx) }
    }

    @discardableResult
    package func step(
        _ referent: Referent, _ json: String, expecting: Expectation = .any, by caller: Caller = .operatorItself
    ) throws(DomainError) -> Referent {
        let step = try Transition<Referent.Status>(TestJSON.parse(json), taking: Referent.transitionFields)
        return try federation.perform { (tx) throws(DomainError) in try Referent.store.transition(referent.id, step, expecting: expecting, by: caller, in: tx) }
    }

    @discardableResult
    package func step(_ idea: Idea, _ json: String, expecting: Expectation = .any, by caller: Caller = .operatorItself) throws(DomainError) -> Idea {
        let step = try Transition<Idea.Status>(TestJSON.parse(json))
        return try federation.perform { (tx) throws(DomainError) in try Idea.store.transition(idea.id, step, expecting: expecting, by: caller, in: tx) }
    }

    @discardableResult
    package func step(_ file: AppointmentFile, _ json: String, by caller: Caller = .operatorItself) throws(DomainError) -> AppointmentFile {
        let step = try Transition<AppointmentFile.Status>(TestJSON.parse(json), taking: AppointmentFile.transitionFields)
        return try federation.perform { (tx) throws(DomainError) in try AppointmentFile.store.transition(file.id, step, expecting: .any, by: caller, in: tx) }
    }

    @discardableResult
    package func merge(_ coop: Coop, into target: Coop, expecting: Expectation = .any, by caller: Caller = .admin) throws(DomainError) -> Coop {
        try federation.perform { (tx) throws(DomainError) in try Coop.store.merge(coop.id, into: target.id, expecting: expecting, by: caller, in: tx) }
    }

    // MARK: Reading

    package func stored<R: Record>(_ record: R) throws(DomainError) -> R {
        try federation.read { (connection) throws(DomainError) in try R.store.require(record.id, in: connection) }
    }

    /// What the caller sees of a record, as JSON; nil where it sees nothing.
    package func document<R: Record>(of record: R, for caller: Caller) throws(DomainError) -> JSON? {
        do throws(DomainError) {
            return TestJSON.parse(bytes: try federation.document(of: record.id, for: caller).bytes)
        } catch {
            guard case .notFound = error else { throw error }
            return nil
        }
    }

    /// The rows of one column of a query.
    package func rows(_ sql: String, _ values: [Value] = []) throws(DomainError) -> [Value] {
        try federation.read { (connection) throws(DomainError) in try storing { () throws(DatabaseError) in try connection.all(sql, values) { $0.value(0) } } }
    }

    package var head: Int64 { federation.heads.head }

    // MARK: Records to begin with

    @discardableResult
    package func addCoop(_ slug: String = "les-tilleuls", membership: String = "member", _ more: String = "") throws(DomainError) -> Coop {
        try create(Coop.self, #"{"slug":"\#(slug)","name":"Coop \#(slug)","department_code":"35","membership":"\#(membership)"\#(more)}"#)
    }

    @discardableResult
    package func addReferent(of coop: Coop, _ more: String = "", by caller: Caller = .operatorItself) throws(DomainError) -> Referent {
        try create(
            Referent.self, #"{"coop_id":"\#(coop.id)","given_name":"Anne","family_name":"Le Goff","started_on":"2026-01-05"\#(more)}"#, by: caller)
    }

    @discardableResult
    package func addTheme(_ slug: String = "voisinage") throws(DomainError) -> Theme {
        try create(Theme.self, #"{"slug":"\#(slug)","title":"Vivre ensemble","order":1}"#)
    }

    @discardableResult
    package func addIdea(on theme: Theme, _ more: String = "", by caller: Caller = .operatorItself) throws(DomainError) -> Idea {
        try create(Idea.self, #"{"title":"Repas de quartier","theme_id":"\#(theme.id)"\#(more)}"#, by: caller)
    }
}

extension Caller {
    private static let device = Identifier<Token>(high: 0x0197_0000_0000_7000, low: 0x8000_0000_0000_0001)

    /// Callers with a token, which differ in their rights only.
    package static let admin = Caller(token: device, role: .federationAdmin, coop: nil)
    package static let reader = Caller(token: device, role: .federationReader, coop: nil)
    package static func manager(of coop: Coop) -> Caller { Caller(token: device, role: .coopManager, coop: coop.id) }
    package static func device(of coop: Coop, referent: Referent? = nil) -> Caller {
        Caller(token: device, role: .referent, coop: coop.id, referent: referent?.id)
    }
    package static func helper(of coop: Coop) -> Caller { Caller(token: device, role: .referent, coop: coop.id, isHelper: true) }
}

/// JSON that a test wrote itself, and that is right.
package enum TestJSON {
    package static func parse(_ text: String) -> JSON { parse(bytes: Array(text.utf8)) }

    package static func parse(bytes: [UInt8]) -> JSON {
        do {
            return try JSON.parse(bytes)
        } catch { preconditionFailure("\(error) in \(String(decoding: bytes, as: UTF8.self))") }
    }
}
