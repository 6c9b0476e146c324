import Domain

/// The same as a table: a row a number.
enum IndicatorTable {
    private static let columns = [
        "number", "name", "from", "to", "as_of", "region", "activity", "group_by", "group", "group_title", "part", "unit", "numerator", "denominator", "value", "masked", "rev",
    ]

    static func csv(_ answers: [IndicatorAnswer]) -> [UInt8] { CSVTable.write(columns, answers.flatMap(rows)) }

    private static func rows(_ answer: IndicatorAnswer) -> [[String]] {
        let question = answer.question
        var head = [String(answer.indicator.number), answer.indicator.name]
        head += answer.indicator.isPresent ? ["", ""] : [question.from.text, question.to.text]
        head += [answer.asOf.text, question.region ?? "", question.activity ?? "", question.grouping?.rawValue ?? ""]
        var rows = rows(of: answer.result, after: head + ["", ""], answer.rev)
        for group in answer.groups { rows += self.rows(of: group.result, after: head + [group.key, group.title], answer.rev) }
        return rows
    }

    private static func rows(of result: Indicator.Result, after head: [String], _ rev: Int64) -> [[String]] {
        var rows = [head + [""] + cells(result.figure, rev)]
        for part in result.parts { rows.append(head + [part.name] + cells(part.figure, rev)) }
        return rows
    }

    private static func cells(_ figure: Figure, _ rev: Int64) -> [String] {
        let counts = [figure.numerator, figure.denominator].map { $0.map(String.init) ?? "" }
        return [figure.unit.rawValue] + counts + [figure.valueText ?? "", String(figure.isMasked), String(rev)]
    }
}
