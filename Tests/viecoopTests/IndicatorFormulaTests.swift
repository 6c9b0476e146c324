import Domain
import Foundation
import SQLite
import TestSupport
import Testing

/// Each figure on five made-up years, against the naive computation over the export.
@Suite("The figures on made-up years")
struct IndicatorFormulaTests {
    /// Made once, since it takes some seconds.
    private static let made = Result { try MadeUpYears() }

    static let windows = [
        Window("the five years", "2020-01-01", "2026-11-22"), Window("a year", "2024-03-15", "2025-03-15"), Window("a month", "2025-10-01", "2025-11-01"),
        Window("the day before the clocks change", "2025-10-25", "2025-10-26"), Window("nothing", "2025-06-01", "2025-06-01"), Window("the future", "2027-01-01", "2028-01-01"),
    ]

    @Test("each formula is what the naive computation says, also of a region and of an activity", arguments: windows)
    func formulas(_ window: Window) throws {
        let made = try Self.made.get()
        for (region, activity) in [(nil, nil), ("FR-HDF", nil), (nil, "rental"), ("FR-OCC", "syndic"), ("FR-974", nil)] as [(String?, String?)] {
            var question = IndicatorQuestion(from: window.first, to: window.end)
            (question.region, question.activity) = (region, activity)
            var query = NaiveIndicators.Query(from: window.first.text, to: window.end.text)
            if region != nil || activity != nil {
                query.coop = { coop in
                    (region == nil || coop.text("region_code") == region) && (activity == nil || (coop["activities"] as? [String])?.contains(activity ?? "") == true)
                }
            }
            for answer in try made.federation.answers(of: Indicator.all, to: question) where answer.indicator.name != "device-freshness" {
                made.expect(answer.result, of: answer.indicator, query, "\(window.name) \(region ?? "") \(activity ?? "")")
            }
        }
    }

    @Test("each breakdown is what the naive computation says of its parts", arguments: Indicator.Grouping.allCases)
    func breakdowns(_ grouping: Indicator.Grouping) throws {
        let made = try Self.made.get()
        let window = grouping == .month ? Window("", "2025-01-20", "2026-12-31") : Window("", "2023-01-01", "2026-01-01")
        var question = IndicatorQuestion(from: window.first, to: window.end)
        question.grouping = grouping
        let ids: [Indicator.Grouping: [String: String]] = [
            .module: made.naive.slugs(of: .module), .theme: made.naive.slugs(of: .theme), .idea: made.naive.slugs(of: .idea),
        ]
        let indicators = Indicator.all.filter { $0.groupings.contains(grouping) && $0.name != "device-freshness" }
        #expect(!indicators.isEmpty)
        for answer in try made.federation.answers(of: indicators, to: question) {
            #expect(!answer.groups.isEmpty)
            for group in answer.groups.prefix(grouping == .idea ? 10 : 100) {
                var query = NaiveIndicators.Query(from: window.first.text, to: window.end.text)
                switch grouping {
                case .region: query.coop = { $0.text("region_code") == group.key }
                case .department: query.coop = { $0.text("department_code") == group.key }
                case .month:
                    query.from = max(query.from, group.key + "-01")
                    query.to = min(query.to, Day(group.key + "-01")?.adding(months: 1).text ?? "")
                case .module: query.module = ids[.module]?[group.key]
                case .theme: query.theme = ids[.theme]?[group.key]
                case .idea: query.idea = ids[.idea]?[group.key]
                }
                made.expect(group.result, of: answer.indicator, query, group.key)
            }
        }
    }

    @Test("five years have something to show in every figure, and nothing is made up about a real co-op")
    func hasSomethingToShow() throws {
        let made = try Self.made.get()
        for answer in try made.federation.answers(of: Indicator.all, to: IndicatorQuestion(from: Window("", "2021-11-01", "2026-11-22").first, to: Day("2026-11-22") ?? made.today))
        where answer.indicator.name != "device-freshness" {
            #expect(answer.result.figure.value != nil && !answer.result.figure.isMasked, "\(answer.indicator.name)")
        }
        #expect(try made.countAtRealCoops() == 0)
    }

    // MARK: Small numbers

