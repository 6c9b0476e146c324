@testable import Domain
import SQLite
import TestSupport

/// A history: changes of a federation, of the caller's rights and of the clock between the pages of one device's pulls.
///
/// The device's rights are those of tokens in even seeds, and any set of audiences in odd ones: the rules must not lean on
/// what today's roles happen to be.
struct PullSimulation {
    struct Divergence: Error, CustomStringConvertible {
        let description: String
    }

    struct Statistics {
        var pages = 0
        var completes = 0
        var puts = 0
        var removals = 0
        var begunAnew = 0
        var writes = 0
        var refusals = 0
    }

    private let test: TestFederation
    private var random: SeededGenerator
    private let hasAnyRights: Bool
    private let types: [RecordType]
    private var moves = PullMoves()
    private var layers: [Audience] = []
    private var device = PullDevice()
    /// Every record that had a row in one of the caller's audiences while it was the caller's.
    ///
    /// That is more than it was shown: of a record that left an audience before the caller joined it, the caller may later hear
    /// a removal, since a cursor does not say when it joined. Of what was never there in its time, it must not.
    private var everThere: Set<String> = []
    private(set) var statistics = Statistics()
    private let log: Log?

    /// What happened, for a history that is told again because it failed.
    private final class Log {
        private(set) var lines: [String] = []
        func add(_ line: String) { lines.append(line) }
    }

    init(seed: UInt64, isLogging: Bool = false) throws {
        test = try TestFederation()
        random = SeededGenerator(seed: seed)
        hasAnyRights = seed % 2 == 1
        types = random.chance(25) ? [.referent, .site, .coop] : []
        log = isLogging ? Log() : nil
        try changeRights()
    }

    mutating func run(steps: Int) throws {
        do {
            try write(PullMoves.beginning)
            for _ in 0..<steps { try step() }
            try pullToTheEnd()
            try compareLimits()
            try audit()
        } catch let divergence as Divergence {
            throw Divergence(description: ([divergence.description] + (log?.lines.suffix(40) ?? [])).joined(separator: "\n"))
        }
    }

    // MARK: Moves

