extension Referent {
    /// Ended is final: a return is a new mandate.
    package static let machine = Machine<Status>([
        (.designated, .active), (.active, .suspended), (.suspended, .active),
        (.designated, .ended), (.active, .ended), (.suspended, .ended),
    ])

    package static let transitionFields: [Status: Set<String>] = [.ended: ["ended_on"]]
}

extension Store where R == Referent {
    /// - Throws: `.conflict` (`state.forbidden`, `referent.primary-taken`) and what `update` throws.
    package func transition(
        _ id: Identifier<Referent>, _ step: Transition<Referent.Status>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Referent {
        let endedOn = try step.value("ended_on", .day)
        return try modify(id, .transition, given: [], expecting: expected, by: caller, in: tx) { (referent, _) throws(DomainError) in
            try Referent.machine.check(from: referent.status, to: step.to)
            referent.status = step.to
            // A mandate that has not begun yet ends on the day it would have begun.
            if step.to == .ended { referent.endedOn = endedOn ?? max(tx.now.day, referent.startedOn) }
        }
    }
}
