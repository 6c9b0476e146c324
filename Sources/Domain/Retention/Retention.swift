import SQLite

/// What is told of people is kept for a term, then taken out. Each record has a due row for its day; the nightly run finds what
/// none was set for, such as after a term was shortened, and reports what it did.
package enum Retention {
    /// Every type that forgets, in the order of reports.
    static let rules: [any Forgetful.Type] = [Referent.self, AppointmentFile.self, Registration.self, Facilitator.self]

    /// Which records forgot, or in a dry run would; ids, never what they said.
    package struct Report: Sendable, Equatable {
        package struct Part: Sendable, Equatable {
            package let type: RecordType
            package var ids: [String] = []
        }

        /// One a rule, in their order.
        package var parts = rules.map { Part(type: $0.type) }
        package var count: Int { parts.reduce(0) { $0 + $1.ids.count } }
    }

    /// So many records are looked at in one read, and forget in one transaction, so that nobody waits long behind it.
    static let batch = 200
}

extension Federation {
    /// Runs the retention rules to the end, or for as long as it may.
    package func applyRetention(dryRun: Bool = false, while goesOn: () -> Bool = { true }) throws(DomainError) -> Retention.Report {
        var report = Retention.Report()
        for (index, rule) in Retention.rules.enumerated() { report.parts[index].ids = try apply(rule, dryRun, goesOn) }
        return report
    }

    private func apply<R: Forgetful>(_ rule: R.Type, _ isDry: Bool, _ goesOn: () -> Bool) throws(DomainError) -> [String] {
        let (terms, now) = (terms.withLock { $0 }, now())
        var forgotten: [String] = []
        var place: Identifier<R>? = Identifier(high: 0, low: 0)
        while let after = place, goesOn() {
            let page = try read { (connection) throws(DomainError) in try R.overdue(terms, at: now, after: after, limit: Retention.batch, in: connection) }
            place = page.next
            forgotten += page.ids.isEmpty || isDry ? page.ids.map(\.text) : try forget(page.ids)
        }
        return forgotten
    }

    private func forget<R: Forgetful>(_ ids: [Identifier<R>]) throws(DomainError) -> [String] {
        try perform { (tx) throws(DomainError) in
            var forgotten: [String] = []
            for id in ids where try R.forgetIfDue(id, in: tx) { forgotten.append(id.text) }
            return forgotten
        }
    }
}
