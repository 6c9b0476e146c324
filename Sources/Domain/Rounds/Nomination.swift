import SQLite
import Text

/// What a person or a team has done, put forward for the action of the month.
package struct Nomination: Record {
    package static let type = RecordType.nomination
    package static let store = Store<Nomination>()

    package var meta = Meta()
    package var roundID = Identifier<Round>(high: 0, low: 0)
    /// The round's.
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    package var title = ""
    package var description: String?
    /// Whose action it is, as they want to be called.
    package var author: String?

    package init() {}

    package static let fields: [Field<Nomination>] = [
        Field("round_id", \.roundID, .reference(), .creation, required: true),
        Field("coop_id", \.coopID, .reference(), .server),
        Field("title", \.title, .line(1...200), required: true),
        Field("description", \.description, .optional(.paragraph(1...2000))),
        Field("author", \.author, .optional(.line(1...200))),
    ]

    package var readers: [Reader] { [Reader(.coop(coopID))] }
    package var owners: [Identifier<Coop>] { [coopID] }

    package static func roles(for action: Action) -> Set<Role> {
        switch action {
        case .create: [.coopManager, .referent]
        case .change, .delete: [.coopManager]
        case .transition, .merge: []
        }
    }

    package mutating func prepare(_ change: Change<Nomination>, in tx: Transaction) throws(DomainError) {
        if change.action == .create {
            guard let round = try Round.store.find(roundID, in: tx.connection), try isOpen(round, to: change.caller, in: tx) else {
                var faults = Faults()
                faults.addUnknownReference("#/round_id", .round)
                throw .invalid(faults.all)
            }
            coopID = round.coopID
            try Coop.checkOpenToNewRecords(coopID, at: "#/round_id", in: tx)
            try round.checkCollecting()
            try checkFits(in: tx)
        } else {
            try Round.store.require(roundID, in: tx.connection).checkCollecting()
        }
    }

    /// Whether the round is there for the caller; only the co-op itself sees it, and the operator's imports need not.
    private func isOpen(_ round: Round, to caller: Caller, in tx: Transaction) throws(DomainError) -> Bool {
        if caller.isOperator { return true }
        return try Round.store.document(of: round, for: caller, in: tx) != nil
    }

    private func checkFits(in tx: Transaction) throws(DomainError) {
        guard try Self.count(in: roundID, tx) >= Round.nominationLimit else { return }
        throw .conflict(
            code: "round.full",
            Bilingual(
                en: "The round has \(Round.nominationLimit) nominations, which is all that it takes.",
                fr: "Le tour compte déjà \(Round.nominationLimit) propositions, le maximum."))
    }

    static func count(in round: Identifier<Round>, _ tx: Transaction) throws(DomainError) -> Int {
        try storing { () throws(DatabaseError) in
            try tx.connection.first("SELECT count(*) FROM nomination WHERE round_id = ?", [round.value]) { Int(truncatingIfNeeded: $0.integer(0)) } ?? 0
        }
    }

    package func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError) {
        try Round.store.require(roundID, in: tx.connection).checkCollecting()
    }
}
