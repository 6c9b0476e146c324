import SQLite

/// A write in the making: one closure of the writer's batch. Lives on the writer thread.
package final class Transaction {
    package let connection: Connection
    /// The instant that everything in this transaction carries.
    package let now: Timestamp
    let feed: FeedWriter
    let pairingLimits: Pairing.Limits
    let tokens: TokenBook
    let webhooks: WebhookBook
    let terms: Retention.Terms
    private let ids: IdentifierSource
    /// The record of each type that was published last, for the answer to whoever made it.
    var published: [RecordType: (id: Identifier<Void>, rev: Int64, entry: RecordEntry, readers: [Reader])] = [:]

    init(
        connection: Connection, now: Timestamp, feed: FeedWriter, ids: IdentifierSource, tokens: TokenBook, webhooks: WebhookBook, terms: Retention.Terms, pairingLimits: Pairing.Limits
    ) {
        self.connection = connection
        self.now = now
        self.feed = feed
        self.ids = ids
        self.pairingLimits = pairingLimits
        self.tokens = tokens
        self.webhooks = webhooks
        self.terms = terms
    }

    func newID<Of>() -> Identifier<Of> { ids.next(at: now) }
    func nextSeq() -> Int64 { feed.nextSeq() }
    var lastSeq: Int64 { feed.lastSeq }
    /// The newest seq, this write's own included; those of what is pending come after it.
    package var seq: Int64 { feed.lastSeq }

    /// Runs `body` as a part of its own: what it refuses is taken back, and the rest of this write stands.
    ///
    /// - Parameter damaged: whether to bear also that rows of its own cannot be read.
    /// - Throws: what says nothing about the work itself, since the database could not do it now.
    package func attempt<Result>(
        evenIfDamaged damaged: Bool = false, _ body: () throws(DomainError) -> Result
    ) throws(DomainError) -> Swift.Result<Result, DomainError> {
        let mark = feed.mark()
        let before = connection.totalChanges
        func savepoint(_ sql: String...) throws(DomainError) {
            guard connection.takesSavepoints else { return }
            try storing { () throws(DatabaseError) in for sql in sql { try connection.run(sql) } }
        }
        try savepoint("SAVEPOINT attempt")
        do throws(DomainError) {
            let result = try body()
            try savepoint("RELEASE attempt")
            return .success(result)
        } catch {
            switch error {
            case .storage(let fault) where damaged && fault.kind == .corrupt: break
            case .storage, .storageFull, .busy, .tooCostly: throw error
            case .invalid, .notFound, .stale, .preconditionRequired, .conflict, .forbidden, .gone: break
            }
            if !connection.takesSavepoints, connection.totalChanges != before { throw .storage(connection.leavesSomethingBehind()) }
            try savepoint("ROLLBACK TO attempt", "RELEASE attempt")
            feed.reset(to: mark)
            published = [:]
            return .failure(error)
        }
    }

    /// Brings the documents up to date that are behind their rows, as for an answer that shows them; otherwise the commit does.
    package func publishPending() throws(DomainError) { try storing { () throws(DatabaseError) in try feed.publishPending() } }

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
