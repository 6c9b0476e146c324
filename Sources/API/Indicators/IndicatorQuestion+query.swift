import Domain
import HTTP

extension IndicatorQuestion {
    /// Twenty years: enough for any history, and an end to the months of a breakdown.
    private static let longest: Int64 = 7305
    private static let known = ["from", "to", "region", "activity", "group_by"]

    /// - Parameter indicator: the one that is asked for; nil: all of them, which have no breakdown in common.
    /// - Throws: 400 for a parameter that is not known, stands twice or has a value that can't be.
    init(_ call: Call, of indicator: Indicator?, today: Day) throws(Problem) {
        try call.takesEachParameterOnce()
        let known = indicator == nil ? Self.known.dropLast() : Self.known[...]
        if let other = call.query.first(where: { !known.contains($0.name) }) {
            let names = known.joined(separator: ", ")
            throw .parameter(
                other.name, code: "parameter.unknown", en: "`\(other.name)` is not known here; known are \(names).",
                fr: "`\(other.name)` est inconnu ici ; sont connus \(names).")
        }
        func value(_ name: String) -> String? { call.query.first { $0.name == name }?.value }
        func day(_ name: String) throws(Problem) -> Day? {
            guard let text = value(name) else { return nil }
            guard let day = Day(text) else {
                throw .parameter(name, en: "`\(name)` must be a date such as 2026-03-02.", fr: "`\(name)` doit être une date comme 2026-03-02.")
            }
            return day
        }
        let to = try day("to") ?? Day(daysSince1970: today.daysSince1970 + 1)
        let from = try day("from") ?? to.adding(months: -12)
        guard from <= to else {
            throw .parameter("to", en: "`to` must not lie before `from` (\(from.text)).", fr: "`to` ne doit pas précéder `from` (\(from.text)).")
        }
        guard to.daysSince1970 - from.daysSince1970 <= Self.longest else {
            throw .parameter("from", en: "The window must not be longer than 20 years.", fr: "La période ne doit pas dépasser 20 ans.")
        }
        self.init(from: from, to: to)
        if let region = value("region") {
            guard Department.regionNames.contains(where: { $0.code == region }) else {
                throw .parameter("region", en: "`region` must be a region's ISO 3166-2 code, such as FR-BRE.", fr: "`region` doit être le code ISO 3166-2 d'une région, comme FR-BRE.")
            }
            self.region = region
        }
        activity = value("activity")
        if let text = value("group_by"), let indicator {
            guard let grouping = Indicator.Grouping(rawValue: text), indicator.groupings.contains(grouping) else {
                let names = Indicator.Grouping.allCases.filter(indicator.groupings.contains).map(\.rawValue).joined(separator: ", ")
                throw .parameter("group_by", en: "\(indicator.name) can be broken down by: \(names).", fr: "\(indicator.name) se ventile par : \(names).")
            }
            self.grouping = grouping
        }
    }
}
