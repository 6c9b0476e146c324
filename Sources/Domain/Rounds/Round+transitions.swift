import SQLite
import Text

extension Round {
    package static let machine = Machine<Status>([(.collecting, .voting), (.voting, .closed), (.closed, .announced)])

    /// Empties the ballot box into the results: once counted, they are the only copy.
    fileprivate mutating func count(in tx: Transaction) throws(DomainError) {
        let results = try storing { () throws(DatabaseError) in
            let counted = try tx.connection.all(
                """
                SELECT id, coalesce(votes, 0) FROM nomination LEFT JOIN tally ON nomination_id = id
                WHERE round_id = ? ORDER BY coalesce(votes, 0) DESC, id
                """, [id.value]
            ) { row in Identifier<Nomination>(row.text(0)).map { Result(nominationID: $0, votes: Int(truncatingIfNeeded: row.integer(1))) } }
            try tx.connection.run("DELETE FROM tally WHERE nomination_id IN (SELECT id FROM nomination WHERE round_id = ?)", [id.value])
            return counted.compactMap { $0 }
        }
        let most = max(1, results.first?.votes ?? 0)
        self.results = results
        winnerIDs = results.filter { $0.votes == most }.map(\.nominationID)
    }

    fileprivate func checkHasNominations(in tx: Transaction) throws(DomainError) {
        guard try Nomination.count(in: id, tx) == 0 else { return }
        throw .conflict(
            code: "round.no-nominations",
            Bilingual(en: "There is nothing to vote on yet; add a nomination first.", fr: "Il n'y a rien à départager ; ajoutez d'abord une proposition."))
    }

    // MARK: Forgetting who voted

    private static let forgetsVoters = "forget_voters"
    private static let votersKeptSeconds: Int64 = 30 * 86_400

    package func stored(_ change: Change<Round>, in tx: Transaction) throws(DomainError) {
        guard let announcedAt, change.old?.announcedAt == nil else { return }
        try storing { () throws(DatabaseError) in
            try Due.set(announcedAt.adding(seconds: Self.votersKeptSeconds), .round, id.text, Self.forgetsVoters, in: tx)
        }
    }

    package static func fallDue(_ id: Identifier<Round>, _ what: String, in tx: Transaction) throws(DomainError) {
        try storing { () throws(DatabaseError) in try tx.connection.run("DELETE FROM vote WHERE round_id = ?", [id.value]) }
    }
}

extension Store where R == Round {
    /// - Throws: `.conflict` (`state.forbidden`, `round.no-nominations`) and what `update` throws.
    package func transition(
        _ id: Identifier<Round>, _ step: Transition<Round.Status>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Round {
        try modify(id, .transition, given: [], expecting: expected, by: caller, in: tx) { (round, _) throws(DomainError) in
            try Round.machine.check(from: round.status, to: step.to)
            round.status = step.to
            switch step.to {
            case .collecting: break
            case .voting: try round.checkHasNominations(in: tx)
            case .closed: try round.count(in: tx)
            case .announced: round.announcedAt = tx.now
            }
        }
    }
}
