import SQLite
import Synchronization

/// What somebody wants to know of the federation's figures.
package struct IndicatorQuestion: Hashable, Sendable {
    /// Half open: the last day is not in it.
    package let from: Day
    package let to: Day
    package var region: String?
    package var activity: String?
    package var grouping: Indicator.Grouping?

    package init(from: Day, to: Day) {
        self.from = from
        self.to = to
    }
}

package struct IndicatorAnswer: Sendable {
    package let indicator: Indicator
    package let question: IndicatorQuestion
    /// The day of which a state is told.
    package let asOf: Day
    /// The newest change that it takes into account; the same for as long as nothing that it is made from changes.
    package let rev: Int64
    package let result: Indicator.Result
    package let groups: [Group]

    package struct Group: Sendable {
        package let key: String
        package let title: String
        package let result: Indicator.Result
    }
}

/// What an answer depends on beside the question: while it stays the same, so does the answer.
package struct IndicatorStamp: Hashable, Sendable {
    fileprivate let versions: [Int64]
    fileprivate let today: Day
    fileprivate let devices: [DeviceFact]
}

/// Keeps the facts that figures are made from, and the answers, until something that they depend on changes.
final class IndicatorBoard: Sendable {
    private struct State {
        var facts = Facts()
        /// The versions of the types that each part was read at.
        var read: [Facts.Part: [Int64]] = [:]
    }

    private let state = Mutex(State())
    fileprivate let answers = StampedCache<AnswerKey, IndicatorStamp, IndicatorAnswer>(limit: 2000)

    fileprivate struct AnswerKey: Hashable, Sendable {
        let number: Int
        let question: IndicatorQuestion
    }

    /// The facts of these parts, of which those are read that have changed.
    fileprivate func facts(of parts: Set<Facts.Part>, at heads: Heads.Snapshot, in federation: Federation) throws(DomainError) -> Facts {
        var (facts, read) = state.withLock { ($0.facts, $0.read) }
        let stale = parts.filter { $0 != .devices && read[$0] != heads.versions(of: $0.types) }
        if !stale.isEmpty {
            facts = try federation.read { (connection) throws(DomainError) in
                try storing { () throws(DatabaseError) in
                    var facts = facts
                    // In their order: what is read later may look at what was read before.
                    for part in Facts.Part.allCases where stale.contains(part) { try facts.load(part, in: connection) }
                    return facts
                }
            }
            for part in stale { read[part] = heads.versions(of: part.types) }
            state.withLock { $0 = State(facts: facts, read: read) }
        }
        return facts
    }
}

extension Federation {
    /// The date in Paris, where the federation sits.
    package var indicatorToday: Day { Zone.paris.local(now()).day }

    /// What the answers of these indicators depend on now.
    package func indicatorStamp(of indicators: [Indicator]) -> IndicatorStamp {
        let parts = Set(indicators.flatMap(\.facts))
        return stamp(of: parts, at: heads.snapshot, parts.contains(.devices) ? deviceFacts : [])
    }

    /// The answers to a question, in the order of the indicators.
    package func answers(of indicators: [Indicator], to question: IndicatorQuestion) throws(DomainError) -> [IndicatorAnswer] {
        let snapshot = heads.snapshot
        let parts = Set(indicators.flatMap(\.facts))
        let devices = parts.contains(.devices) ? deviceFacts : []
        var answers: [IndicatorAnswer] = []
        var facts: Facts?
        for indicator in indicators {
            let key = IndicatorBoard.AnswerKey(number: indicator.number, question: question)
            let stamp = stamp(of: indicator.facts, at: snapshot, devices)
            if let known = board.answers.value(for: key, at: stamp) {
                answers.append(known)
                continue
            }
            if facts == nil {
                facts = try board.facts(of: parts, at: snapshot, in: self)
                facts?.devices = devices
            }
            guard let facts else { continue }
            let answer = answer(indicator, question, facts, on: stamp.today, rev: stamp.versions.max() ?? 0)
            board.answers.keep(answer, for: key, at: stamp)
            answers.append(answer)
        }
        return answers
    }

