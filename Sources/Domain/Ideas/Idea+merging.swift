import SQLite
import Text

/// Merging ideas that are the same, and taking it back.
extension Store where R == Idea {
    /// Merges an idea into another: its id leads there, its endorsements and adoptions count there. Ideas merged into it before
    /// go along, and remember through which one.
    ///
    /// - Throws: `.conflict` (`state.forbidden`), `.invalid` (`idea.merge-target`), and what `update` throws.
    package func merge(
        _ id: Identifier<Idea>, into target: Identifier<Idea>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Idea {
        let merged = try modify(id, .merge, given: [], expecting: expected, by: caller, in: tx) { (idea, _) throws(DomainError) in
            guard idea.status == .published else {
                throw .conflict(
                    code: "state.forbidden",
                    Bilingual(
                        en: "It is \(idea.status.rawValue) now; only a published idea can be merged.",
                        fr: "L'état actuel est \(idea.status.rawValue) ; seule une idée publiée peut être fusionnée."),
                    members: [("status_now", "\"\(idea.status.rawValue)\""), ("permitted", "[]")])
            }
            try idea.checkTarget(target, for: caller, in: tx)
            idea.status = .merged
            (idea.mergedIntoID, idea.mergedViaID) = (target, target)
        }
        for follower in try all(where: "merged_into_id = ?", [id.value], in: tx.connection) {
            var moved = follower
            moved.mergedIntoID = target
            try republish(follower, as: moved, in: tx)
        }
        return try settle(merged.id, target, in: tx)
    }

    /// Gives a merged idea back its place, and what had come from it and was not withdrawn since.
    ///
    /// - Throws: `.conflict` (`state.forbidden`) for an idea that is not merged, and what `update` throws.
    package func unmerge(_ id: Identifier<Idea>, expecting expected: Expectation, by caller: Caller, in tx: Transaction) throws(DomainError) -> Idea {
        let former = try require(id, in: tx.connection).mergedIntoID
        let restored = try modify(id, .merge, given: [], expecting: expected, by: caller, evenIfReplaced: true, in: tx) { (idea, _) throws(DomainError) in
            guard idea.status == .merged else { try Idea.machine.refuse(from: idea.status) }
            idea.status = .published
            (idea.mergedIntoID, idea.mergedViaID) = (nil, nil)
        }
        guard let former else { return restored }
        for follower in try all(where: "merged_into_id = ?", [former.value], in: tx.connection) where try leads(follower, through: id, in: tx) {
            var moved = follower
            moved.mergedIntoID = id
            try republish(follower, as: moved, in: tx)
        }
        return try settle(id, former, in: tx)
    }

    private func leads(_ follower: Idea, through id: Identifier<Idea>, in tx: Transaction) throws(DomainError) -> Bool {
        var via = follower.mergedViaID
        while let next = via {
            if next == id { return true }
            via = try require(next, in: tx.connection).mergedViaID
        }
        return false
    }

    private func settle(_ id: Identifier<Idea>, _ other: Identifier<Idea>, in tx: Transaction) throws(DomainError) -> Idea {
        try Idea.settleBonds(of: [id, other], in: tx)
        try Idea.summarize(id, in: tx)
        try Idea.summarize(other, in: tx)
        return try require(id, in: tx.connection)
    }
}

extension Idea {
    /// The target has to be another published idea of the same scope, that was not merged itself (invariant 12).
    fileprivate func checkTarget(_ target: Identifier<Idea>, for caller: Caller, in tx: Transaction) throws(DomainError) {
        var faults = Faults()
        guard let other = try Idea.store.find(target, in: tx.connection), other.isVisible(to: caller) else {
            faults.addUnknownReference("#/into", .idea)
            throw .invalid(faults.all)
        }
        if other.id == id {
            faults.add("#/into", "idea.merge-target", en: "is the idea itself; name another", fr: "est l'idée elle-même ; désignez-en une autre")
        } else if let canonical = other.replacement {
            faults.add("#/into", "idea.merge-target", en: "was merged itself; name \(canonical)", fr: "a elle-même été fusionnée ; désignez \(canonical)")
        } else if other.status != .published {
            faults.add("#/into", "idea.merge-target", en: "is \(other.status.rawValue); publish it first", fr: "est à l'état \(other.status.rawValue) ; publiez-la d'abord")
        } else if other.scope != scope || (scope == .coop && other.authorCoopID != authorCoopID) {
            faults.add(
                "#/into", "idea.merge-target", en: "must have the same scope, and be of the same co-op where that is coop",
                fr: "doit avoir la même portée (scope), et venir de la même coopérative si celle-ci est coop")
        }
        try faults.throwIfAny()
    }
}
