import SQLite
import Text

/// A co-op that takes up an idea or one of its variants: steps ticked off, and in the end a score and a word of return of
/// experience (RETEX), which the others read.
package struct Adoption: IdeaBond {
    package enum Status: String, Sendable, CaseIterable { case considering, planned, running, completed, abandoned }

    package static let type = RecordType.adoption
    package static let store = Store<Adoption>()

    package var meta = Meta()
    package var ideaID = Identifier<Idea>(high: 0, low: 0)
    package var originIdeaID = Identifier<Idea>(high: 0, low: 0)
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    /// The slug of one of the idea's variants; nil: the idea itself.
    package var variant: String?
    /// Title and steps as they were at the beginning, so that ticks keep their meaning when the idea is edited.
    package var title = ""
    package var steps: [String] = []
    /// Positions in `steps`, from 0.
    package var stepsDone: [Int] = []
    package var status = Status.considering
    package var startedOn: Day?
    package var endedOn: Day?
    package var retexText: String?
    /// 1 (not again) to 5 (do it too).
    package var retexScore: Int?
    var isShared = false

    package init() {}

    package static let fields: [Field<Adoption>] = [
        Field("idea_id", \.ideaID, .reference(), .creation, required: true),
        Field("origin_idea_id", \.originIdeaID, .reference(), .server),
        Field("coop_id", \.coopID, .reference(), .creation),
        Field("variant", \.variant, .optional(.slug), .creation),
        Field("title", \.title, .line(1...200), .server),
        Field("steps", \.steps, .list(of: .paragraph(1...1000), upTo: 50), .server),
        Field("steps_done", \.stepsDone, .list(of: .integer(0...49), upTo: 50, unique: true)),
        Field("status", \.status, .choice, .server),
        Field("started_on", \.startedOn, .optional(.day), .server),
        Field("ended_on", \.endedOn, .optional(.day), .server),
        Field("retex_text", \.retexText, .optional(.paragraph(1...4000))),
        Field("retex_score", \.retexScore, .optional(.integer(1...5))),
        Field("is_shared", \.isShared, .flag, .hidden),
    ]

    package static func roles(for action: Action) -> Set<Role> {
        switch action {
        case .create, .transition, .delete: [.federationAdmin, .coopManager]
        case .change: [.federationAdmin, .coopManager, .referent]
        case .merge: []
        }
    }

    package static func fields(for role: Role) -> Set<String>? { role == .referent ? ["steps_done"] : nil }

    package mutating func prepare(_ change: Change<Adoption>, in tx: Transaction) throws(DomainError) {
        if change.action == .create {
            let idea = try begin(change, in: tx)
            try take(idea)
            try checkOnlyOpen(in: tx)
        }
        stepsDone.sort()
        var faults = Faults()
        if let last = stepsDone.last, last >= steps.count {
            faults.add(
                "#/steps_done", "adoption.step-unknown", en: "positions go from 0 to \(steps.count - 1), as in `steps`",
                fr: "les positions vont de 0 à \(steps.count - 1), comme dans `steps`")
        }
        if retexScore != nil || retexText != nil, endedOn == nil {
            faults.add(
                retexScore != nil ? "#/retex_score" : "#/retex_text", "adoption.not-ended", en: "comes at the end: with the transition to completed or abandoned",
                fr: "vient à la fin : avec la transition vers completed ou abandoned")
        }
        if let startedOn, let endedOn, endedOn < startedOn {
            faults.add("#/ended_on", "date.order", en: "must not lie before started_on", fr: "ne doit pas précéder started_on")
        }
        let tomorrow = tx.now.adding(seconds: 86_400).day
        for (name, day) in [("started_on", startedOn), ("ended_on", endedOn)] {
            if let day, day > tomorrow { faults.add("#/\(name)", "date.future", en: "must not lie in the future", fr: "ne doit pas être dans le futur") }
        }
        try faults.throwIfAny()
    }

    private mutating func take(_ idea: Idea) throws(DomainError) {
        guard let variant else {
            (title, steps) = (idea.title, idea.steps)
            return
        }
        guard let chosen = idea.variants.first(where: { $0.slug == variant }) else {
            let slugs = idea.variants.map(\.slug).joined(separator: ", ")
            throw .invalid([
                Fault(
                    "#/variant", "adoption.variant-unknown", en: "is no variant of this idea; it has: \(slugs.isEmpty ? "none, leave it out" : slugs)",
                    fr: "n'est pas une variante de cette idée ; elle a : \(slugs.isEmpty ? "aucune, ne le fournissez pas" : slugs)")
            ])
        }
        (title, steps) = (chosen.title, chosen.steps.isEmpty ? idea.steps : chosen.steps)
    }

    fileprivate func checkOnlyOpen(in tx: Transaction) throws(DomainError) {
        let other = try storing { () throws(DatabaseError) in
            try tx.connection.first(
                """
                SELECT id FROM adoption WHERE origin_idea_id = ? AND coop_id = ? AND coalesce(variant, '') = ? AND id <> ?
                AND status IN ('considering', 'planned', 'running')
                """, [originIdeaID.value, coopID.value, .text(variant ?? ""), id.value]
            ) { $0.text(0) }
        }
        guard let other else { return }
        throw .conflict(
            code: "adoption.open",
            Bilingual(
                en: "The co-op has taken this up already; go on with that adoption, or end it first.",
                fr: "La coopérative l'a déjà adoptée ; poursuivez cette adoption ou terminez-la d'abord."),
            members: [("adoption_id", "\"\(other)\"")])
    }

    package func stored(_ change: Change<Adoption>, in tx: Transaction) throws(DomainError) {
        if change.old?.status != status { try Idea.summarize(ideaID, after: Adoption.self, in: tx) }
    }

    package func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError) {
        guard status != .considering else { return }
        throw .conflict(
            code: "adoption.has-begun",
            Bilingual(
                en: "An adoption that has gone further than considering is kept; end it with a transition to abandoned.",
                fr: "Une adoption qui a dépassé l'état considering est conservée ; terminez-la par une transition vers abandoned."),
            members: [("status_now", "\"\(status.rawValue)\"")])
    }
}

