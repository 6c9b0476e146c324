import Domain
import JSON

extension JSONWriter {
    mutating func indicator(_ answer: IndicatorAnswer) {
        beginObject()
        member("number", answer.indicator.number)
        member("name", answer.indicator.name)
        key("title")
        beginObject()
        member("fr", answer.indicator.title.fr)
        member("en", answer.indicator.title.en)
        endObject()
        key("window")
        if answer.indicator.isPresent {
            null()
        } else {
            beginObject()
            member("from", answer.question.from.text)
            member("to", answer.question.to.text)
            endObject()
        }
        member("as_of", answer.asOf.text)
        member("region", answer.question.region)
        member("activity", answer.question.activity)
        key("rev")
        integer(answer.rev)
        result(answer.result)
        member("group_by", answer.question.grouping?.rawValue)
        key("groupings")
        beginArray()
        for grouping in Indicator.Grouping.allCases where answer.indicator.groupings.contains(grouping) { string(grouping.rawValue) }
        endArray()
        if answer.question.grouping != nil {
            key("groups")
            beginArray()
            for group in answer.groups {
                beginObject()
                member("key", group.key)
                member("title", group.title)
                result(group.result)
                endObject()
            }
            endArray()
        }
        endObject()
    }

    private mutating func result(_ result: Indicator.Result) {
        figure(result.figure)
        key("parts")
        beginArray()
        for part in result.parts {
            beginObject()
            member("name", part.name)
            figure(part.figure)
            endObject()
        }
        endArray()
    }

    private mutating func figure(_ figure: Figure) {
        member("unit", figure.unit.rawValue)
        for (name, number) in [("numerator", figure.numerator), ("denominator", figure.denominator)] {
            key(name)
            if let number { integer(Int64(number)) } else { null() }
        }
        key("value")
        if let text = figure.valueText { raw(text) } else { null() }
        member("masked", figure.isMasked)
    }
}

extension Figure {
    /// As a decimal number with at most four digits behind the point.
    var valueText: String? {
        guard let value, let scaled = Int64(exactly: (value * 10_000).rounded()) else { return nil }
        let (whole, rest) = scaled.magnitude.quotientAndRemainder(dividingBy: 10_000)
        let digits = String(rest + 10_000).dropFirst()
        let kept = rest == 0 ? "" : "." + String(digits.reversed().drop { $0 == "0" }.reversed())
        return (scaled < 0 ? "-" : "") + String(whole) + kept
    }
}
