import SQLite
import Synchronization

/// The feed's state on the writer thread: the next seq, the audiences' numbers, and what the open transaction touched.
///
/// Only the writer thread calls it, which is why it may be unchecked.
final class FeedWriter: TransactionObserver, @unchecked Sendable {
    private let heads: Heads
    private let highWater: HighWater
    /// Told which audiences have news, after the commit.
    private let announce: @Sendable (Set<Audience>) -> Void
    /// Told, after the commit, that something is due at another time than before.
    private let reschedule = Mutex<(@Sendable () -> Void)?>(nil)
    private var hasNewDue = false
    /// Told, after the commit and before anybody is answered, who was erased.
    private let hearErased = Mutex<(@Sendable ([ErasureLedger.Line]) -> Void)?>(nil)
    private var erased: [ErasureLedger.Line] = []
    private var seq: Int64 = 0
    private var storedSeq: Int64 = 0
    private var numbers: [Audience: Int64] = [:]
    /// In order, so that the newest of an audience comes last and a rollback cuts the tail off.
    private var touched: [(audience: Audience, seq: Int64)] = []
    /// Of the records that the open transaction published or took out. A part that is taken back leaves its own here, which costs
    /// somebody a look that finds nothing new.
    private var types: Set<RecordType> = []
    private var afterCommit: [@Sendable () -> Void] = []
    /// Records whose documents are behind their rows, and what brings them up to date before the commit.
    private var pending: [Pending] = []
    var queues = KnownQueues()
    /// Differs once another program has written to the file.
    private var dataVersion: Int64?
    private var atClosure = Mark(seq: 0, numbers: [:], touched: 0, pending: [], afterCommit: 0, erased: 0)

    init(heads: Heads, highWater: HighWater, announce: @escaping @Sendable (Set<Audience>) -> Void) {
        self.heads = heads
        self.highWater = highWater
        self.announce = announce
    }

    /// Reads the counter and every audience's head, before the first transaction.
    func load(from connection: Connection) throws(DatabaseError) {
        seq = try connection.first("SELECT seq FROM history_head") { $0.integer(0) } ?? 0
        storedSeq = seq
        var entries: [Audience: Heads.Entry] = [:]
        for (name, number) in try connection.all("SELECT name, number FROM audience", [], { ($0.text(0), $0.integer(1)) }) {
            guard let audience = Audience(name: name) else { continue }
            numbers[audience] = number
            let head = try connection.first(
                "SELECT seq FROM feed WHERE place >= ? AND place < ? ORDER BY place DESC LIMIT 1",
                [.integer(Feed.place(number, 0)), .integer(Feed.place(number + 1, 0))]) { $0.integer(0) } ?? 0
            entries[audience] = Heads.Entry(number: number, head: head)
        }
        heads.advance(to: seq, entries)
        heads.begin(at: seq)
        heads.raiseFloor(to: try connection.first("SELECT seq FROM feed_floor") { $0.integer(0) } ?? 0)
    }

    /// Tombstones up to `floor` are being dropped; known to readers before the commit, which only makes them look closer.
    func raiseFloor(to floor: Int64) { heads.raiseFloor(to: floor) }

    func onNewDue(_ body: @escaping @Sendable () -> Void) { reschedule.withLock { $0 = body } }
    func noteNewDue() { hasNewDue = true }
    func onErased(_ body: @escaping @Sendable ([ErasureLedger.Line]) -> Void) { hearErased.withLock { $0 = body } }
    func noteErasure(_ line: ErasureLedger.Line) { erased.append(line) }

    var lastSeq: Int64 { seq }
    func nextSeq() -> Int64 {
        seq += 1
        return seq
    }

    /// The audience's number, if it has one.
    func number(of audience: Audience) -> Int64? { numbers[audience] }

    /// The audience's number, given at its first use, and a note that it has news at `seq`.
    func touch(_ audience: Audience, at seq: Int64, in connection: Connection) throws(DatabaseError) -> Int64 {
        touched.append((audience, seq))
        if let number = numbers[audience] { return number }
        try connection.run("INSERT INTO audience (name) VALUES (?)", [.text(audience.name)])
        let number = try connection.first("SELECT number FROM audience WHERE name = ?", [.text(audience.name)]) { $0.integer(0) } ?? 0
        numbers[audience] = number
        return number
    }

