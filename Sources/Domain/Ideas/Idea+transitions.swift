extension Idea {
    /// Merging and unmerging are operations of their own.
    package static let machine = Machine<Status>([
        (.draft, .submitted), (.submitted, .published), (.submitted, .draft), (.submitted, .declined),
        (.declined, .submitted), (.published, .archived), (.archived, .published),
    ])

    /// An idea of scope `coop` is published by its manager; for the network, the federation decides.
    fileprivate func checkMayStep(to: Status, _ caller: Caller) throws(DomainError) {
        guard caller.role == .coopManager else { return }
        let own = scope == .coop
        switch (status, to) {
        case (.draft, .submitted), (.submitted, .draft), (.declined, .submitted): return
        case (.draft, .published) where own, (.published, .archived) where own, (.archived, .published) where own: return
        default: throw .scopeMissing
        }
    }
}

extension Store where R == Idea {
    /// - Throws: `.conflict` (`state.forbidden`), `.forbidden` where the step is not the caller's, and what `update` throws.
    package func transition(
        _ id: Identifier<Idea>, _ step: Transition<Idea.Status>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> Idea {
        try modify(id, .transition, given: [], expecting: expected, by: caller, in: tx) { (idea, _) throws(DomainError) in
            let publishesForItself = idea.scope == .coop && idea.status == .draft && step.to == .published
            if !publishesForItself { try Idea.machine.check(from: idea.status, to: step.to) }
            try idea.checkMayStep(to: step.to, caller)
            // What a co-op hands in, it hands to the network (invariant 15: one way).
            if step.to == .submitted { idea.scope = .network }
            idea.status = step.to
        }
    }

    /// The embargo's day has come: the others see the federal status.
    func liftEmbargo(_ id: Identifier<Idea>, in tx: Transaction) throws(DomainError) {
        guard let old = try find(id, in: tx.connection), !old.federalStatusVisible else { return }
        var idea = old
        idea.federalStatusVisible = true
        try republish(old, as: idea, in: tx)
    }
}
