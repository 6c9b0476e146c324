import SQLite
import Text

/// A co-op's support for an idea: one a co-op and idea, withdrawn and given again as it likes.
package struct Endorsement: IdeaBond {
    package enum Status: String, Sendable, CaseIterable {
        case given
        /// A merge has brought it to an idea that the co-op endorses anyway: it counts again after an unmerge.
        case covered
        case withdrawn
    }

    package static let type = RecordType.endorsement
    package static let store = Store<Endorsement>()

    package var meta = Meta()
    package var ideaID = Identifier<Idea>(high: 0, low: 0)
    package var originIdeaID = Identifier<Idea>(high: 0, low: 0)
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    /// The mandate that gave it, where it is known.
    package var byReferentID: Identifier<Referent>?
    package var status = Status.given
    package var withdrawnAt: Timestamp?
    var isShared = false

    package init() {}

    package static let fields: [Field<Endorsement>] = [
        Field("idea_id", \.ideaID, .reference(), .creation, required: true),
        Field("origin_idea_id", \.originIdeaID, .reference(), .server),
        Field("coop_id", \.coopID, .reference(), .creation),
        Field("by_referent_id", \.byReferentID, .optional(.reference()), .creation),
        Field("status", \.status, .choice, .server),
        Field("withdrawn_at", \.withdrawnAt, .optional(.time), .server),
        Field("is_shared", \.isShared, .flag, .hidden),
    ]

    package static func roles(for action: Action) -> Set<Role> {
        switch action {
        case .create, .transition: [.federationAdmin, .coopManager, .referent]
        case .change, .delete, .merge: []
        }
    }

    package mutating func prepare(_ change: Change<Endorsement>, in tx: Transaction) throws(DomainError) {
        guard change.action == .create else { return }
        let idea = try begin(change, in: tx)
        if byReferentID == nil { byReferentID = change.caller.referent }
        if let byReferentID {
            let mandate = try Referent.store.find(byReferentID, in: tx.connection)
            var faults = Faults()
            if mandate?.coopID != coopID { faults.addUnknownReference("#/by_referent_id", .referent) }
            try faults.throwIfAny()
        }
        try checkOnlyGiven(of: idea.id, in: tx)
    }

    fileprivate func checkOnlyGiven(of idea: Identifier<Idea>, in tx: Transaction) throws(DomainError) {
        let other = try storing { () throws(DatabaseError) in
            try tx.connection.first("SELECT id FROM endorsement WHERE idea_id = ? AND coop_id = ? AND status = 'given'", [idea.value, coopID.value]) { $0.text(0) }
        }
        guard let other else { return }
        throw .conflict(
            code: "endorsement.given",
            Bilingual(en: "The co-op endorses this idea already.", fr: "La coopérative soutient déjà cette idée."),
            members: [("endorsement_id", "\"\(other)\"")])
    }

    package func stored(_ change: Change<Endorsement>, in tx: Transaction) throws(DomainError) {
        if change.old?.status != status { try Idea.summarize(ideaID, after: Endorsement.self, in: tx) }
    }
}

extension Endorsement {
    package static let machine = Machine<Status>([(.given, .withdrawn), (.withdrawn, .given)])
}

extension Store where R == Endorsement {
    /// - Throws: `.conflict` (`state.forbidden`, `endorsement.given`, `idea.not-published`) and what `update` throws.
    package func transition(
        _ id: Identifier<Endorsement>, _ step: Transition<Endorsement.Status>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Endorsement {
        let changed = try modify(id, .transition, given: [], expecting: expected, by: caller, in: tx) { (endorsement, _) throws(DomainError) in
            try Endorsement.machine.check(from: endorsement.status, to: step.to)
            endorsement.status = step.to
            endorsement.withdrawnAt = step.to == .withdrawn ? tx.now : nil
            guard step.to == .given else { return }
            try Coop.checkOpenToNewRecords(endorsement.coopID, at: "#/coop_id", in: tx)
            let idea = try Idea.store.require(endorsement.ideaID, in: tx.connection)
            try idea.checkPublished()
            try endorsement.checkOnlyGiven(of: idea.id, in: tx)
        }
        // Who withdraws from the canonical idea withdraws what a merge had brought along, too.
        guard step.to == .withdrawn else { return changed }
        for covered in try all(where: "idea_id = ? AND coop_id = ? AND status = 'covered'", [changed.ideaID.value, changed.coopID.value], in: tx.connection) {
            try amend(covered, .transition, by: caller, in: tx) {
                $0.status = .withdrawn
                $0.withdrawnAt = tx.now
            }
        }
        return changed
    }
}