    private func stamp(of parts: Set<Facts.Part>, at snapshot: Heads.Snapshot, _ devices: [DeviceFact]) -> IndicatorStamp {
        let types = Facts.Part.allCases.filter(parts.contains).flatMap(\.types)
        return IndicatorStamp(versions: snapshot.versions(of: types), today: indicatorToday, devices: parts.contains(.devices) ? devices : [])
    }

    private func answer(_ indicator: Indicator, _ question: IndicatorQuestion, _ facts: Facts, on today: Day, rev: Int64) -> IndicatorAnswer {
        let day = Int(today.daysSince1970)
        let window = indicator.isPresent ? day..<day + 1 : Int(question.from.daysSince1970)..<Int(question.to.daysSince1970)
        var scope = Scope(window: window, today: day, newYears: pairingLimits.newYears)
        if question.region != nil || question.activity != nil {
            let chosen = facts.coops.filter { coop in
                (question.region.map { coop.value.region == $0 } ?? true) && (question.activity.map { coop.value.activities.contains($0) } ?? true)
            }
            scope.coops = Set(chosen.keys)
        }
        let groups = question.grouping.map { facts.groups(by: $0, in: scope, region: question.region) } ?? []
        return IndicatorAnswer(
            indicator: indicator, question: question, asOf: Day(daysSince1970: Int64(scope.day)), rev: rev, result: indicator.compute(facts, scope),
            groups: groups.map { IndicatorAnswer.Group(key: $0.key, title: $0.title, result: indicator.compute(facts, $0.scope)) })
    }

    /// Which good tokens of devices there are, and whether each was seen within a week with a copy that was complete then.
    private var deviceFacts: [DeviceFact] {
        let now = now()
        return tokens.all().compactMap { token in
            guard token.role == .referent, token.revoked == nil, token.expires.map({ $0 > now }) ?? true, let coop = token.coop else { return nil }
            let seen = sightings.of(token.id)
            let isComplete = seen.flatMap { seen in seen.position.flatMap { position in seen.head.map { position >= $0 } } } ?? false
            return DeviceFact(coop: coop, isFresh: isComplete && seen.map { $0.at >= now.adding(seconds: -7 * 86_400) } ?? false)
        }
    }
}

extension Facts {
    /// The scopes into which a breakdown divides one, in the order of the federation's lists.
    fileprivate func groups(by grouping: Indicator.Grouping, in scope: Scope, region: String?) -> [(key: String, title: String, scope: Scope)] {
        func part(_ key: String, _ title: String, _ change: (inout Scope) -> Void) -> (key: String, title: String, scope: Scope) {
            var part = scope
            change(&part)
            return (key, title, part)
        }
        func place(_ key: String, _ title: String, _ isThere: (CoopFact) -> Bool) -> (key: String, title: String, scope: Scope) {
            part(key, title) { part in part.coops = Set(coops.filter { isThere($0.value) && scope.holds($0.key) }.keys) }
        }
        switch grouping {
        case .region:
            return Department.regionNames.filter { region == nil || region == $0.code }.map { entry in place(entry.code, entry.name) { $0.region == entry.code } }
        case .department:
            let codes = Set(coops.values.filter { region == nil || region == $0.region }.map(\.department))
            return codes.sorted().map { code in place(code, code) { $0.department == code } }
        case .month:
            return scope.months.map { month in part(month.key, month.key) { $0.window = month.window } }
        case .module: return modules.map { module in part(module.slug, module.title) { $0.module = module.id } }
        case .theme: return themes.map { theme in part(theme.slug, theme.title) { $0.theme = theme.id } }
        case .idea:
            return ideas.filter { $0.isShared && ($0.status == .published || $0.status == .archived) }.sorted { $0.slug < $1.slug }
                .map { idea in part(idea.slug, idea.title) { $0.idea = idea.id } }
        }
    }
}

extension Scope {
    /// The calendar months of the window, cut off where it begins and ends, but none that is still to come.
    fileprivate var months: [(key: String, window: Range<Int>)] {
        var months: [(key: String, window: Range<Int>)] = []
        var start = window.lowerBound
        while start < window.upperBound, start <= today {
            let day = Day(daysSince1970: Int64(start))
            let later = day.adding(months: 1)
            let next = Int(later.daysSince1970) - later.dayOfMonth + 1
            guard next > start else { break }
            months.append((String(day.text.prefix(7)), start..<min(next, window.upperBound)))
            start = next
        }
        return months
    }
}
