import Domain

/// Sessions as a calendar (RFC 5545), in UTC, so that no time zone has to be described.
enum ICalendar {
    static let mediaType = "text/calendar"

    /// - Parameter isSingle: the calendar is about one session: called off, it says so to programs that hold it (RFC 5546 section 3.2.5).
    static func write(_ sheets: [SessionSheet], isSingle: Bool) -> [UInt8] {
        let isCancelled = isSingle && sheets.first?.session.status == .cancelled
        var lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//viecoop//FR", "CALSCALE:GREGORIAN", "METHOD:\(isCancelled ? "CANCEL" : "PUBLISH")"]
        for sheet in sheets { lines += event(sheet) }
        lines.append("END:VCALENDAR")
        return lines.flatMap { fold($0) + [0x0D, 0x0A] }
    }

    private static func event(_ sheet: SessionSheet) -> [String] {
        let session = sheet.session
        let place = [sheet.site.name, sheet.site.address, sheet.coop.city].compactMap { $0 }.joined(separator: ", ")
        var about = "\(sheet.coop.name) : suivre ensemble le module « \(sheet.module.title) » du MOOC."
        if let phone = sheet.coop.phone { about += "\nInscription : \(phone)" }
        return [
            "BEGIN:VEVENT", "UID:\(session.id)@viecoop", "SEQUENCE:\(session.icalSequence)", "DTSTAMP:\(instant(session.meta.updated))",
            "DTSTART:\(instant(session.startsAt))", "DTEND:\(instant(session.endsAt))",
            "SUMMARY:\(escaped("MOOC : \(sheet.module.title)"))", "LOCATION:\(escaped(place))", "DESCRIPTION:\(escaped(about))",
            "STATUS:\(session.status == .cancelled ? "CANCELLED" : "CONFIRMED")", "END:VEVENT",
        ]
    }

    /// `20260312T140000Z`.
    private static func instant(_ time: Timestamp) -> String { String(time.text.filter { $0 != "-" && $0 != ":" }.prefix(15)) + "Z" }

    /// Section 3.3.11.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "\\", ";", ",": escaped += "\\\(character)"
            case "\n", "\r\n": escaped += "\\n"
            case "\r": break
            default: escaped.append(character)
            }
        }
    }

    /// Lines of at most 75 octets, a space before each that goes on, no character split (section 3.1).
    private static func fold(_ line: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var length = 0
        for scalar in line.unicodeScalars {
            let octets = Array(String(scalar).utf8)
            if length + octets.count > 75 {
                bytes += [0x0D, 0x0A, 0x20]
                length = 1
            }
            bytes += octets
            length += octets.count
        }
        return bytes
    }
}