    /// A note that the audience of this number has news at `seq`.
    func touch(number: Int64, at seq: Int64) {
        guard let audience = numbers.first(where: { $0.value == number })?.key else { return }
        touched.append((audience, seq))
    }

    func note(_ type: RecordType) { types.insert(type) }

    fileprivate struct Pending {
        let type: RecordType
        let id: Identifier<Void>
        let publish: () throws(DatabaseError) -> Void
    }

    /// Publishes a record once for all that the open transaction changes of it, unless that has been asked for already.
    func publishLater(_ type: RecordType, _ id: Identifier<Void>, _ publish: @escaping () throws(DatabaseError) -> Void) {
        guard !pending.contains(where: { $0.id == id && $0.type == type }) else { return }
        pending.append(Pending(type: type, id: id, publish: publish))
    }

    func publishPending() throws(DatabaseError) {
        let publications = pending
        pending.removeAll()
        for publication in publications { try publication.publish() }
    }

    func afterCommit(_ body: @escaping @Sendable () -> Void) { afterCommit.append(body) }

    /// The state before a part of a write that may be taken back.
    struct Mark {
        fileprivate let seq: Int64
        fileprivate let numbers: [Audience: Int64]
        fileprivate let touched: Int
        fileprivate let pending: [Pending]
        fileprivate let afterCommit: Int
        fileprivate let erased: Int
    }

    func mark() -> Mark { Mark(seq: seq, numbers: numbers, touched: touched.count, pending: pending, afterCommit: afterCommit.count, erased: erased.count) }

    func reset(to mark: Mark) {
        // A queue that differs from what is stored was kept with a registration, which takes a seq.
        if seq != mark.seq { queues.forgetAll() }
        (seq, numbers) = (mark.seq, mark.numbers)
        touched.removeSubrange(mark.touched...)
        pending = mark.pending
        afterCommit.removeSubrange(mark.afterCommit...)
        erased.removeSubrange(mark.erased...)
    }

    func began(_ connection: Connection) {
        let version = try? connection.first("PRAGMA data_version") { $0.integer(0) }
        if version == nil || version != dataVersion { queues.forgetAll() }
        dataVersion = version
        atClosure = mark()
    }

    func closureBegan(_ connection: Connection) { atClosure = mark() }
    func closureTakenBack(_ connection: Connection) { reset(to: atClosure) }

    func willCommit(_ connection: Connection) throws(DatabaseError) {
        try publishPending()
        guard seq != storedSeq else { return }
        guard seq <= Feed.lastSeq else { throw DatabaseError(code: 13, message: "the feed's seqs have come to their end", sql: nil) }
        try highWater.reserve(seq)
        try connection.run("UPDATE history_head SET seq = ?", [.integer(seq)])
    }

    func committed() {
        if seq != storedSeq { highWater.committed(seq) }
        storedSeq = seq
        forgetBatch()
        for body in afterCommit { body() }
        afterCommit.removeAll()
        if hasNewDue {
            hasNewDue = false
            reschedule.withLock { $0 }?()
        }
        if !erased.isEmpty {
            hearErased.withLock { $0 }?(erased)
            erased.removeAll()
        }
        guard !touched.isEmpty else { return }
        var entries: [Audience: Heads.Entry] = [:]
        for (audience, seq) in touched {
            guard let number = numbers[audience] else { preconditionFailure("a touched audience has a number") }
            entries[audience] = Heads.Entry(number: number, head: seq)
        }
        heads.advance(to: seq, entries, of: types)
        types.removeAll(keepingCapacity: true)
        let audiences = Set(entries.keys)
        touched.removeAll(keepingCapacity: true)
        announce(audiences)
    }

    func rests() { queues.forgetAll() }

    /// What is over with the batch; a mark that held its publications would keep the connection open.
    private func forgetBatch() {
        atClosure = Mark(seq: seq, numbers: [:], touched: 0, pending: [], afterCommit: 0, erased: 0)
    }

    func rolledBack() {
        seq = storedSeq
        touched.removeAll()
        pending.removeAll()
        queues.forgetAll()
        forgetBatch()
        types.removeAll()
        afterCommit.removeAll()
        erased.removeAll()
        // Numbers given in the lost transaction are gone from the table too.
        let known = heads.snapshot.entries
        numbers = numbers.filter { known[$0.key] != nil }
    }
}
