import Text

/// One of the federation's figures: what it is called, what it is made from, and how.
package struct Indicator: Sendable {
    /// By what an answer may be broken down.
    package enum Grouping: String, Sendable, CaseIterable { case region, department, month, module, theme, idea }

    /// Its place in the federation's list, from 1.
    package let number: Int
    package let name: String
    package let title: Bilingual
    package let groupings: Set<Grouping>
    /// What it is made from: as long as none of it changes, neither does the figure.
    let facts: Set<Facts.Part>
    /// Tells of today, whatever the window.
    package let isPresent: Bool
    let compute: @Sendable (Facts, Scope) -> Result

    package struct Result: Sendable, Equatable {
        package let figure: Figure
        /// What stands beside it: the steps of a funnel, causes, a second measure.
        package var parts: [Part] = []
    }

    package struct Part: Sendable, Equatable {
        package let name: String
        package let figure: Figure

        init(_ name: String, _ figure: Figure) {
            self.name = name
            self.figure = figure
        }
    }

    init(
        _ number: Int, _ name: String, en: String, fr: String, by groupings: Set<Grouping>, from facts: Set<Facts.Part>, isPresent: Bool = false,
        _ compute: @escaping @Sendable (Facts, Scope) -> Result
    ) {
        self.number = number
        self.name = name
        title = Bilingual(en: en, fr: fr)
        self.groupings = groupings
        self.facts = facts.union([.coops])
        self.isPresent = isPresent
        self.compute = compute
    }

    /// All of them, in the federation's order.
    package static let all = (referents + ideas + pairings + sessions + means).sorted { $0.number < $1.number }

    package static func named(_ name: String) -> Indicator? { all.first { $0.name == name } }
}

/// What a figure is asked of: a time, and a part of the network.
struct Scope: Sendable {
    /// Days since 1970, local ones.
    var window: Range<Int>
    let today: Int
    /// Up to this age, in years, a co-op is new.
    let newYears: Int
    /// Nil: all.
    var coops: Set<Identifier<Coop>>?
    var module: Identifier<Module>?
    var theme: Identifier<Theme>?
    var idea: Identifier<Idea>?

    /// The day of which a state is told: the window's last one, or today where that has not come yet.
    var day: Int { min(window.upperBound - 1, today) }

    func holds(_ coop: Identifier<Coop>) -> Bool { coops?.contains(coop) ?? true }
    /// Records without a co-op, such as the workshop's ideas, belong to the whole network only.
    func holds(_ coop: Identifier<Coop>?) -> Bool { coop.map { holds($0) } ?? (coops == nil) }
    func holds(day: Int) -> Bool { window.contains(day) }
}
