@testable import Domain
import Foundation
import TestSupport
import Testing

@Suite struct TimestampTests {
    static let readings: [(String, String)] = [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"), ("2026-03-02T10:05:00+01:00", "2026-03-02T09:05:00.000Z"),
        ("2026-03-02t09:05:00z", "2026-03-02T09:05:00.000Z"), ("2026-03-01T23:30:00-01:30", "2026-03-02T01:00:00.000Z"),
        ("2026-03-02T09:05:00.1Z", "2026-03-02T09:05:00.100Z"), ("2026-03-02T09:05:00.1239999Z", "2026-03-02T09:05:00.123Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"), ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"), ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
    ]

    @Test("RFC 3339 is read, and written in UTC with milliseconds", arguments: readings)
    func reading(text: String, written: String) throws {
        let time = try #require(Timestamp(text))
        #expect(time.text == written)
        #expect(Timestamp(written) == time)
    }

    @Test(
        "what is no instant is refused",
        arguments: [
            "", "2026-03-02", "2026-03-02T09:05:00", "2026-03-02 09:05:00Z", "2026-03-02T09:05Z", "2026-03-02T24:00:00Z", "2026-03-02T09:60:00Z",
            "2026-03-02T09:05:60Z", "2026-02-29T09:05:00Z", "2026-13-01T09:05:00Z", "2026-03-02T09:05:00.Z", "2026-03-02T09:05:00+0100",
            "2026-03-02T09:05:00+24:00", "2026-03-02T09:05:00+01:60", "2026-03-02T09:05:00ZZ", "2026-03-02T09:05:00,5Z", "2026-03-02T-9:05:00Z",
            "0000-01-01T00:00:00Z", "２026-03-02T09:05:00Z", "2026-03-02T09:05:00.123456789012345678Z",
        ])
    func refusal(text: String) { #expect(Timestamp(text) == nil) }

    @Test("no text makes it trap", arguments: 1...4 as ClosedRange<UInt64>)
    func anyText(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("0123456789-:TZz.+ é9".unicodeScalars)
        for _ in 0..<3000 {
            var text = Array("2026-03-02T09:05:00.123+01:00".unicodeScalars)
            for _ in 0...3 {
                guard let index = text.indices.randomElement(using: &random) else { continue }
                if random.chance(70) { text[index] = alphabet.randomElement(using: &random) ?? "0" } else { text.removeSubrange(index...) }
            }
            var string = String.UnicodeScalarView()
            string.append(contentsOf: text)
            if let time = Timestamp(String(string)) { #expect(time.text.utf8.count == 24) }
        }
    }
}

@Suite struct DayTests {
    @Test("the calendar is that of a naive walk from 1850 to 2200")
    func walk() throws {
        var (year, month, day) = (1850, 1, 1)
        var count = try #require(Day("1850-01-01")).daysSince1970
        #expect(count == -43_829)
        while year < 2201 {
            let stepped = Day(daysSince1970: count)
            guard stepped.year == year, stepped.month == month, stepped.dayOfMonth == day, stepped.daysSince1970 == count else {
                Issue.record("day \(count) is \(stepped.text), not \(year)-\(month)-\(day)")
                return
            }
            let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            count += 1
            day += 1
            if day > lengths[month - 1] { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }

    @Test("days are read, printed and ordered", arguments: ["0001-01-01", "1850-02-28", "2000-02-29", "2026-12-31", "9999-12-31"])
    func roundTrip(text: String) throws {
        let day = try #require(Day(text))
        #expect(day.text == text)
        #expect(Day(daysSince1970: day.daysSince1970) == day)
        #expect(Day(daysSince1970: day.daysSince1970 - 1) < day || text == "0001-01-01")
    }

    @Test(
        "what is no day is refused",
        arguments: [
            "", "2026-2-3", "2026-02-30", "1900-02-29", "2026-00-10", "2026-13-10", "2026-10-00", "2026-04-31", "0000-01-01", "2026/01/01", "20260101",
            "2026-01-01 ", "+026-01-01", "2026-01-é1", "2026-W01-1",
        ])
    func refusal(text: String) { #expect(Day(text) == nil) }

    @Test("days beyond the years 1 to 9999 are their ends", arguments: [(Int64.min, "0001-01-01"), (Int64.max, "9999-12-31")])
    func clamped(count: Int64, text: String) { #expect(Day(daysSince1970: count).text == text) }

    static let midnights: [(String, String)] = [
        ("2026-01-15", "2026-01-14T23:00:00.000Z"), ("2026-07-15", "2026-07-14T22:00:00.000Z"),
        ("2026-03-29", "2026-03-28T23:00:00.000Z"), ("2026-03-30", "2026-03-29T22:00:00.000Z"),
        ("2026-10-25", "2026-10-24T22:00:00.000Z"), ("2026-10-26", "2026-10-25T23:00:00.000Z"),
        ("2027-03-28", "2027-03-27T23:00:00.000Z"), ("2027-10-31", "2027-10-30T22:00:00.000Z"), ("2027-11-01", "2027-10-31T23:00:00.000Z"),
    ]

    @Test("midnight in Paris follows both changes of the clock", arguments: midnights)
    func midnight(day: String, instant: String) throws { #expect(try #require(Day(day)).startInParis.text == instant) }

    @Test("midnight in Paris is that of the time zone database, from 2000 to 2037")
    func midnightsOfTheDatabase() throws {
        // A machine without time zones has nothing to compare with.
        guard let paris = TimeZone(identifier: "Europe/Paris") else { return }
        let first = try #require(Day("2000-01-01")).daysSince1970
        for count in first..<(first + 38 * 365) {
            let start = Day(daysSince1970: count).startInParis
            let offset = paris.secondsFromGMT(for: Date(timeIntervalSince1970: Double(start.milliseconds) / 1000))
            guard start.milliseconds / 1000 + Int64(offset) == count * 86_400 else {
                Issue.record("\(Day(daysSince1970: count).text) begins at \(start.text)?")
                return
            }
        }
    }
}
