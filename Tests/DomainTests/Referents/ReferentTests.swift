import Domain
import JSON
import Synchronization
import TestSupport
import Testing

@Suite struct ReferentTests {
    /// The steps of the state machine, from the page that describes the domain.
    private static let permitted: Set = [
        "designated active", "active suspended", "suspended active", "designated ended", "active ended", "suspended ended",
    ]

    static let pairs = Referent.Status.allCases.flatMap { from in Referent.Status.allCases.map { (from, $0) } }

    @Test("a mandate goes from state to state as the machine says, and no other way", arguments: pairs)
    func steps(from: Referent.Status, to: Referent.Status) throws {
        let test = try TestFederation()
        let referent = try referent(in: from, test)
        let head = test.head
        let refused = refusal { try test.step(referent, #"{"to":"\#(to.rawValue)"}"#) }
        if Self.permitted.contains("\(from.rawValue) \(to.rawValue)") {
            #expect(refused == nil)
            let now = try test.stored(referent)
            #expect(now.status == to)
            #expect((now.endedOn == nil) == (to != .ended))
            // The co-op tells how many are active.
            #expect(test.head == head + ((from == .active) == (to == .active) ? 1 : 2))
        } else {
            #expect(refused == "state.forbidden")
            #expect(test.head == head)
        }
    }

    private func referent(in status: Referent.Status, _ test: TestFederation) throws -> Referent {
        let referent = try test.addReferent(of: test.addCoop())
        let way: [String] = [.designated: [], .active: ["active"], .suspended: ["active", "suspended"], .ended: ["ended"]][status] ?? []
        return try way.reduce(referent) { referent, state in try test.step(referent, #"{"to":"\#(state)"}"#) }
    }

    @Test("the refusal of a step names the present state and the steps from it")
    func refusalOfStep() throws {
        let test = try TestFederation()
        do throws(DomainError) {
            try test.step(test.addReferent(of: test.addCoop()), #"{"to":"suspended"}"#)
            Issue.record("it passed")
        } catch {
            guard case .conflict(_, _, let members) = error else { throw error }
            #expect(members.map { "\($0.name) \($0.json)" } == [#"status_now "designated""#, #"permitted ["active","ended"]"#])
        }
    }

    @Test("a mandate ends on the given day, or today, or when it would have begun")
    func endsOn() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let given = try test.step(test.addReferent(of: coop), #"{"to":"ended","ended_on":"2026-02-28"}"#)
        #expect(given.endedOn?.text == "2026-02-28")
        #expect(try test.step(test.addReferent(of: coop), #"{"to":"ended"}"#).endedOn?.text == "2026-03-02")
        let future = try test.create(Referent.self, #"{"coop_id":"\#(coop.id)","given_name":"A","family_name":"B","started_on":"2026-06-01"}"#)
        #expect(try test.step(future, #"{"to":"ended"}"#).endedOn?.text == "2026-06-01")
        let tooEarly = try test.addReferent(of: coop)
        #expect(faults { try test.step(tooEarly, #"{"to":"ended","ended_on":"2026-01-04"}"#) } == ["#/ended_on date.order"])
    }

    static let badSteps: [(String, [String])] = [
        ("{}", ["#/to field.required"]), (#"{"to":"retired"}"#, ["#/to choice.unknown"]), (#"{"to":1,"x":2}"#, ["#/to field.type"]), ("[]", ["# field.type"]),
        (#"{"to":"active","ended_on":"2026-02-28","x":1}"#, ["#/ended_on field.unknown", "#/x field.unknown"]),
        (#"{"to":"ended","ended_on":"soon"}"#, ["#/ended_on date.format"]),
    ]

    @Test("a step that says too little or too much is refused", arguments: badSteps)
    func badStep(json: String, expected: [String]) throws {
        let test = try TestFederation()
        let referent = try test.addReferent(of: test.addCoop())
        #expect(faults { try test.step(referent, json) } == expected)
    }

    @Test("a co-op has one active primary referent, however a second would come about")
    func primary() throws {
        let test = try TestFederation()
        let (coop, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let first = try test.addReferent(of: coop, #","is_primary":true,"status":"active""#)
        #expect(refusal { try test.addReferent(of: coop, #","is_primary":true,"status":"active""#) } == "referent.primary-taken")
        let waiting = try test.addReferent(of: coop, #","is_primary":true"#)
        #expect(refusal { try test.step(waiting, #"{"to":"active"}"#) } == "referent.primary-taken")
        let second = try test.addReferent(of: coop, #","status":"active""#)
        #expect(refusal { try test.patch(second, #"{"is_primary":true}"#) } == "referent.primary-taken")
        #expect(refusal { try test.addReferent(of: other, #","is_primary":true,"status":"active""#) } == nil)
        try test.step(first, #"{"to":"ended"}"#)
        #expect(refusal { try test.step(waiting, #"{"to":"active"}"#) } == nil)
    }

    @Test("of many who become the active primary at once, one does", arguments: ["activated", "promoted", "created"])
    func onePrimaryOfMany(way: String) throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let more = way == "activated" ? #","is_primary":true"# : #","status":"active""#
        let referents = way == "created" ? [] : try (0..<8).map { _ in try test.addReferent(of: coop, more) }
        let refusals = Mutex<[String]>([])
        try Concurrently.forEach(Array(0..<8)) { index in
            let refused = refusal {
                switch way {
                case "activated": try test.step(referents[index], #"{"to":"active"}"#, by: .manager(of: coop))
                case "promoted": try test.patch(referents[index], #"{"is_primary":true}"#, by: .manager(of: coop))
                default: _ = try test.addReferent(of: coop, #","is_primary":true,"status":"active""#, by: .manager(of: coop))
                }
            }
            if let refused { refusals.withLock { $0.append(refused) } }
        }
        #expect(refusals.withLock { $0 } == Array(repeating: "referent.primary-taken", count: 7))
        #expect(try test.rows("SELECT count(*) FROM referent WHERE is_primary = 1 AND status = 'active'") == [.integer(1)])
    }

    static let afterTheEnd: [(String, String?)] = [
        (#"{"trained_on":"2026-02-01"}"#, nil), (#"{"family_name":"Le Goff-Petit"}"#, nil), (#"{"work_phone":null,"share_contact_network":false}"#, nil),
        (#"{"is_primary":false}"#, nil), (#"{"is_primary":true}"#, "referent.final"), (#"{"started_on":"2026-01-06"}"#, "referent.final"),
        (#"{"ended_on":"2026-02-27"}"#, "invalid"), (#"{"status":"active"}"#, "invalid"),
    ]

    @Test("an ended mandate keeps its dates and its rank; what it says of the person can be put right", arguments: afterTheEnd)
    func isFinal(patch: String, expected: String?) throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let ended = try test.step(test.addReferent(of: coop), #"{"to":"ended","ended_on":"2026-02-28"}"#)
        for caller in [Caller.manager(of: coop), .admin] { #expect(refusal { try test.patch(ended, patch, by: caller) } == expected) }
    }

    @Test("who changes what: the co-op's manager all, a device the contact of its own mandate")
    func rights() throws {
        let test = try TestFederation()
        let (coop, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let (own, colleague) = (try test.addReferent(of: coop), try test.addReferent(of: coop))
        let contact = #"{"work_phone":"02 99 00 00 00"}"#
        #expect(refusal { try test.patch(own, contact, by: .device(of: coop, referent: own)) } == nil)
        #expect(try test.stored(own).workPhone == "+33299000000")
        #expect(refusal { try test.patch(own, #"{"job_title":"x"}"#, by: .device(of: coop, referent: own)) } == "scope.missing")
        #expect(refusal { try test.patch(colleague, contact, by: .device(of: coop, referent: own)) } == "scope.not-yours")
        #expect(refusal { try test.patch(own, contact, by: .device(of: coop)) } == "scope.not-yours")
        #expect(refusal { try test.step(own, #"{"to":"active"}"#, by: .device(of: coop, referent: own)) } == "scope.missing")
        #expect(refusal { try test.patch(own, #"{"job_title":"x"}"#, by: .manager(of: coop)) } == nil)
        #expect(refusal { try test.patch(own, #"{"job_title":"x"}"#, by: .manager(of: other)) } == "scope.not-yours")
        #expect(refusal { try test.step(own, #"{"to":"active"}"#, by: .manager(of: other)) } == "scope.not-yours")
        #expect(refusal { try test.addReferent(of: coop, by: .manager(of: other)) } == "scope.not-yours")
        #expect(refusal { try test.addReferent(of: coop, by: .reader) } == "scope.missing")
    }

    @Test("only a mandate that has not begun can be deleted", arguments: Referent.Status.allCases)
    func deletion(status: Referent.Status) throws {
        let test = try TestFederation()
        let referent = try referent(in: status, test)
        #expect(refusal { try test.delete(referent) } == (status == .designated ? nil : "referent.has-served"))
    }

    @Test("a mandate begins designated or active, and is trained on no day to come")
    func begins() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        #expect(
            faults { try test.addReferent(of: coop, #","status":"ended","trained_on":"2026-03-04""#, by: .manager(of: coop)) }
                == ["#/status referent.status", "#/ended_on referent.ended", "#/trained_on date.future"])
        // It is tomorrow already somewhere in France.
        #expect(faults { try test.addReferent(of: coop, #","trained_on":"2026-03-03""#) } == [])
    }

    @Test("who reads what: the contact where it is shared, no name for dashboards")
    func readers() throws {
        let test = try TestFederation()
        let (coop, other) = (try test.addCoop("a"), try test.addCoop("b"))
        let referent = try test.addReferent(of: coop, #","work_email":"anne@a.coop","work_phone":"+33299000000","job_title":"Gestion""#)
        func fields(_ caller: Caller) throws -> [String] {
            let shown = try test.document(of: referent, for: caller)
            return ["family_name", "job_title", "work_email"].filter { shown?[$0] != nil } + (shown == nil ? ["nothing"] : [])
        }
        #expect(try fields(.manager(of: coop)) == ["family_name", "job_title", "work_email"])
        #expect(try fields(.device(of: coop)) == ["family_name", "job_title", "work_email"])
        #expect(try fields(.admin) == ["family_name", "job_title", "work_email"])
        #expect(try fields(.manager(of: other)) == ["family_name", "job_title"])
        #expect(try fields(.reader) == [])
        #expect(try fields(.anonymous) == ["nothing"])
        try test.patch(referent, #"{"share_contact_network":true}"#)
        #expect(try fields(.manager(of: other)) == ["family_name", "job_title", "work_email"])
        #expect(try fields(.reader) == [])
    }
}
