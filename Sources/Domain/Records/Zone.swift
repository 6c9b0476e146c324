/// A time zone of France. Only metropolitan France changes its clocks: UTC+2 instead of +1 between 01:00 UTC of the last
/// Sundays of March and October (directive 2000/84/EC).
package enum Zone: String, Sendable, CaseIterable {
    case paris = "Europe/Paris"
    case guadeloupe = "America/Guadeloupe"
    case martinique = "America/Martinique"
    case cayenne = "America/Cayenne"
    case reunion = "Indian/Reunion"
    case mayotte = "Indian/Mayotte"

    /// Seconds that clocks there are ahead of UTC.
    package func offset(at time: Timestamp) -> Int64 {
        switch self {
        case .guadeloupe, .martinique: return -4 * 3600
        case .cayenne: return -3 * 3600
        case .reunion: return 4 * 3600
        case .mayotte: return 3 * 3600
        case .paris:
            let year = time.day.year
            let isSummer = time >= Zone.change(3, year) && time < Zone.change(10, year)
            return isSummer ? 7200 : 3600
        }
    }

    /// What clocks show there: the date, and minutes since midnight.
    package func local(_ time: Timestamp) -> (day: Day, minutes: Int) {
        let shifted = time.adding(seconds: offset(at: time))
        let inDay = shifted.milliseconds - shifted.day.daysSince1970 * 86_400_000
        return (shifted.day, Int(truncatingIfNeeded: inDay / 60_000))
    }

    /// As `YYYY-MM-DDTHH:MM`.
    package func localText(_ time: Timestamp) -> String {
        let (day, minutes) = local(time)
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        return "\(day.text)T\(two(minutes / 60)):\(two(minutes % 60))"
    }

    /// The instant at which clocks there show this. Of an hour that comes twice it is the first; one that is left out counts on.
    package func instant(_ day: Day, minutes: Int) -> Timestamp {
        let shown = Timestamp(milliseconds: day.daysSince1970 * 86_400_000 + Int64(minutes) * 60_000)
        let early = shown.adding(seconds: -offset(at: shown.adding(seconds: -14_400)))
        let late = shown.adding(seconds: -offset(at: early))
        return early.adding(seconds: offset(at: early)) != shown && late.adding(seconds: offset(at: late)) == shown ? late : early
    }

    /// 01:00 UTC of the month's last Sunday; March and October have 31 days, and 1970-01-01 was a Thursday.
    private static func change(_ month: Int, _ year: Int) -> Timestamp {
        let padded = String(repeating: "0", count: max(0, 4 - String(year).count)) + String(year)
        let last = (Day("\(padded)-\(month == 3 ? "03" : "10")-31") ?? Day(daysSince1970: 0)).daysSince1970
        let weekday = (last % 7 + 11) % 7
        return Timestamp(milliseconds: (last - weekday) * 86_400_000 + 3_600_000)
    }
}

extension Day {
    /// Midnight of the day in Paris, where the federation sits.
    package var startInParis: Timestamp { Zone.paris.instant(self, minutes: 0) }
}
