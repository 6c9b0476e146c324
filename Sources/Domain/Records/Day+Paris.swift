import Text

extension Day {
    /// Midnight of the day in Paris, where the federation sits.
    ///
    /// Paris is at UTC+1, and at UTC+2 between 01:00 UTC of the last Sundays of March and October (directive 2000/84/EC).
    package var startInParis: Timestamp {
        let midnight = Timestamp(milliseconds: daysSince1970 * 86_400_000)
        let changes = (Day.lastSunday(of: 3, in: year), Day.lastSunday(of: 10, in: year))
        let isSummer = self > changes.0 && self <= changes.1
        return midnight.adding(seconds: isSummer ? -7200 : -3600)
    }

    private static func lastSunday(of month: Int, in year: Int) -> Day {
        // March and October have 31 days; 1970-01-01 was a Thursday.
        let last = Day("\(String(repeating: "0", count: max(0, 4 - String(year).count)))\(year)-\(month == 3 ? "03" : "10")-31") ?? Day(daysSince1970: 0)
        let weekday = (last.daysSince1970 % 7 + 11) % 7
        return Day(daysSince1970: last.daysSince1970 - weekday)
    }
}
