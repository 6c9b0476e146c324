import Domain
import Foundation
import Testing

@Suite("Time zones of France")
struct ZoneTests {
    @Test("shift as the system's own tables say, every quarter of an hour around both changes of clock and through the years", arguments: Zone.allCases)
    func offsets(zone: Zone) throws {
        let judge = try #require(TimeZone(identifier: zone.rawValue))
        var time = try #require(Timestamp("2024-01-01T00:00:00Z"))
        let end = try #require(Timestamp("2032-01-01T00:00:00Z"))
        while time < end {
            let date = Date(timeIntervalSince1970: Double(time.milliseconds) / 1000)
            #expect(zone.offset(at: time) == Int64(judge.secondsFromGMT(for: date)), "\(time.text)")
            time = time.adding(seconds: [3, 10].contains(time.day.month) && time.day.dayOfMonth > 24 ? 900 : 21_600)
        }
    }

    @Test("show what clocks there show", arguments: [
        (Zone.paris, "2026-03-29T00:59:00Z", "2026-03-29T01:59"), (.paris, "2026-03-29T01:00:00Z", "2026-03-29T03:00"),
        (.paris, "2026-10-25T00:30:00Z", "2026-10-25T02:30"), (.paris, "2026-10-25T01:30:00Z", "2026-10-25T02:30"),
        (.reunion, "2026-06-30T21:00:00Z", "2026-07-01T01:00"), (.guadeloupe, "2026-01-01T02:00:00Z", "2025-12-31T22:00"),
        (.mayotte, "2026-07-01T12:00:00Z", "2026-07-01T15:00"), (.cayenne, "2026-07-01T12:00:00Z", "2026-07-01T09:00"),
    ])
    func local(zone: Zone, utc: String, shown: String) throws { #expect(zone.localText(try #require(Timestamp(utc))) == shown) }

    @Test("find the instant of a local time, also of one that comes twice or never", arguments: [
        (Zone.paris, "2026-03-02", 540, "2026-03-02T08:00:00.000Z"), (.paris, "2026-07-14", 0, "2026-07-13T22:00:00.000Z"),
        (.paris, "2026-10-25", 150, "2026-10-25T00:30:00.000Z"), (.paris, "2026-03-29", 150, "2026-03-29T01:30:00.000Z"),
        (.martinique, "2026-03-02", 720, "2026-03-02T16:00:00.000Z"),
    ])
    func instants(zone: Zone, day: String, minutes: Int, utc: String) throws { #expect(zone.instant(try #require(Day(day)), minutes: minutes).text == utc) }
}
