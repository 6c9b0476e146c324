/// One number with what it was made of. Nil is "there is nothing to divide by", never 0.
package struct Figure: Sendable, Equatable {
    package enum Unit: String, Sendable, CaseIterable { case ratio, days, count, score, workstations }

    package let unit: Unit
    package private(set) var numerator: Int?
    package private(set) var denominator: Int?
    package private(set) var value: Double?
    /// Whether a number was taken out because it would tell of fewer than ten people.
    package private(set) var isMasked = false

    package static func ratio(_ numerator: Int, of denominator: Int) -> Figure {
        Figure(unit: .ratio, numerator: numerator, denominator: denominator, value: quotient(numerator, denominator))
    }

    package static func count(_ count: Int, _ unit: Unit = .count) -> Figure {
        Figure(unit: unit, numerator: count, denominator: nil, value: Double(count))
    }

    package static func mean(of values: [Int], _ unit: Unit) -> Figure {
        let sum = values.reduce(0, +)
        return Figure(unit: unit, numerator: sum, denominator: values.count, value: quotient(sum, values.count))
    }

    /// The middle value, or halfway between the two in the middle; the denominator says of how many.
    package static func median(of values: [Double], _ unit: Unit) -> Figure {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        let value: Double? = sorted.isEmpty ? nil : sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        return Figure(unit: unit, numerator: nil, denominator: sorted.count, value: value)
    }

    /// How much the first is above the second.
    package static func difference(_ one: Figure, _ other: Figure) -> Figure {
        var figure = Figure(unit: one.unit, numerator: nil, denominator: nil, value: nil)
        if let first = one.value, let second = other.value { figure.value = first - second }
        figure.isMasked = one.isMasked || other.isMasked
        return figure
    }

    private static func quotient(_ numerator: Int, _ denominator: Int) -> Double? { denominator == 0 ? nil : Double(numerator) / Double(denominator) }
}

// MARK: Small numbers

extension Figure {
    /// The same where the numbers count people, fit to leave the house: 1 to 9 are left out, everything else is rounded to tens, and
    /// the ratio is that of the rounded numbers. So any two answers differ by a multiple of ten, and subtracting one from the
    /// other tells of nobody.
    package var ofPeople: Figure {
        var figure = self
        figure.numerator = numerator.flatMap(Figure.rounded)
        figure.denominator = denominator.flatMap(Figure.rounded)
        guard (figure.numerator == nil) == (numerator == nil), (figure.denominator == nil) == (denominator == nil) else {
            (figure.value, figure.isMasked) = (nil, true)
            return figure
        }
        if let numerator = figure.numerator { figure.value = figure.denominator.map { Figure.quotient(numerator, $0) } ?? Double(numerator) }
        return figure
    }

    private static func rounded(_ count: Int) -> Int? { count == 0 ? 0 : count < 10 ? nil : (count + 5) / 10 * 10 }
}
