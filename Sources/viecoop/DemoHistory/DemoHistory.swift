import Domain
import Embedded
import JSON
import Synchronization

/// Made-up years of the sample data's invented co-ops, told week by week through the same rules that clients meet, by a clock of
/// their own: what the rules refuse did not happen.
///
/// Unchecked: only the writer thread looks at it, while whoever asked waits.
final class DemoHistory: @unchecked Sendable {
    var dice: Dice
    var houses: [House] = []
    var publishedIdeas: [Identifier<Idea>] = []
    var openIdeas: [(id: Identifier<Idea>, week: Int)] = []
    var pairings: [DemoPairing] = []
    var themes: [Identifier<Theme>] = []
    var modules: [Identifier<Module>] = []
    var people = 0
    private(set) var written = 0

    private init(seed: UInt64) { dice = Dice(seed: seed) }

    /// - Parameters:
    ///   - end: the last day of the history; nil: today.
    ///   - coops: invents further co-ops until there are so many.
    /// - Returns: how many records it wrote.
    /// - Throws: `Failure` where the folder has a history already.
    static func make(in folder: String, seed: UInt64, years: Int, coops: Int = 0, end: Day? = nil) throws -> Int {
        let clock = Clock(Timestamp.now())
        var settings = Federation.Settings()
        settings.now = { clock.time }
        settings.keepsHouse = false
        let federation = try Federation(directory: folder, settings: settings)
        defer { federation.close() }
        let end = end ?? clock.time.day
        clock.time = morning(of: end, daysBefore: 0)
        let files = Embedded.sampleData.map { ImportFile(name: $0.name, bytes: $0.bytes) }
        _ = try Import.run(files, dryRun: false, into: federation) { _, _ in }
        let history = DemoHistory(seed: seed)
        try federation.perform(as: .undoing) { (tx) throws(DomainError) in try history.cast(atLeast: coops, in: tx) }
        if try federation.read({ (connection) throws(DomainError) in try history.hasRun(in: connection) }) {
            throw Failure("\(folder) has a history already; use another folder with --data")
        }
        // The samples are of today; what is made up lies before it.
        let weeks = years * 365 / 7
        for week in 0..<weeks {
            clock.time = morning(of: end, daysBefore: (weeks - week) * 7)
            try federation.perform(as: .undoing) { (tx) throws(DomainError) in try history.live(week, in: tx) }
        }
        clock.time = morning(of: end, daysBefore: 0)
        // Names are forgotten as the rules have it, so that the first night is not busy with five years.
        _ = try federation.applyRetention()
        return history.written
    }

    private static func morning(of day: Day, daysBefore count: Int) -> Timestamp {
        Timestamp(milliseconds: (day.daysSince1970 - Int64(count)) * 86_400_000 + 9 * 3_600_000)
    }

    private func live(_ week: Int, in tx: Transaction) throws(DomainError) {
        try Due.run(in: tx)
        for index in houses.indices {
            try liveReferents(index, in: tx)
            try liveIdeas(index, in: tx)
            try liveSessions(index, week, in: tx)
        }
        try decideIdeas(week, in: tx)
        try livePairings(week, in: tx)
    }

    // MARK: Writing

    /// A part of the story; what is refused is left out.
    @discardableResult
    func tell<Result>(in tx: Transaction, _ body: () throws(DomainError) -> Result) throws(DomainError) -> Result? {
        switch try tx.attempt(body) {
        case .success(let result): return result
        case .failure: return nil
        }
    }

    func add<R: Record>(_ type: R.Type, _ members: [(String, JSON)], by caller: Caller = .operatorItself, in tx: Transaction) throws(DomainError) -> R {
        let draft = try Draft<R>(Self.object(members), for: .create)
        written += 1
        return try R.store.create(draft, by: caller, in: tx).record
    }

    static func object(_ members: [(String, JSON)]) -> JSON { .object(members.map { JSON.Member($0.0, $0.1) }) }

    private final class Clock: Sendable {
        private let now: Mutex<Timestamp>
        init(_ now: Timestamp) { self.now = Mutex(now) }
        var time: Timestamp {
            get { now.withLock { $0 } }
            set { now.withLock { $0 = newValue } }
        }
    }
}

/// SplitMix64: the same history everywhere for the same seed.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// True so many times in a thousand.
    mutating func permille(_ chance: Int) -> Bool { roll(1000) < chance }
    mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<max(1, sides), using: &self) }
    mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &self) }
}
