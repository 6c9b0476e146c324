import Domain

/// Dates as residents read them.
enum FrenchDate {
    private static let weekdays = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]
    private static let months = [
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ]

    /// `jeudi 12 mars 2026`.
    static func day(_ day: Day) -> String {
        // 1970-01-01 was a Thursday.
        let weekday = Int(truncatingIfNeeded: ((day.daysSince1970 + 3) % 7 + 7) % 7)
        return "\(weekdays[weekday]) \(day.dayOfMonth == 1 ? "1er" : String(day.dayOfMonth)) \(months[day.month - 1]) \(day.year)"
    }

    /// `14 h`, `14 h 30`, with spaces at which no line breaks.
    static func time(_ minutes: Int) -> String {
        "\(minutes / 60)\u{A0}h" + (minutes % 60 == 0 ? "" : minutes % 60 < 10 ? "\u{A0}0\(minutes % 60)" : "\u{A0}\(minutes % 60)")
    }

    /// `jeudi 12 mars 2026, de 15 h à 16 h 30`.
    static func span(of session: Session) -> String {
        let (start, end) = (session.timeZone.local(session.startsAt), session.timeZone.local(session.endsAt))
        return "\(day(start.day)), de \(time(start.minutes)) à \(time(end.minutes))"
    }
}
