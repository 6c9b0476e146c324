import SQLite
import Text

/// What ties a co-op to an idea: an endorsement or an adoption. It follows the idea through merges and out of the network's sight.
protocol IdeaBond: Record {
    /// The canonical idea: the one that was taken, or what it was merged into.
    var ideaID: Identifier<Idea> { get set }
    /// The idea that was taken.
    var originIdeaID: Identifier<Idea> { get set }
    var coopID: Identifier<Coop> { get set }
    /// Whether the network sees the idea, and with it this.
    var isShared: Bool { get set }
}

extension IdeaBond {
    package var readers: [Reader] { isShared ? [Reader(.network)] : [Reader(.coop(coopID)), Reader(.federation)] }
    package var owners: [Identifier<Coop>] { [coopID] }

    /// Fills in the co-op of the caller, and makes sure that the idea is there to be taken.
    mutating func begin(_ change: Change<Self>, in tx: Transaction) throws(DomainError) -> Idea {
        try coopID.fill(from: change)
        try Coop.checkOpenToNewRecords(coopID, at: "#/coop_id", in: tx)
        let idea = try taken(by: change.caller, in: tx)
        originIdeaID = idea.id
        isShared = idea.isShared
        return idea
    }

    private func taken(by caller: Caller, in tx: Transaction) throws(DomainError) -> Idea {
        var faults = Faults()
        guard let idea = try Idea.store.find(ideaID, in: tx.connection) else {
            faults.addUnknownReference("#/idea_id", .idea)
            throw .invalid(faults.all)
        }
        try idea.checkNotReplaced(for: caller, in: tx)
        let isVisible = idea.isVisible(to: caller)
        // An idea that a co-op keeps for itself is nobody else's to take, even if the federation keys it in.
        if !isVisible || (idea.scope == .coop && idea.authorCoopID != coopID) { faults.addUnknownReference("#/idea_id", .idea) }
        try faults.throwIfAny()
        try idea.checkPublished()
        return idea
    }
}

extension Idea {
    /// Whether the network sees it.
    var isShared: Bool { status == .published && scope == .network }

    func checkPublished() throws(DomainError) {
        guard status != .published else { return }
        throw .conflict(
            code: "idea.not-published",
            Bilingual(
                en: "Only a published idea can be endorsed or adopted; this one is \(status.rawValue).",
                fr: "Seule une idée publiée peut être soutenue ou adoptée ; celle-ci est à l'état \(status.rawValue)."),
            members: [("status_now", "\"\(status.rawValue)\"")])
    }
}