    @Test("no pair of answers tells of fewer than ten people", arguments: ["seat-fill", "attendance", "queue-conversion", "unmet-demand", "digital-inclusion", "cancellation-cause"])
    func masks(_ name: String) throws {
        let made = try Self.made.get()
        let indicator = try #require(Indicator.named(name))
        var answers: [Indicator.Result] = []
        var masked = 0
        func ask(_ from: String, _ to: String, _ change: (inout IndicatorQuestion) -> Void = { _ in }) throws {
            var question = IndicatorQuestion(from: Window("", from, to).first, to: Window("", from, to).end)
            change(&question)
            for answer in try made.federation.answers(of: [indicator], to: question) { answers += [answer.result] + answer.groups.map(\.result) }
        }
        // Windows that differ by a day at either end, the whole and its parts, breakdowns with filters.
        for day in 10..<29 {
            try ask("2025-03-01", "2025-03-\(day)")
            try ask("2024-02-\(day)", "2025-03-01")
        }
        for grouping in [Indicator.Grouping.region, .department, .month, .module] {
            for (region, activity) in [(nil, nil), ("FR-HDF", nil), (nil, "rental"), ("FR-HDF", "rental")] as [(String?, String?)] {
                try ask("2025-01-01", "2026-01-01") { ($0.grouping, $0.region, $0.activity) = (grouping, region, activity) }
            }
        }
        var counts: Set<Int> = []
        for result in answers {
            for figure in [result.figure] + result.parts.map(\.figure) {
                if figure.isMasked {
                    masked += 1
                    #expect(figure.value == nil)
                } else if let numerator = figure.numerator, let denominator = figure.denominator {
                    // No finer number hides in the ratio.
                    #expect(figure.value == (denominator == 0 ? nil : Double(numerator) / Double(denominator)))
                }
                counts.formUnion([figure.numerator, figure.denominator].compactMap { $0 })
            }
        }
        for one in counts {
            for other in counts { #expect(!(1...9).contains(abs(one - other)), "\(one) and \(other)") }
        }
        #expect(counts.contains(0) && counts.contains { $0 >= 10 })
        #expect(masked > 0, "small numbers were never asked for")
    }

    @Test("no masked part is pinned down when all others are taken from the whole", arguments: [Indicator.Grouping.region, .department, .module, .month])
    func resistsSubtraction(_ grouping: Indicator.Grouping) throws {
        let made = try Self.made.get()
        var checked = 0
        for start in 0..<40 {
            var question = IndicatorQuestion(from: Day(daysSince1970: 20_000 + Int64(start * 11)), to: Day(daysSince1970: 20_030 + Int64(start * 11)))
            question.grouping = grouping
            for answer in try made.federation.answers(of: Indicator.all.filter { [15, 16, 18, 19].contains($0.number) }, to: question) {
                let parts = answer.groups.map { Self.range($0.result.figure.denominator) }
                for index in parts.indices where parts[index] == 1...9 {
                    let whole = Self.range(answer.result.figure.denominator)
                    let others = parts.indices.filter { $0 != index }.map { parts[$0] }
                    let least = max(1, whole.lowerBound - others.reduce(0) { $0 + $1.upperBound })
                    let most = min(9, whole.upperBound - others.reduce(0) { $0 + $1.lowerBound })
                    checked += 1
                    #expect(most - least >= 2, "\(answer.indicator.name) \(answer.groups[index].key) from \(question.from.text): \(least) to \(most)")
                }
            }
        }
        #expect(checked > 10)
    }

    /// What may stand behind a published count.
    private static func range(_ published: Int?) -> ClosedRange<Int> {
        guard let published else { return 1...9 }
        return published == 0 ? 0...0 : max(10, published - 5)...published + 4
    }
}

struct Window: CustomStringConvertible, Sendable {
    let name: String
    let first: Day
    let end: Day
    var description: String { name }

    init(_ name: String, _ from: String, _ to: String) {
        self.name = name
        guard let first = Day(from), let end = Day(to) else { preconditionFailure("\(from) or \(to) is no date") }
        (self.first, self.end) = (first, end)
    }
}

/// Five years up to 21 November 2026.
private struct MadeUpYears: Sendable {
    let folder = TestFolder()
    let federation: Federation
    // Read only after it was made.
    nonisolated(unsafe) let naive: NaiveIndicators
    let today = Window("", "2026-11-21", "2026-11-21").first

    init() throws {
        let outcome = try Program.run(["demo-history", "--years", "5", "--until", "2026-11-21", "--data", folder.path])
        guard outcome.code == 0 else { throw Program.Failure(what: outcome.errors) }
        var settings = Federation.Settings()
        let now = Timestamp(milliseconds: today.daysSince1970 * 86_400_000 + 43_200_000)
        settings.now = { now }
        settings.keepsHouse = false
        federation = try Federation(directory: folder.path, settings: settings)
        naive = try NaiveIndicators(federation, today: today.text)
    }

    func expect(_ result: Indicator.Result, of indicator: Indicator, _ query: NaiveIndicators.Query, _ comment: String) {
        let own = NaiveIndicators.Answer(result)
        let expected = naive.answer(indicator.name, query)
        #expect(expected.map { own.isLike($0) } == true, "\(indicator.name) \(comment): \(own), not \(String(describing: expected))")
    }

    /// What was made up about co-ops that exist.
    func countAtRealCoops() throws -> Int {
        let tables = ["referent": "coop_id", "appointment": "coop_id", "session": "coop_id", "registration": "coop_id", "adoption": "coop_id", "endorsement": "coop_id", "pairing": "sponsor_coop_id", "meeting": "sponsored_coop_id"]
        return try federation.read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                var count = 0
                for (table, column) in tables {
                    count += try connection.first("SELECT count(*) FROM \(table) JOIN coop ON coop.id = \(column) WHERE NOT fictitious") { Int($0.integer(0)) } ?? 0
                }
                return count
            }
        }
    }
}
