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

        package mutating func add(_ other: Report) {
            for index in parts.indices { parts[index].ids += other.parts[index].ids }
        }
    }

    /// A transaction holds at most so many, so that nobody waits long behind it.
    static let batch = 200

    /// Lets records forget whose day has come, at most a batch.
    static func sweep(in tx: Transaction) throws(DomainError) -> Report {
        var report = Report()
        for (index, rule) in rules.enumerated() {
            report.parts[index].ids = try sweep(rule, limit: batch - report.count, in: tx)
        }
        return report
    }

    private static func sweep<R: Forgetful>(_ type: R.Type, limit: Int, in tx: Transaction) throws(DomainError) -> [String] {
        var ids: [String] = []
        for id in try R.overdue(tx.terms, at: tx.now, limit: limit, in: tx.connection) where try R.forgetIfDue(id, in: tx) { ids.append(id.text) }
        return ids
    }

    private static func overdue<R: Forgetful>(_ type: R.Type, _ terms: Terms, at now: Timestamp, in connection: Connection) throws(DomainError) -> [String] {
        try R.overdue(terms, at: now, limit: .max, in: connection).map(\.text)
    }

    /// Which records would forget now.
    static func preview(_ terms: Terms, at now: Timestamp, in connection: Connection) throws(DomainError) -> Report {
        var report = Report()
        for (index, rule) in rules.enumerated() { report.parts[index].ids = try overdue(rule, terms, at: now, in: connection) }
        return report
    }
}

extension Federation {
    /// Runs the retention rules to the end, a transaction a batch.
    package func applyRetention(dryRun: Bool = false) throws(DomainError) -> Retention.Report {
        if dryRun {
            let (terms, now) = (terms.withLock { $0 }, now())
            return try read { (connection) throws(DomainError) in try Retention.preview(terms, at: now, in: connection) }
        }
        var report = Retention.Report()
        while true {
            let part = try perform { (tx) throws(DomainError) in try Retention.sweep(in: tx) }
            report.add(part)
            if part.count < Retention.batch { return report }
        }
    }
}
