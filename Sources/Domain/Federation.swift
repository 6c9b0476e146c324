import Crypto
import Embedded
import SQLite
import Synchronization
import Text

/// One federation: one database file, and everything in memory that answers for it.
package final class Federation: Sendable {
    package struct Settings: Sendable {
        package var database = Database.Settings()
        /// A clock as a value, so that tests set it.
        package var now: @Sendable () -> Timestamp = { .now() }
        /// Days for which a device may stay away without having to repair its store.
        package var tombstoneDays = 400
        package var pairingLimits = Pairing.Limits()
        /// Whether it does what is due by itself; otherwise only what it is asked for.
        package var keepsHouse = true
        /// Told what each nightly run of the retention rules did.
        package var onRetention: @Sendable (Retention.Report) -> Void = { _ in }
        /// Told what could not be done when it was due.
        package var onDelay: @Sendable (Due.Delay) -> Void = { _ in }
        package init() {}
    }

    package let database: Database
    package let heads: Heads
    package let tokens = TokenBook()
    package let webhooks = WebhookBook()
    package let waiters: Waiters
    package let epochs: Epochs
    private let cursors = KnownCursors()
    package let now: @Sendable () -> Timestamp
    package let pages = ReadCache<ChangesPage.Place, ChangesPage>(capacity: 4 << 20)
    package let lists = ReadCache<ListPlace, ListPage>(capacity: 4 << 20)
    private let documents = ReadCache<DocumentPlace, (etag: ETag, bytes: [UInt8])>(capacity: 4 << 20)
    let board = IndicatorBoard()
    /// Authenticates cursors; kept with the database, so that a restored backup still knows its devices' cursors.
    private let cursorKey: HMACKey
    /// Makes the secret links of those who sign up without a token.
    let linkKey: [UInt8]
    /// Hides who votes for the action of the month.
    let voterKey: [UInt8]
    /// Makes the hashes by which repeated requests are known.
    package let requestKey: [UInt8]
    package let sightings = Sightings()
    /// Who was erased, outside any backup.
    let ledger: ErasureLedger
    /// Whether the writer has been asked to write the file anew.
    let isPurging = Atomic(false)
    /// Of erasures up to this seq, nothing is left but what may be in the log.
    let vacuumed = Atomic<Int64>(0)
    private let feed: FeedWriter
    private let ids = IdentifierSource()
    package let alarm: Alarm
    private let tombstoneDays: Int
    package let pairingLimits: Pairing.Limits
    private let keepsHouse: Bool
    let terms: Mutex<Retention.Terms>
    private let onRetention: @Sendable (Retention.Report) -> Void
    private let onDelay: @Sendable (Due.Delay) -> Void
    private let retention = RetentionJob()

    /// Makes the folder this process's own, to be held for as long as the federation is open.
    ///
    /// - Throws: `.foreign` before anything is written where the folder holds another program's file, and as `DataLock` does.
    package static func lock(directory: String) throws(OpenError) -> DataLock {
        try Database.recognize(directory + "/viecoop.db")
        return try DataLock(directory: directory)
    }

    /// Opens `viecoop.db` in the folder, or creates it.
    package init(directory: String, settings: Settings = Settings()) throws(OpenError) {
        let heads = Heads()
        let alarm = Alarm()
        let waiters = Waiters(alarm: alarm)
        let highWater = HighWater(directory: directory)
        let feed = FeedWriter(heads: heads, highWater: highWater) { waiters.announce($0) }
        let (tokens, sightings, webhooks) = (tokens, sightings, webhooks)
        var loaded: (epochs: Epochs, cursorKey: [UInt8], linkKey: [UInt8], voterKey: [UInt8], requestKey: [UInt8], terms: Retention.Terms)?
        database = try Database(
            path: directory + "/viecoop.db", settings: settings.database,
            migrations: Embedded.migrations.map { Migration(name: $0.name, sql: $0.text) }, observer: feed,
            admit: { (connection) throws(OpenError) in try HighWater.admit(connection, in: directory) }
        ) { (connection) throws(DatabaseError) in
            try feed.load(from: connection)
            try tokens.load(from: connection)
            try sightings.load(from: connection)
            try webhooks.load(from: connection)
            loaded = (
                try Epochs.load(from: connection), try Self.key(named: "cursor", in: connection), try Self.key(named: "link", in: connection),
                try Self.key(named: "voter", in: connection), try Self.key(named: "request", in: connection), try Retention.Terms.load(from: connection)
            )
        }
        guard let loaded else { preconditionFailure("opening a database prepares it") }
        (epochs, cursorKey, linkKey) = (loaded.epochs, HMACKey(loaded.cursorKey), loaded.linkKey)
        (voterKey, requestKey) = (loaded.voterKey, loaded.requestKey)
        try highWater.open(head: heads.head, epochs: epochs.rows)
        (self.heads, self.waiters, self.feed, self.alarm) = (heads, waiters, feed, alarm)
        now = settings.now
        tombstoneDays = settings.tombstoneDays
        pairingLimits = settings.pairingLimits
        (keepsHouse, onRetention, onDelay) = (settings.keepsHouse, settings.onRetention, settings.onDelay)
        terms = Mutex(loaded.terms)
        ledger = ErasureLedger(directory: directory)
        try renderAgain(after: database.migrated)
        feed.onNewDue { [weak self] in self?.lookForDue() }
        feed.onErased { [weak self] in self?.erased($0) }
        try reconcileErasures()
        housekeep()
    }

    /// A newer schema may show more in a document, or less: what differs gets a new seq, so that devices hear of it.
    private func renderAgain(after migrations: [String]) throws(OpenError) {
        guard !migrations.isEmpty, heads.head > 0 else { return }
        do throws(DomainError) {
            try perform { (tx) throws(DomainError) in _ = try FeedAudit.rebuild(in: tx) }
        } catch { throw .failedMigration(migrations.joined(separator: ", "), detail: "\(error)") }
    }

    private static func key(named name: String, in connection: Connection) throws(DatabaseError) -> [UInt8] {
        try connection.run("INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", [.text(name), .blob(Crypto.randomBytes(32))])
        return try connection.first("SELECT value FROM secret WHERE name = ?", [.text(name)]) { $0.blob(0) } ?? []
    }

    /// Lets nobody wait any more, finishes what is queued, and closes the file.
    package func close() {
        waiters.close()
        retention.stop()
        alarm.stop()
        storeSightings()
        database.close()
    }

    // MARK: Reading

    /// Runs `body` in one snapshot.
    package func read<Result>(_ body: (Connection) throws(DomainError) -> Result) throws(DomainError) -> Result {
        try database.read(body)
    }

    /// What the caller sees of a record.
    ///
    /// - Throws: `.notFound` where it is absent or not visible, which the caller can't tell apart.
    package func document<R: Record>(of id: Identifier<R>, for caller: Caller) throws(DomainError) -> (etag: ETag, bytes: [UInt8]) {
        guard let found = try findDocument(of: id, for: caller) else { throw .notFound(type: R.type.rawValue) }
        return found
    }

    /// The same, nil where it is absent or not visible.
    package func findDocument<R: Record>(of id: Identifier<R>, for caller: Caller) throws(DomainError) -> (etag: ETag, bytes: [UInt8])? {
        let numbers = heads.snapshot
        let place = DocumentPlace(type: R.type, id: Identifier(id), layers: caller.layers)
        if let known = documents.value(for: place, at: numbers) { return known }
        let found = try read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) -> (ETag, [UInt8])? in
                guard let rev = try R.store.rev(of: id, in: connection),
                    let shown = try Feed.document(rev: rev, layers: caller.layers, number: { numbers.entries[$0]?.number }, in: connection)
                else { return nil }
                return (ETag(rev: rev, layer: shown.layer.letter), shown.bytes)
            }
        }
        // Not what is absent, of which there is no end.
        if let found { documents.keep(found, bytes: found.1.count, for: place, at: numbers) }
        return found
    }

    /// What a document depends on beside the feed.
    private struct DocumentPlace: Hashable {
        let type: RecordType
        let id: Identifier<Void>
        let layers: [Audience]
    }

    // MARK: Writing

    /// Runs `body` on the writer, and calls `done` when its work is on disk or refused: on the writer's thread, or on the one that answers for it.
    package func write<Result: Sendable>(
        as kind: Writer.Kind = .ordinary, _ body: @escaping @Sendable (Transaction) throws(DomainError) -> Result, done: @escaping @Sendable (Swift.Result<Result, DomainError>) -> Void
    ) {
        do {
            try database.writer.submit(as: kind, { [self] in try body(transaction(on: $0)) }) { result in done(result.mapError(Self.domainError)) }
        } catch {
            done(.failure(.busy))
        }
    }

    /// Runs `body` on the writer and waits for it.
    package func perform<Result: Sendable>(
        as kind: Writer.Kind = .ordinary, _ body: @escaping @Sendable (Transaction) throws(DomainError) -> Result
    ) throws(DomainError) -> Result {
        do {
            return try database.writer.perform(as: kind) { [self] in try body(transaction(on: $0)) }
        } catch let failure as WriteFailure {
            throw Self.domainError(failure)
        } catch { throw .busy }
    }

    func transaction(on connection: Connection) -> Transaction {
        Transaction(
            connection: connection, now: now(), feed: feed, ids: ids, tokens: tokens, webhooks: webhooks, terms: terms.withLock { $0 },
            pairingLimits: pairingLimits)
    }

    private static func domainError(_ failure: WriteFailure) -> DomainError {
        switch failure {
        case .refused(let error as DomainError): error
        case .refused(let error as DatabaseError): DomainError(error)
        case .refused: .busy
        case .storage(let error): DomainError(error)
        }
    }

    // MARK: Tokens

    /// Makes a token; its secret is shown now and never again.
    package func createToken(_ draft: Token.Draft) throws(DomainError) -> (token: Token, secret: Token.Secret) {
        try perform { (tx) throws(DomainError) in
            try draft.validate(at: tx.now, in: tx.connection)
            return try storing { () throws(DatabaseError) in try TokenTable.make(draft, in: tx) }
        }
    }

    /// Effective at once: the token's waiting requests are woken.
    package func revokeToken(_ id: Identifier<Token>) throws(DomainError) -> Token {
        let token = try perform { (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                guard var token = try TokenTable.find(id, in: tx.connection) else { return Token?.none }
                if token.revoked == nil {
                    try TokenTable.revoke(id, at: tx.now, in: tx.connection)
                    token.revoked = tx.now
                }
                return token
            }
        }
        guard let token else { throw .notFound(type: "token") }
        tokens.keep(token)
        waiters.announce(id)
        return token
    }

    package func allTokens() throws(DomainError) -> [Token] {
        try read { (connection) throws(DomainError) in try storing { () throws(DatabaseError) in try TokenTable.all(in: connection) } }
    }

    // MARK: Cursors

    package func seal(_ cursor: Cursor, for caller: Caller) -> String { cursor.sealed(with: cursorKey, for: caller.token) }

    package func unseal(_ text: String, for caller: Caller) throws(Cursor.Failure) -> Cursor {
        if let known = cursors.find(text, of: caller.token) { return known }
        let cursor = try Cursor(sealed: text, key: cursorKey, for: caller.token)
        cursors.keep(cursor, text, of: caller.token)
        return cursor
    }

    // MARK: The clock

    /// Runs what is due and what comes up regularly, now and whenever something is due next, at least once an hour.
    private func housekeep() {
        guard keepsHouse else { return }
        write({ [tombstoneDays] (tx) throws(DomainError) in
            let delays = try Due.run(in: tx)
            return try storing { () throws(DatabaseError) in
                try Tombstones.drop(olderThan: tombstoneDays, in: tx)
                try Push.forget(in: tx)
                try Idempotency.forget(before: tx.now.adding(seconds: -86_400), in: tx.connection)
                try EnrolmentTable.forget(before: tx.now.adding(seconds: -86_400), in: tx.connection)
                try Sightings.forget(before: tx.now.adding(seconds: -Sightings.termDays * 86_400), in: tx.connection)
                return (next: try Due.next(in: tx.connection), delays: delays)
            }
        }) { [weak self] result in
            guard let self else { return }
            if case .success((_, let delays)) = result { for delay in delays { onDelay(delay) } }
            sightings.forget(before: now().adding(seconds: -Sightings.termDays * 86_400))
            retention.begin(at: now(), { [weak self] goesOn in try? self?.applyRetention(while: goesOn) }, done: onRetention)
            let seconds: Int64 =
                switch result {
                case .success((let next?, _)): max(1, min(3600, (next.milliseconds - now().milliseconds) / 1000 + 1))
                case .success((nil, _)): 3600
                // A full queue or disk: what is due must not wait for an hour.
                case .failure: 5
                }
            dueTicket.withLock { ticket in
                // Of two looks at the same time, the later one knows more; each going on would double the number of looks.
                alarm.cancel(ticket)
                ticket = alarm.set(.now.advanced(by: .seconds(seconds))) { [weak self] in self?.housekeep() }
            }
        }
    }

    private let dueTicket = Mutex<Alarm.Ticket>(0)

    /// Looks at once for what is due: a change may have brought something earlier than the alarm is set to.
    package func lookForDue() {
        alarm.cancel(dueTicket.withLock { $0 })
        housekeep()
    }
}
