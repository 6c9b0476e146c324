import SQLite

/// What hangs on ideas, brought in line with them after a merge, an unmerge, or when the network begins or ceases to see one.
extension Idea {
    /// Counts again what the idea's document tells of its endorsements, adoptions and the ideas merged into it.
    ///
    /// - Parameter bond: which of these changed, where only one did.
    static func summarize(_ id: Identifier<Idea>, after bond: (any IdeaBond.Type)? = nil, in tx: Transaction) throws(DomainError) {
        let old = try store.require(id, in: tx.connection)
        var idea = old
        if bond == nil { try idea.gatherMerged(in: tx) }
        try storing { () throws(DatabaseError) in
            if bond != Adoption.self {
                idea.endorsementCount = try count("SELECT count(*) FROM endorsement WHERE idea_id = ? AND status = 'given'", id, in: tx)
            }
            if bond != Endorsement.self {
                idea.adoptionCount = try count("SELECT count(DISTINCT coop_id) FROM adoption WHERE idea_id = ? AND status IN ('running', 'completed')", id, in: tx)
            }
        }
        if !idea.hasFields(of: old) { try store.republish(old, as: idea, in: tx) }
    }

    private mutating func gatherMerged(in tx: Transaction) throws(DomainError) {
        let merged = try Idea.store.all(where: "merged_into_id = ?", [id.value], in: tx.connection)
        mergedIdeaIDs = merged.map(\.id)
        mergedTitles = merged.flatMap { [$0.title] + $0.aliases }.reduce(into: []) { titles, other in
            if !titles.contains(other), other != title, !aliases.contains(other) { titles.append(other) }
        }
    }

    private static func count(_ sql: String, _ id: Identifier<Idea>, in tx: Transaction) throws(DatabaseError) -> Int {
        try tx.connection.first(sql, [id.value]) { Int(truncatingIfNeeded: $0.integer(0)) } ?? 0
    }

    /// Leads the endorsements and adoptions of these ideas to the canonical idea of each, and shows them to whom it is shown.
    static func settleBonds(of ideas: [Identifier<Idea>], in tx: Transaction) throws(DomainError) {
        var canonical: [Identifier<Idea>: Idea] = [:]
        func root(_ id: Identifier<Idea>) throws(DomainError) -> Idea {
            if let known = canonical[id] { return known }
            var idea = try store.require(id, in: tx.connection)
            while let next = idea.mergedViaID { idea = try store.require(next, in: tx.connection) }
            canonical[id] = idea
            return idea
        }
        for adoption in try bonds(Adoption.self, of: ideas, in: tx) {
            var settled = adoption
            try settled.follow(root(adoption.originIdeaID))
            if !settled.hasFields(of: adoption) { try Adoption.store.republish(adoption, as: settled, in: tx) }
        }
        var pairs: [(old: Endorsement, new: Endorsement)] = []
        for endorsement in try bonds(Endorsement.self, of: ideas, in: tx) {
            var settled = endorsement
            try settled.follow(root(endorsement.originIdeaID))
            pairs.append((endorsement, settled))
        }
        cover(&pairs)
        // The one that counts comes last, since the schema knows only one.
        let order = { (pair: (old: Endorsement, new: Endorsement)) in pair.new.status != .given ? 0 : pair.old.status == .given ? 1 : 2 }
        for (old, new) in pairs.sorted(by: { order($0) < order($1) }) where !new.hasFields(of: old) {
            try Endorsement.store.republish(old, as: new, in: tx)
        }
    }

    private static func bonds<Bond: IdeaBond>(_ type: Bond.Type, of ideas: [Identifier<Idea>], in tx: Transaction) throws(DomainError) -> [Bond] {
        var bonds: [Bond] = []
        for idea in ideas { bonds += try Bond.store.all(where: "idea_id = ?", [idea.value], in: tx.connection) }
        return bonds
    }

    /// Of a co-op's endorsements of one idea one counts: the one that was given to that idea itself, else the oldest.
    private static func cover(_ pairs: inout [(old: Endorsement, new: Endorsement)]) {
        let live = pairs.indices.filter { pairs[$0].new.status != .withdrawn }
        for group in Dictionary(grouping: live, by: { [pairs[$0].new.ideaID.text, pairs[$0].new.coopID.text] }).values {
            let given = group.first { pairs[$0].new.originIdeaID == pairs[$0].new.ideaID } ?? group.min { pairs[$0].new.id.text < pairs[$1].new.id.text }
            for index in group { pairs[index].new.status = index == given ? .given : .covered }
        }
    }
}

extension IdeaBond {
    fileprivate mutating func follow(_ idea: Idea) {
        ideaID = idea.id
        isShared = idea.isShared
    }
}

