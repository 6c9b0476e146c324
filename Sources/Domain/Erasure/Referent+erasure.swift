import SQLite

extension Referent: Erasable {
    package var isErased: Bool { erasedOn != nil }

    /// The mandate ends and keeps its dates, for those who have never seen whose it was.
    package mutating func erase(at now: Timestamp) {
        (givenName, familyName) = ("ancien", "référent")
        (jobTitle, workEmail, workPhone) = (nil, nil, nil)
        (isPrimary, sharesContact) = (false, false)
        if status != .ended { (status, endedOn) = (.ended, max(now.day, startedOn)) }
        erasedOn = now.day
    }

    /// The person's devices, whose labels may hold the name.
    package func erased(by caller: Caller, in tx: Transaction) throws(DomainError) {
        try storing { () throws(DatabaseError) in
            try tx.connection.run(
                "UPDATE token SET revoked_ms = coalesce(revoked_ms, ?), label = '' WHERE referent_id = ?", [.integer(tx.now.milliseconds), id.value])
            try tx.connection.run("DELETE FROM enrolment WHERE referent_id = ?", [id.value])
        }
    }
}
