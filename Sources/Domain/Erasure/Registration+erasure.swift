extension Registration: Erasable {
    package var isErased: Bool { erasedOn != nil }

    /// Who still wants a seat gives it up; the entry stays without a person, so that the counts stay.
    package mutating func erase(at now: Timestamp) {
        if status == .waitlisted || status == .offered || (status == .confirmed && sessionStartsAt > now) { leave(for: .cancelled) }
        if anonymisedOn == nil { forget(on: now.day) }
        erasedOn = now.day
    }

    /// The seat goes to the next.
    package func erased(by caller: Caller, in tx: Transaction) throws(DomainError) { try Session.settleQueue(sessionID, by: caller, in: tx) }
}
