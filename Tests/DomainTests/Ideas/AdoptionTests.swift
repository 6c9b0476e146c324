@testable import Domain
import TestSupport
import Testing

@Suite("Adopting an idea")
struct AdoptionTests {
    let test: TestFederation
    let coop: Coop
    let idea: Idea

    init() throws {
        let test = try TestFederation()
        self.test = test
        coop = try test.addCoop()
        let draft = try test.addIdea(
            on: test.addTheme(), #","steps":["Choisir","Inviter","Fêter"],"variants":[{"slug":"ete","title":"En été","steps":["Attendre juin"]},{"slug":"hiver","title":"En hiver"}]"#)
        idea = try ["submitted", "published"].reduce(draft) { try test.step($0, #"{"to":"\#($1)"}"#) }
    }

    private func adopt(_ more: String = "") throws -> Adoption {
        try test.create(Adoption.self, #"{"idea_id":"\#(idea.id)"\#(more)}"#, by: .manager(of: coop))
    }

    @discardableResult
    private func step(_ adoption: Adoption, _ json: String, by caller: Caller? = nil) throws -> Adoption {
        let step = try Transition<Adoption.Status>(TestJSON.parse(json), taking: Adoption.transitionFields)
        return try test.federation.perform { [coop] (tx) throws(DomainError) in
            try Adoption.store.transition(adoption.id, step, expecting: .any, by: caller ?? .manager(of: coop), in: tx)
        }
    }

    @Test("goes from considering to completed, with ticks, a score and a word of return; the idea counts it while it runs and afterwards")
    func lives() throws {
        let adoption = try adopt()
        #expect(adoption.steps == ["Choisir", "Inviter", "Fêter"])
        try step(adoption, #"{"to":"planned"}"#)
        #expect(try test.stored(idea).adoptionCount == 0)
        try step(adoption, #"{"to":"running","started_on":"2026-02-01"}"#)
        #expect(try test.stored(idea).adoptionCount == 1)
        #expect(try test.patch(adoption, #"{"steps_done":[2,0]}"#, by: .device(of: coop)).stepsDone == [0, 2])
        let done = try step(adoption, #"{"to":"completed","ended_on":"2026-02-28","retex_score":5,"retex_text":"À refaire"}"#)
        #expect(done.retexScore == 5)
        #expect(try test.patch(adoption, #"{"retex_score":4}"#, by: .manager(of: coop)).retexScore == 4)
        #expect(try test.stored(idea).adoptionCount == 1)
        #expect(refusal { try step(adoption, #"{"to":"running"}"#) } == "state.forbidden")
        #expect(try FeedAudit.findings(test).isEmpty)
    }

    @Test("keeps title and steps as they were, whatever becomes of the idea")
    func keepsSteps() throws {
        let adoption = try adopt(#","variant":"ete""#)
        _ = try test.patch(idea, #"{"steps":[],"variants":[]}"#)
        #expect(try test.patch(adoption, #"{"steps_done":[0]}"#, by: .manager(of: coop)).title == "En été")
        #expect(try adopt(#","variant":"ete""#, expecting: "#/variant adoption.variant-unknown"))
    }

    private func adopt(_ more: String, expecting fault: String) throws -> Bool { faults { _ = try adopt(more) } == [fault] }

    @Test("of a variant without steps of its own takes the idea's")
    func borrowsSteps() throws { #expect(try adopt(#","variant":"hiver""#).steps.count == 3) }

    @Test("is refused twice at once, with a step that is not there, with a score before the end, in the future or backwards")
    func refuses() throws {
        let adoption = try adopt()
        #expect(refusal { _ = try adopt() } == "adoption.open")
        _ = try adopt(#","variant":"hiver""#)
        #expect(faults { _ = try test.patch(adoption, #"{"steps_done":[3]}"#) } == ["#/steps_done adoption.step-unknown"])
        #expect(faults { _ = try test.patch(adoption, #"{"retex_score":3}"#) } == ["#/retex_score adoption.not-ended"])
        try step(adoption, #"{"to":"planned"}"#)
        #expect(faults { try step(adoption, #"{"to":"running","started_on":"2026-05-01"}"#) } == ["#/started_on date.future"])
        try step(adoption, #"{"to":"running","started_on":"2026-02-10"}"#)
        #expect(faults { try step(adoption, #"{"to":"abandoned","ended_on":"2026-02-01"}"#) } == ["#/ended_on date.order"])
        try step(adoption, #"{"to":"abandoned","retex_score":2}"#)
        let again = try step(adoption, #"{"to":"considering"}"#)
        #expect((again.startedOn, again.endedOn, again.retexScore) == (nil, nil, nil))
        #expect(refusal { try test.delete(step(again, #"{"to":"planned"}"#), by: .manager(of: coop)) } == "adoption.has-begun")
    }

    @Test("leaves the network's sight with the idea, and stays in the co-op's")
    func isShared() throws {
        let adoption = try adopt()
        let other = try test.addCoop("ailleurs")
        #expect(try test.document(of: adoption, for: .manager(of: other)) != nil)
        _ = try test.step(idea, #"{"to":"archived"}"#)
        #expect(try test.document(of: adoption, for: .manager(of: other)) == nil)
        #expect(try test.document(of: adoption, for: .manager(of: coop)) != nil)
        #expect(try test.document(of: adoption, for: .admin) != nil)
        _ = try test.step(idea, #"{"to":"published"}"#)
        #expect(try test.document(of: adoption, for: .manager(of: other)) != nil)
        #expect(try FeedAudit.findings(test).isEmpty)
    }

    @Test("of an idea that is not published, or is another's own, is refused like one of an absent idea")
    func needsAnIdea() throws {
        let other = try test.addCoop("ailleurs")
        let theme = try test.addTheme("habitat")
        let own = try test.step(test.addIdea(on: theme, #","scope":"coop","author_coop_id":"\#(other.id)""#), #"{"to":"published"}"#)
        let draft = try test.addIdea(on: theme, "", by: .manager(of: coop))
        for caller in [Caller.manager(of: coop), .admin] {
            #expect(faults { _ = try test.create(Adoption.self, #"{"idea_id":"\#(own.id)","coop_id":"\#(coop.id)"}"#, by: caller) } == ["#/idea_id reference.unknown"])
        }
        #expect(refusal { _ = try test.create(Adoption.self, #"{"idea_id":"\#(draft.id)"}"#, by: .manager(of: coop)) } == "idea.not-published")
        #expect(refusal { _ = try test.create(Adoption.self, #"{"idea_id":"\#(idea.id)","coop_id":"\#(other.id)"}"#, by: .manager(of: coop)) } == "scope.not-yours")
        #expect(faults { _ = try test.create(Adoption.self, #"{"idea_id":"\#(idea.id)"}"#, by: .admin) } == ["#/coop_id field.required"])
    }
}
