import SQLite

/// A member co-op is vacant from the day on which its last active mandate ends or is suspended; one that never had a referent
/// is not, though it has none either. No figure depends on when it is read.
extension Coop {
    /// What became of a mandate of the co-op.
    enum ReferentMove {
        /// It is active, and had begun on that day.
        case came(on: Day)
        /// It is not active, since that day.
        case left(on: Day)
    }

    /// Writes into the co-op's document whether a mandate is active, and since when none is.
    static func noteReferents(of id: Identifier<Coop>, _ move: ReferentMove, by caller: Caller, in tx: Transaction) throws(DomainError) {
        // Most mandates come where another is active: then nothing changes, and the co-op need not be read.
        if case .came = move, try isFilled(id, in: tx) { return }
        let old = try store.require(id, in: tx.connection)
        var coop = old
        coop.hasReferent = try storing { () throws(DatabaseError) in
            try tx.connection.first("SELECT 1 FROM referent WHERE coop_id = ? AND status = 'active' LIMIT 1", [id.value]) { _ in true } ?? false
        }
        switch move {
        case .came(let day): if coop.hasReferent { try coop.endVacancy(on: day, in: tx) }
        case .left(let day): if !coop.hasReferent, coop.membership == .member { coop.vacantSince = max(day, old.vacantSince ?? day) }
        }
        guard !coop.hasFields(of: old) else { return }
        try store.republish(old, as: coop, in: tx)
        guard coop.vacantSince != old.vacantSince else { return }
        let change = Change<Coop>(caller: caller, action: .change, old: old, given: [], isConsequence: true)
        try storing { () throws(DatabaseError) in try History.note(change, rev: tx.lastSeq, of: coop, in: tx) }
    }

    private static func isFilled(_ id: Identifier<Coop>, in tx: Transaction) throws(DomainError) -> Bool {
        try storing { () throws(DatabaseError) in
            try tx.connection.first("SELECT 1 FROM coop WHERE id = ? AND has_referent = 1 AND vacant_since IS NULL", [id.value]) { _ in true } ?? false
        }
    }

    /// Keeps the time of the vacancy for the figures.
    ///
    /// - Parameter day: on which it was filled. One before the vacancy, or still to come, says nothing: then it is today.
    mutating func endVacancy(on day: Day? = nil, in tx: Transaction) throws(DomainError) {
        guard let since = vacantSince else { return }
        vacantSince = nil
        let today = tx.now.day
        let until = day.flatMap { (since...max(since, today)).contains($0) ? $0 : nil } ?? today
        guard until > since else { return }
        try storing { () throws(DatabaseError) in
            try tx.connection.run(
                "INSERT INTO vacancy (coop_id, since, until) VALUES (?, ?, ?) ON CONFLICT (coop_id, since) DO UPDATE SET until = excluded.until",
                [id.value, .text(since.text), .text(until.text)])
        }
    }
}
