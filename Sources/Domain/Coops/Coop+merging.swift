import SQLite
import Text

extension Store where R == Coop {
    /// Merges a co-op into another, for good: what lives there goes over, the rest stays as its history, and nothing is written
    /// there any more. Its document stays, with `successor_id`.
    ///
    /// - Throws: `.conflict` (`coop.merged`, `coop.live-records`), `.invalid` (`coop.merge-target`), and what `update` throws.
    package func merge(
        _ id: Identifier<Coop>, into target: Identifier<Coop>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Coop {
        let merged = try modify(id, .merge, given: [], expecting: expected, by: caller, in: tx) { (coop, _) throws(DomainError) in
            try coop.checkTarget(target, in: tx)
            coop.successorID = target
            coop.membership = .formerMember
        }
        let merger = CoopMerger(former: merged, successor: try require(target, in: tx.connection), caller: caller, tx: tx)
        for bond in Coop.bonds { if case .moves(let move) = bond.fate { try move(merger) } }
        return try require(id, in: tx.connection)
    }
}

extension Coop {
    /// The target has to be another member that was not merged itself, so that no chain of successors leads back.
    fileprivate func checkTarget(_ target: Identifier<Coop>, in tx: Transaction) throws(DomainError) {
        var faults = Faults()
        guard let other = try Coop.store.find(target, in: tx.connection) else {
            faults.addUnknownReference("#/into", .coop)
            throw .invalid(faults.all)
        }
        if other.id == id {
            faults.add("#/into", "coop.merge-target", en: "is the co-op itself; name another", fr: "est la coopérative elle-même ; désignez-en une autre")
        } else if let successor = other.successorID {
            faults.add("#/into", "coop.merge-target", en: "was merged itself; name \(successor)", fr: "a elle-même fusionné ; désignez \(successor)")
        } else if other.membership != .member {
            faults.add(
                "#/into", "coop.merge-target", en: "is no member (membership: \(other.membership.rawValue)); make it one first",
                fr: "n'est pas adhérente (membership : \(other.membership.rawValue)) ; faites-la adhérer d'abord")
        }
        try faults.throwIfAny()
    }
}

/// Leads what lives at a merged co-op over to its successor.
struct CoopMerger {
    let former: Coop
    let successor: Coop
    let caller: Caller
    let tx: Transaction

    private func each<R: Record>(
        _ type: R.Type, where condition: String, by column: String = "coop_id", _ body: (R) throws(DomainError) -> Void
    ) throws(DomainError) {
        for record in try R.store.all(where: "\(column) = ? AND (\(condition))", [former.id.value], in: tx.connection) { try body(record) }
    }

    /// Those that were merged into this one lead to where it leads.
    func moveFormerMergers() throws(DomainError) {
        try each(Coop.self, where: "1", by: "successor_id") { (old) throws(DomainError) in
            var coop = old
            coop.successorID = successor.id
            try Coop.store.republish(old, as: coop, in: tx)
        }
    }

    /// A name that the successor has already gets the former co-op's city, or a number.
    func moveSites() throws(DomainError) {
        var names = Set(try Site.store.all(where: "coop_id = ?", [successor.id.value], in: tx.connection).map(\.name))
        try each(Site.self, where: "1") { (site) throws(DomainError) in
            let candidates = [site.name] + (former.city.map { ["\(site.name) (\($0))"] } ?? []) + (2...names.count + 2).map { "\(site.name) \($0)" }
            // A name at its full length gives way at its end.
            let fitting = candidates.map { String(String.UnicodeScalarView($0.unicodeScalars.suffix(200))) }
            guard let name = fitting.first(where: { !names.contains($0) }) else { preconditionFailure("more names than sites") }
            names.insert(name)
            try Site.store.amend(site, .merge, by: caller, in: tx) { site in
                (site.coopID, site.name, site.isPublic) = (successor.id, name, successor.membership == .member)
            }
        }
    }

    /// A co-op has one active primary referent: the successor's own, where it has one.
    func moveMandates() throws(DomainError) {
        let hasPrimary = try !Referent.store.all(where: "coop_id = ? AND is_primary = 1 AND status = 'active'", [successor.id.value], in: tx.connection).isEmpty
        try each(Referent.self, where: "status <> 'ended'") { (mandate) throws(DomainError) in
            try Referent.store.amend(mandate, .merge, by: caller, in: tx) { mandate in
                mandate.coopID = successor.id
                if hasPrimary { mandate.isPrimary = false }
            }
        }
        try Coop.noteReferents(of: former.id, .left(on: tx.now.day), by: caller, in: tx)
        try Coop.noteReferents(of: successor.id, .came(on: tx.now.day), by: caller, in: tx)
    }

    /// A device that stands for a mandate goes with it. No other token does: who may act for the successor is for the successor
    /// and the federation to say. They are not revoked either, since that wipes devices: they read what stays.
    func moveDevices() throws(DomainError) {
        let moved = try storing { () throws(DatabaseError) in try TokenTable.followReferents(from: former.id, in: tx.connection) }
        tx.afterCommit { [tokens = tx.tokens] in for token in moved { tokens.keep(token) } }
    }

    func moveFacilitators() throws(DomainError) {
        try each(Facilitator.self, where: "1") { (facilitator) throws(DomainError) in
            try Facilitator.store.amend(facilitator, .merge, by: caller, in: tx) { $0.coopID = successor.id }
        }
    }

    /// What the network has keeps its author; what is still the co-op's own business goes over.
    func moveIdeas() throws(DomainError) {
        try each(Idea.self, where: "scope = 'coop' OR status IN ('draft', 'submitted', 'declined')", by: "author_coop_id") { (idea) throws(DomainError) in
            try Idea.store.amend(idea, .merge, by: caller, in: tx) { $0.authorCoopID = successor.id }
        }
    }

    /// Where the successor endorses the same idea, one of the two counts, as after a merge of ideas.
    func moveEndorsements() throws(DomainError) {
        var ideas: [Identifier<Idea>] = []
        try each(Endorsement.self, where: "status <> 'withdrawn'") { (endorsement) throws(DomainError) in
            if !ideas.contains(endorsement.ideaID) { ideas.append(endorsement.ideaID) }
            try Endorsement.store.amend(endorsement, .merge, by: caller, in: tx) { endorsement in
                (endorsement.coopID, endorsement.status) = (successor.id, .covered)
            }
        }
        try Idea.settleBonds(of: ideas, in: tx)
        for idea in ideas { try Idea.summarize(idea, in: tx) }
    }

    /// What the successor has taken up as well is ended; what is over stays with who did it.
    func moveAdoptions() throws(DomainError) {
        try each(Adoption.self, where: "status IN ('considering', 'planned', 'running')") { (adoption) throws(DomainError) in
            let same = "coop_id = ? AND origin_idea_id = ? AND coalesce(variant, '') = ? AND status IN ('considering', 'planned', 'running')"
            let values: [Value] = [successor.id.value, adoption.originIdeaID.value, .text(adoption.variant ?? "")]
            let isDouble = try !Adoption.store.all(where: same, values, in: tx.connection).isEmpty
            try Adoption.store.amend(adoption, isDouble ? .transition : .merge, by: caller, in: tx) { adoption in
                if isDouble {
                    (adoption.status, adoption.endedOn) = (.abandoned, max(tx.now.day, adoption.startedOn ?? tx.now.day))
                } else {
                    adoption.coopID = successor.id
                }
            }
            try Idea.summarize(adoption.ideaID, in: tx)
        }
    }
}
