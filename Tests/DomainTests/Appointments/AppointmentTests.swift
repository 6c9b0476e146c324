import Domain
import JSON
import Synchronization
import TestSupport
import Testing

@Suite("Appointment files")
struct AppointmentTests {
    let test: TestFederation
    let coop: Coop
    let other: Coop
    var manager: Caller { .manager(of: coop) }

    init() throws {
        test = try TestFederation()
        (coop, other) = (try test.addCoop("a"), try test.addCoop("b"))
    }

    private struct Missing: Error {}

    private func open(_ more: String = "", by caller: Caller? = nil) throws(DomainError) -> AppointmentFile {
        try test.create(AppointmentFile.self, #"{"opened_on":"2026-01-01"\#(more)}"#, by: caller ?? manager)
    }

    static let dates: [(name: String, fields: String, faults: [String])] = [
        ("none", "", []),
        ("all on one day", AppointmentFile.Step.allCases.map { #","\#($0.rawValue)_on":"2026-01-01""# }.joined(), []),
        ("in their order", #","role_defined_on":"2026-01-02","call_written_on":"2026-01-05""#, []),
        ("tomorrow, which has begun overseas", #","role_defined_on":"2026-03-03""#, []),
        ("the day after", #","role_defined_on":"2026-03-04""#, ["#/role_defined_on date.future"]),
        ("before the opening", #","role_defined_on":"2025-12-31""#, ["#/role_defined_on date.order"]),
        ("against their order", #","role_defined_on":"2026-01-05","call_written_on":"2026-01-02""#, ["#/call_written_on date.order"]),
        ("one left out", #","role_defined_on":"2026-01-05","call_published_on":"2026-01-06""#, ["#/call_published_on appointment.step-order"]),
        (
            "several faults at once", #","call_written_on":"2025-01-05","selected_on":"2027-01-05""#,
            ["#/call_written_on appointment.step-order", "#/call_written_on date.order", "#/selected_on date.future", "#/selected_on appointment.step-order"]
        ),
    ]

    @Test("steps are dated in their order, from the opening until today", arguments: dates)
    func order(name: String, fields: String, expected: [String]) throws { #expect(faults { _ = try open(fields) } == expected) }

    @Test("a date is corrected, taken back from the end, and opens today where nothing is said")
    func corrects() throws {
        let file = try open(#","role_defined_on":"2026-01-05","call_written_on":"2026-01-06""#)
        #expect(faults { try test.patch(file, #"{"role_defined_on":"2026-01-07"}"#, by: manager) } == ["#/call_written_on date.order"])
        #expect(faults { try test.patch(file, #"{"role_defined_on":null}"#, by: manager) } == ["#/call_written_on appointment.step-order"])
        #expect(faults { try test.patch(file, #"{"opened_on":"2026-01-06"}"#, by: manager) } == ["#/role_defined_on date.order"])
        let patched = try test.patch(file, #"{"role_defined_on":"2026-01-06","call_written_on":null}"#, by: manager)
        #expect(patched.steps.map { $0.doneOn?.text } == ["2026-01-06"] + Array(repeating: nil, count: 6))
        let second = try test.create(AppointmentFile.self, #"{"coop_id":"\#(other.id)"}"#, by: .admin)
        #expect(second.openedOn.text == "2026-03-02")
    }

    @Test("a co-op has one open file, also when many open one at once; after it is closed, another")
    func oneOpen() throws {
        let refusals = Mutex<[String]>([])
        try Concurrently.forEach(Array(0..<8)) { _ in
            let refused = refusal { _ = try open() }
            if let refused { refusals.withLock { $0.append(refused) } }
        }
        #expect(refusals.withLock { $0 } == Array(repeating: "appointment.open", count: 7))
        guard case .text(let id)? = try test.rows("SELECT id FROM appointment").first, let file = Identifier<AppointmentFile>(id) else { throw Missing() }
        let stored = try test.federation.read { (connection) throws(DomainError) in try AppointmentFile.store.require(file, in: connection) }
        try test.step(stored, #"{"to":"abandoned"}"#, by: manager)
        #expect(refusal { _ = try open() } == nil)
    }

    @Test("is appointed with a mandate of the same co-op that began since, and tells the days that it took")
    func appoints() throws {
        let file = try open()
        let early = try test.create(Referent.self, #"{"coop_id":"\#(coop.id)","given_name":"A","family_name":"B","started_on":"2025-12-31"}"#)
        let foreign = try test.addReferent(of: other)
        #expect(faults { try test.step(file, #"{"to":"appointed"}"#, by: manager) } == ["#/referent_id field.required"])
        #expect(faults { try test.step(file, #"{"to":"appointed","referent_id":"\#(foreign.id)"}"#, by: manager) } == ["#/referent_id reference.unknown"])
        #expect(faults { try test.step(file, #"{"to":"appointed","referent_id":"\#(file.id)"}"#, by: manager) } == ["#/referent_id reference.unknown"])
        #expect(faults { try test.step(file, #"{"to":"appointed","referent_id":"\#(early.id)"}"#, by: manager) } == ["#/referent_id appointment.mandate-before"])
        let mandate = try test.addReferent(of: coop)
        #expect(faults { try test.step(file, #"{"to":"abandoned","referent_id":"\#(mandate.id)"}"#, by: manager) } == ["#/referent_id field.unknown"])
        #expect(faults { try test.step(file, #"{"to":"appointed","referent_id":"\#(mandate.id)","closed_on":"2025-12-31"}"#, by: manager) } == ["#/closed_on date.order"])
        let closed = try test.step(file, #"{"to":"appointed","referent_id":"\#(mandate.id)"}"#, by: manager)
        #expect(closed.status == .appointed && closed.closedOn?.text == "2026-03-02" && closed.leadDays == 4)
        for to in ["open", "appointed", "abandoned"] { #expect(refusal { try test.step(file, #"{"to":"\#(to)"}"#, by: manager) } == "state.forbidden") }
        let second = try open()
        #expect(refusal { try test.step(second, #"{"to":"appointed","referent_id":"\#(mandate.id)"}"#, by: manager) } == "appointment.referent_id.taken")
    }

    @Test("the days follow corrections of either date, without making an edit of the file stale")
    func measures() throws {
        let mandate = try test.addReferent(of: coop)
        let closed = try test.step(open(), #"{"to":"appointed","referent_id":"\#(mandate.id)"}"#, by: manager)
        try test.patch(mandate, #"{"started_on":"2026-01-11"}"#, by: manager)
        #expect(try test.stored(closed).leadDays == 10)
        #expect(try test.stored(closed).meta.ownRev == closed.meta.ownRev)
        #expect(try test.patch(closed, #"{"opened_on":"2026-01-10"}"#, by: manager).leadDays == 1)
        #expect(faults { try test.patch(mandate, #"{"started_on":"2026-01-09"}"#, by: manager) } == ["#/started_on appointment.mandate-before"])
        #expect(faults { try test.patch(closed, #"{"opened_on":"2026-01-12"}"#, by: manager) } == ["#/opened_on appointment.mandate-before"])
        // Training comes after the appointment.
        let steps = AppointmentFile.Step.allCases.map { #""\#($0.rawValue)_on":"2026-03-02""# }.joined(separator: ",")
        #expect(faults { try test.patch(closed, "{\(steps)}", by: manager) } == [])
    }

    @Test("abandoned is final in every field, and on no day before its last step")
    func abandons() throws {
        let file = try open(#","role_defined_on":"2026-03-03""#)
        #expect(faults { try test.step(file, #"{"to":"abandoned","closed_on":"2026-03-02"}"#, by: manager) } == ["#/closed_on date.order"])
        #expect(try test.step(file, #"{"to":"abandoned"}"#, by: manager).closedOn?.text == "2026-03-03")
        for patch in [#"{"role_defined_on":null}"#, #"{"selected_note":"x"}"#] { #expect(refusal { try test.patch(file, patch, by: manager) } == "appointment.abandoned") }
    }

    @Test("only a file in which nothing is done can be deleted")
    func deletion() throws {
        let begun = try open(#","role_defined_on":"2026-01-05""#)
        #expect(refusal { try test.delete(begun, by: manager) } == "appointment.has-begun")
        try test.step(begun, #"{"to":"abandoned"}"#, by: manager)
        #expect(refusal { try test.delete(begun, by: manager) } == "appointment.has-begun")
        #expect(refusal { try test.delete(open(), by: manager) } == nil)
    }

    @Test("notes are the manager's: nobody else reads them, and the federation neither writes them nor learns them by guessing")
    func notes() throws {
        let file = try open(#","selected_note":"Ana hésite","role_defined_on":"2026-01-05""#)
        #expect(try test.document(of: file, for: manager)?["selected_note"]?.stringValue == "Ana hésite")
        for caller in [Caller.admin, .reader, .operatorItself] {
            let shown = try #require(try test.document(of: file, for: caller)?.members?.map(\.name))
            #expect(shown.contains("role_defined_on") && shown.contains("lead_days"))
            #expect(shown.allSatisfy { !$0.hasSuffix("_note") })
        }
        for caller in [Caller.device(of: coop), .helper(of: coop), .manager(of: other), .anonymous] { #expect(try test.document(of: file, for: caller) == nil) }
        for note in [#""Ana hésite""#, "null", #""autre""#] {
            #expect(refusal { try test.patch(file, #"{"selected_note":\#(note)}"#, by: .admin) } == "scope.missing")
            let again = #"{"id":"\#(file.id)","coop_id":"\#(coop.id)","opened_on":"2026-01-01","selected_note":\#(note)}"#
            #expect(refusal { try test.create(AppointmentFile.self, again, by: .admin) } == "id.taken")
        }
        #expect(refusal { try test.create(AppointmentFile.self, #"{"coop_id":"\#(other.id)","trained_note":"x"}"#, by: .admin) } == "scope.missing")
        let whole = try #require(try test.document(of: file, for: .admin)?.members)
        var json = JSONWriter()
        json.value(.object(whole))
        #expect(refusal { try test.patch(file, String(decoding: json.bytes, as: UTF8.self), by: .admin) } == nil)
        #expect(try test.stored(file).steps[3].note == "Ana hésite")
    }

    @Test("the history names notes to the manager alone")
    func history() throws {
        let file = try open()
        try test.patch(file, #"{"role_defined_on":"2026-01-05","role_defined_note":"x"}"#, by: manager)
        func fields(_ caller: Caller) throws -> [String]? { try test.federation.history(of: file.id, after: 0, limit: 10, for: caller).last?.fields }
        #expect(try fields(manager) == ["role_defined_on", "role_defined_note"])
        #expect(try fields(.admin) == ["role_defined_on"])
    }

    @Test("a former member opens none, and what was open is abandoned with the membership")
    func formerMember() throws {
        let file = try open(#","role_defined_on":"2026-01-05""#)
        try test.patch(coop, #"{"membership":"former_member"}"#, by: .admin)
        #expect(try test.stored(file).status == .abandoned)
        #expect(refusal { _ = try open() } == "coop.former-member")
    }
}