extension Adoption {
    package static let machine = Machine<Status>([
        (.considering, .planned), (.planned, .running), (.running, .completed),
        (.considering, .abandoned), (.planned, .abandoned), (.running, .abandoned), (.abandoned, .considering),
    ])

    package static let transitionFields: [Status: Set<String>] = [
        .running: ["started_on"], .completed: ["ended_on", "retex_text", "retex_score"], .abandoned: ["ended_on", "retex_text", "retex_score"],
    ]
}

extension Store where R == Adoption {
    /// - Throws: `.conflict` (`state.forbidden`, `adoption.open`) and what `update` throws.
    package func transition(
        _ id: Identifier<Adoption>, _ step: Transition<Adoption.Status>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Adoption {
        let startedOn = try step.value("started_on", .day)
        let endedOn = try step.value("ended_on", .day)
        let text = try step.value("retex_text", .optional(.paragraph(1...4000))) ?? nil
        let score = try step.value("retex_score", .optional(.integer(1...5))) ?? nil
        return try modify(id, .transition, given: [], expecting: expected, by: caller, in: tx) { (adoption, _) throws(DomainError) in
            try Adoption.machine.check(from: adoption.status, to: step.to)
            adoption.status = step.to
            switch step.to {
            case .planned: break
            case .running: adoption.startedOn = startedOn ?? tx.now.day
            case .completed, .abandoned:
                adoption.endedOn = endedOn ?? max(tx.now.day, adoption.startedOn ?? tx.now.day)
                adoption.retexText = text
                adoption.retexScore = score
            case .considering:
                try Coop.checkOpenToNewRecords(adoption.coopID, at: "#/coop_id", in: tx)
                // Taken up once more: what was said at the end no longer holds.
                (adoption.startedOn, adoption.endedOn, adoption.retexText, adoption.retexScore) = (nil, nil, nil, nil)
                try adoption.checkOnlyOpen(in: tx)
            }
        }
    }
}
