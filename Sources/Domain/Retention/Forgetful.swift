import SQLite

/// A record that tells of a person for a term only.
///
/// A type that joins says here when its term is over and what it takes out, calls `scheduleForgetting` in `stored` and
/// `forgetIfDue` in `fallDue`, and is listed in `Retention.rules`.
protocol Forgetful: Record {
    /// The day on which it has to forget; nil while its term has not begun, and when there is nothing (left) to forget.
    func forgetsOn(_ terms: Retention.Terms) -> Day?
    /// A condition on columns that holds wherever `forgetsOn` is not nil.
    static var mayForget: String { get }
    /// Takes out what tells of a person.
    mutating func forget(on day: Day)
}

extension Forgetful {
    private static var due: String { "forget" }

    /// Puts the day on which the record forgets into the table of what is due.
    func scheduleForgetting(_ change: Change<Self>, in tx: Transaction) throws(DomainError) {
        let day = forgetsOn(tx.terms)
        guard day != change.old?.forgetsOn(tx.terms) else { return }
        try storing { () throws(DatabaseError) in
            if let day { try Due.set(day.startInParis, Self.type, id.text, Self.due, in: tx) } else { try Due.clear(Self.type, id.text, Self.due, in: tx.connection) }
        }
    }

    /// Forgets if the record's day has come: in the row, in every document, and in answers kept for requests and mutations that are repeated.
    ///
    /// - Returns: whether it had come. Where the term was made longer since, the new day is what is due.
    static func forgetIfDue(_ id: Identifier<Self>, in tx: Transaction) throws(DomainError) -> Bool {
        guard let record = try store.find(id, in: tx.connection), let day = record.forgetsOn(tx.terms) else { return false }
        guard day.startInParis <= tx.now else {
            try storing { () throws(DatabaseError) in try Due.set(day.startInParis, type, id.text, due, in: tx) }
            return false
        }
        try store.amend(record, .change, by: .clock, in: tx) { $0.forget(on: Zone.paris.local(tx.now).day) }
        try storing { () throws(DatabaseError) in
            try Idempotency.forget(type, id.text, in: tx.connection)
            try Push.forget(type, id.text, in: tx.connection)
        }
        return true
    }

    /// Those of the next records by id whose day has come, and where to look on; nil at the end.
    static func overdue(
        _ terms: Retention.Terms, at now: Timestamp, after: Identifier<Self>, limit: Int, in connection: Connection
    ) throws(DomainError) -> (ids: [Identifier<Self>], next: Identifier<Self>?) {
        let records = try store.all(where: "(\(mayForget)) AND id > ?", [after.value], limit: limit, in: connection)
        let ids = records.filter { record in record.forgetsOn(terms).map { $0.startInParis <= now } ?? false }.map(\.id)
        return (ids, records.count < limit ? nil : records.last?.id)
    }
}
