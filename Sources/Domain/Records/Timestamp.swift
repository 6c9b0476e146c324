import Glibc
import SQLite

/// An instant in UTC, in whole milliseconds since 1970; written as RFC 3339 (`2026-03-02T09:05:00.000Z`).
package struct Timestamp: Hashable, Comparable, Sendable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// The system's clock.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    package func adding(seconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds + seconds * 1000) }

    package var day: Day { Day(daysSince1970: milliseconds.flooredQuotient(by: 86_400_000)) }

    package var text: String {
        String(unsafeUninitializedCapacity: Self.length) { buffer in
            fill(buffer)
            return Self.length
        }
    }

    static let length = 24

    /// Writes the text's bytes.
    func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        let day = day
        let inDay = Int(milliseconds - milliseconds.flooredQuotient(by: 86_400_000) * 86_400_000)
        func put(_ value: Int, _ at: Int, _ width: Int, _ sign: Unicode.Scalar) {
            var value = value
            for offset in stride(from: width - 1, through: 0, by: -1) {
                buffer[at + offset] = 0x30 + UInt8(truncatingIfNeeded: value % 10)
                value /= 10
            }
            buffer[at + width] = UInt8(ascii: sign)
        }
        put(day.year, 0, 4, "-")
        put(day.month, 5, 2, "-")
        put(day.dayOfMonth, 8, 2, "T")
        put(inDay / 3_600_000, 11, 2, ":")
        put(inDay / 60_000 % 60, 14, 2, ":")
        put(inDay / 1000 % 60, 17, 2, ".")
        put(inDay % 1000, 20, 3, "Z")
    }

    /// Reads RFC 3339 in UTC or with an offset, with or without a fraction: `2026-03-02T10:05:00+01:00`.
    package init?(_ text: String) {
        guard let time = text.utf8.withContiguousStorageIfAvailable({ Timestamp(utf8: $0) }) ?? Array(text.utf8).withUnsafeBufferPointer({ Timestamp(utf8: $0) })
        else { return nil }
        self = time
    }

    init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        guard bytes.count >= 20, bytes.count <= 35, bytes[10] == 0x54 || bytes[10] == 0x74, bytes[13] == 0x3A, bytes[16] == 0x3A,
            let day = Day(utf8: bytes[..<10]),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var position = 19
        var fraction: Int64 = 0
        if bytes[position] == 0x2E {
            let end = bytes[(position + 1)...].firstIndex { !(0x30...0x39).contains($0) } ?? bytes.count
            guard end > position + 1 else { return nil }
            let digits = bytes[(position + 1)..<min(end, position + 4)]
            fraction = digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
            for _ in digits.count..<3 { fraction *= 10 }
            position = end
        }
        var offset: Int64 = 0
        if position + 1 == bytes.count, bytes[position] == 0x5A || bytes[position] == 0x7A {
            offset = 0
        } else if position + 6 == bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D, bytes[position + 3] == 0x3A,
            let hours = number((position + 1)..<(position + 3)), let minutes = number((position + 4)..<(position + 6)), hours < 24, minutes < 60
        {
            offset = (hours * 60 + minutes) * (bytes[position] == 0x2B ? 1 : -1)
        } else {
            return nil
        }
        let inDay = ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction
        self.init(milliseconds: day.daysSince1970 * 86_400_000 + inDay)
    }
}

/// A calendar date without time or zone, 0001 to 9999; written `2026-03-02`.
package struct Day: Hashable, Comparable, Sendable {
    package let year: Int
    package let month: Int
    package let dayOfMonth: Int

    /// - Returns: nil unless the text is `YYYY-MM-DD` and the day exists.
    package init?(_ text: String) { self.init(utf8: Array(text.utf8)[...]) }

    init?<Bytes: RandomAccessCollection<UInt8>>(utf8 bytes: Bytes) where Bytes.Index == Int {
        let start = bytes.startIndex
        guard bytes.count == 10, bytes[start + 4] == 0x2D, bytes[start + 7] == 0x2D else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            let digits = bytes[(start + range.lowerBound)..<(start + range.upperBound)]
            return digits.allSatisfy { (0x30...0x39).contains($0) } ? digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } : nil
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            year >= 1, (1...12).contains(month), day >= 1, day <= Day.length(of: month, in: year)
        else { return nil }
        (self.year, self.month, dayOfMonth) = (year, month, day)
    }

    /// Counts from 1970-01-01, by the civil calendar's 400-year cycle of 146,097 days; clamped to years 1 to 9999.
    package init(daysSince1970 days: Int64) {
        let shifted = min(max(days, -719_162), 2_932_896) + 719_468
        let era = shifted.flooredQuotient(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        dayOfMonth = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    package var daysSince1970: Int64 {
        let year = Int64(month <= 2 ? self.year - 1 : self.year)
        let era = year.flooredQuotient(by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + dayOfMonth - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The same day of a later month, or that month's last.
    package func adding(months count: Int) -> Day {
        let months = year * 12 + month - 1 + count
        let (year, month) = (min(max(months / 12, 1), 9999), months % 12 + 1)
        let first = Day("\(Day.padded(year, 4))-\(Day.padded(month, 2))-01") ?? self
        return Day(daysSince1970: first.daysSince1970 + Int64(min(dayOfMonth, Day.length(of: month, in: year)) - 1))
    }

    package func days(since other: Day) -> Int { Int(daysSince1970 - other.daysSince1970) }

    package static func < (left: Day, right: Day) -> Bool { (left.year, left.month, left.dayOfMonth) < (right.year, right.month, right.dayOfMonth) }

    package var text: String { Day.padded(year, 4) + "-" + Day.padded(month, 2) + "-" + Day.padded(dayOfMonth, 2) }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func length(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Int64 {
    /// Division that rounds down also below zero.
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

extension Statement {
    /// - Returns: nil where the column holds no time.
    func time(_ column: Int) -> Timestamp? { withUTF8(column) { Timestamp(utf8: $0) } }
}
