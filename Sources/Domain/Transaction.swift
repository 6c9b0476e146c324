import SQLite

/// A write in the making: one closure of the writer's batch, inside its savepoint. Lives on the writer thread.
package final class Transaction {
    package let connection: Connection
    /// The instant that everything in this transaction carries.
    package let now: Timestamp
    let feed: FeedWriter
    let tokens: TokenBook
    let terms: Retention.Terms
    private let ids: IdentifierSource
    /// The documents that were published last, for the answer to whoever made them.
    var published: (type: RecordType, id: Identifier<Void>, rev: Int64, documents: [(audience: Audience, bytes: [UInt8])])?

    init(connection: Connection, now: Timestamp, feed: FeedWriter, ids: IdentifierSource, tokens: TokenBook, terms: Retention.Terms) {
        self.connection = connection
        self.now = now
        self.feed = feed
        self.ids = ids
        self.tokens = tokens
        self.terms = terms
    }

    func newID<Of>() -> Identifier<Of> { ids.next(at: now) }
    func nextSeq() -> Int64 { feed.nextSeq() }
    var lastSeq: Int64 { feed.lastSeq }

    /// Runs `body` once this is on disk: for what is kept in memory beside the tables.
    func afterCommit(_ body: @escaping @Sendable () -> Void) { feed.afterCommit(body) }

    /// Runs a prepared UPDATE, INSERT or DELETE.
    ///
    /// - Returns: how many rows it touched.
    @discardableResult
    func update(_ sql: String, _ bind: (Statement) throws(DatabaseError) -> Void) throws(DatabaseError) -> Int {
        let statement = try connection.statement(sql)
        try bind(statement)
        while try statement.step() {}
        return connection.changes
    }

    /// The same, where another number of rows means that the feed and the tables disagree.
    func update(_ sql: String, expecting count: Int, _ bind: (Statement) throws(DatabaseError) -> Void) throws(DatabaseError) {
        guard try update(sql, bind) == count else {
            throw DatabaseError(code: 11, message: "the feed disagrees with the tables; run viecoop feed verify", sql: sql)
        }
    }
}

/// Makes a domain error of what a statement threw.
package func storing<Result>(_ body: () throws(DatabaseError) -> Result) throws(DomainError) -> Result {
    do throws(DatabaseError) { return try body() } catch { throw DomainError(error) }
}