    private mutating func step() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<56: try write((0..<[1, 1, 1, 2, 3][Int.random(in: 0..<5, using: &random)]).map { _ in moves.next(&random) })
        case 56..<61: try changeRights()
        case 61:
            test.clock.advance(days: 3)
            try write([.runDue])
        case 62: try write([.dropTombstones(upTo: max(0, test.head - Int64.random(in: 5...60, using: &random)))])
        default: try pull(limit: [1, 1, 2, 3, 5, 50][Int.random(in: 0..<6, using: &random)])
        }
    }

    private mutating func write(_ batch: [PullMove]) throws {
        let before = test.head
        do throws(DomainError) {
            try test.federation.perform { (tx) throws(DomainError) in
                for move in batch { try move.apply(in: tx) }
            }
            for move in batch { moves.note(move) }
            statistics.writes += 1
            log?.add("write \(batch), head \(test.head)")
        } catch {
            switch error {
            case .conflict, .invalid, .notFound, .forbidden: statistics.refusals += 1
            default: throw Divergence(description: "the writer failed: \(error)")
            }
        }
        try noteThere(after: before)
    }

    private mutating func changeRights() throws {
        let (a, b) = (Identifier<Coop>(PullMoves.coops[0]), Identifier<Coop>(PullMoves.coops[1]))
        if hasAnyRights {
            let all: [Audience] = [a.map { .coop($0) }, b.map { .coop($0) }, .federation, .observer, .network, .public].compactMap { $0 }
            // Mostly one audience more or less, now and then quite others.
            let toggled = all.randomElement(using: &random)
            var chosen = random.chance(80) ? all.filter { layers.contains($0) != ($0 == toggled) } : all.filter { _ in random.chance(45) }
            if chosen.isEmpty { chosen = [.network] }
            layers = chosen
        } else {
            let coop = random.chance(60) ? a : b
            let roles: [(Role, Identifier<Coop>?, Bool)] = [
                (.coopManager, coop, false), (.referent, coop, false), (.referent, coop, true), (.federationAdmin, nil, false), (.federationReader, nil, false),
            ]
            guard let (role, coop, isHelper) = roles.randomElement(using: &random) else { return }
            layers = Caller(token: Self.token, role: role, coop: coop, isHelper: isHelper).layers
        }
        log?.add("rights \(layers.map(\.name))")
        try noteThere(after: 0)
    }

    private mutating func noteThere(after seq: Int64) throws {
        let names = Set(layers.map(\.name))
        for row in try test.federation.database.read({ try PullOracle.rows(after: seq, in: $0) }) where names.contains(row.audience) {
            everThere.insert(row.id)
        }
    }

    // MARK: Pulling

    private static let token = Identifier<Token>(high: 0x0197_0000_0000_7000, low: 0x8000_0000_0000_0001)
    private var holder: Caller { Caller(token: Self.token, role: nil, coop: nil) }

    /// Whether the page was complete.
    @discardableResult
    private mutating func pull(limit: Int) throws -> Bool {
        let cursor = try device.cursor.map { try test.federation.unseal($0, for: holder) }
        let answer: (page: ChangesPage, shown: [String: HeldRecord])
        do {
            answer = try read(after: cursor, limit: limit)
        } catch ChangesPage.Failure.belowFloor {
            log?.add("below the floor")
            statistics.begunAnew += 1
            device = PullDevice()
            return false
        }
        let (page, shown) = answer
        let entries = try entries(of: page)
        log?.add("pull \(limit) \(cursor.map { "\($0.places)" } ?? "-") -> \(entries.map { "\($0.id.prefix(4)) \($0.reason ?? "put") \($0.rev)" }) \(page.isComplete)")
        try check(page, entries, limit: limit)
        device.apply(entries)
        device.cursor = test.federation.seal(page.cursor, for: holder)
        device.seq = page.seq
        statistics.pages += 1
        guard page.isComplete else { return false }
        statistics.completes += 1
        guard device.copy == shown else { throw Divergence(description: Self.difference(device.copy, shown)) }
        try checkNothingFollows(page)
        return true
    }

    private func read(after cursor: Cursor?, limit: Int) throws -> (page: ChangesPage, shown: [String: HeldRecord]) {
        let heads = test.federation.heads.snapshot
        let (layers, types, epochs) = (layers, types, test.federation.epochs)
        return try test.federation.database.read { connection in
            let page = try ChangesPage(
                after: cursor, types: types, layers: Feed.numbered(layers, by: heads, in: connection), epochs: epochs, limit: limit,
                separator: 0x0A, in: connection)
            return (page, page.isComplete ? try PullOracle.visible(to: layers, types: types, in: connection) : [:])
        }
    }

    private func entries(of page: ChangesPage) throws -> [PullEntry] {
        try page.entries.split(separator: 0x0A).map { line in
            guard let entry = PullEntry(line: line) else { throw Divergence(description: "no entry: \(String(decoding: line, as: UTF8.self))") }
            return entry
        }
    }

    private mutating func check(_ page: ChangesPage, _ entries: [PullEntry], limit: Int) throws {
        guard page.count == entries.count, page.count <= limit else { throw Divergence(description: "\(entries.count) entries, count \(page.count), limit \(limit)") }
        guard page.seq >= device.seq else { throw Divergence(description: "the head fell from \(device.seq) to \(page.seq)") }
        for entry in entries {
            guard entry.rev > 0, entry.rev <= page.seq else { throw Divergence(description: "rev \(entry.rev) of \(entry.id) is beyond the head \(page.seq)") }
            guard types.isEmpty || types.contains(where: { $0.rawValue == entry.type }) else { throw Divergence(description: "\(entry.type) was not asked for") }
            guard everThere.contains(entry.id) else { throw Divergence(description: "\(entry.reason ?? "put") of \(entry.id), which was never there") }
            if entry.held == nil { statistics.removals += 1 } else { statistics.puts += 1 }
        }
    }

    /// Having everything, the device is told nothing more, and stands where the shortcut without SQLite would put it.
    private func checkNothingFollows(_ page: ChangesPage) throws {
        let next = try read(after: page.cursor, limit: 50).page
        guard next.count == 0, next.isComplete, next.cursor == page.cursor, next.cursor == page.cursor.moved(to: page.seq) else {
            throw Divergence(description: "after a complete page at \(page.seq): \(next.count) entries, \(next.cursor)")
        }
    }

    private mutating func pullToTheEnd() throws {
        for _ in 0..<10_000 where try pull(limit: 3) { return }
        throw Divergence(description: "a pull does not end")
    }

    /// A device that begins now has the same after pages of one entry and after one page of all, and there is nothing to remove.
    private mutating func compareLimits() throws {
        let (old, removals) = (device, statistics.removals)
        for limit in [1, 1000] {
            device = PullDevice()
            for _ in 0..<10_000 where try pull(limit: limit) { break }
            guard device.copy == old.copy else { throw Divergence(description: "with limit \(limit): " + Self.difference(device.copy, old.copy)) }
            guard statistics.removals == removals else { throw Divergence(description: "with limit \(limit) a new device hears of removals") }
        }
    }

    private func audit() throws {
        let findings = try test.federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) }
        guard findings.isEmpty else { throw Divergence(description: "the feed is not what the tables say: \(findings)") }
        let head = test.head
        let mended = try test.federation.perform { (tx) throws(DomainError) in try FeedAudit.rebuild(in: tx) }
        guard mended == 0, test.head == head else { throw Divergence(description: "rebuilding an undamaged feed changed \(mended) records") }
    }

    // MARK: Telling

    private static func difference(_ copy: [String: HeldRecord], _ shown: [String: HeldRecord]) -> String {
        let ids = Set(copy.keys).union(shown.keys).filter { copy[$0] != shown[$0] }.sorted()
        func text(_ record: HeldRecord?) -> String { record.map { "\($0.rev).\(Unicode.Scalar($0.layer))" } ?? "nothing" }
        return "the device differs: " + ids.map { "\($0): has \(text(copy[$0])), should have \(text(shown[$0]))" }.joined(separator: "; ")
    }
}
