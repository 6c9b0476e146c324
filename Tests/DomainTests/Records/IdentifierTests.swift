import Domain
import SQLite
import TestSupport
import Testing

@Suite struct IdentifierTests {
    @Test(
        "an id is printed as it was read",
        arguments: ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "0197aa3c-1234-7abc-89ab-0123456789ab"])
    func roundTrip(text: String) { #expect(Identifier<Void>(text)?.text == text) }

    @Test(
        "other spellings are no ids",
        arguments: [
            "", "-", "0197AA3C-1234-7abc-89ab-0123456789ab", "0197aa3c12347abc89ab0123456789ab", "0197aa3c-1234-7abc-89ab-0123456789a",
            "0197aa3c-1234-7abc-89ab-0123456789abc", "{0197aa3c-1234-7abc-89ab-0123456789ab}", "0197aa3c-1234-7abc-89ab-0123456789ag",
            "0197aa3c-1234-7abc-89ab_0123456789ab", "0197aa3c--1234-7abc-89ab-123456789ab", "0197aa3c-1234-7abc-89ab-0123456789ab\n",
            "é197aa3c-1234-7abc-89ab-0123456789a", "------------------------------------",
        ])
    func refusal(text: String) { #expect(Identifier<Void>(text) == nil) }

    @Test("any 128 bits are printed and read back")
    func anyBits() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<2000 {
            let id = Identifier<Void>(high: random.next(), low: random.next())
            #expect(Identifier<Void>(id.text) == id)
        }
    }
}

@Suite struct IdentifierSourceTests {
    @Test("made ids are UUIDs of version 7 that carry the time")
    func layout() throws {
        let time = try #require(Timestamp("2026-03-02T09:00:00Z"))
        let id: Identifier<Void> = IdentifierSource().next(at: time)
        #expect(Int64(id.high >> 16) == time.milliseconds)
        #expect(id.high >> 12 & 0xF == 7)
        #expect(id.low >> 62 == 0b10)
    }

    @Test("they rise while the clock stands still, and when it steps back")
    func rises() throws {
        let source = IdentifierSource()
        let time = try #require(Timestamp("2026-03-02T09:00:00Z"))
        var last = ""
        for round in 0..<20_000 {
            let id: Identifier<Void> = source.next(at: round % 3 == 0 ? time.adding(seconds: -60) : time)
            #expect(id.text > last)
            last = id.text
        }
    }

    @Test("four threads get each its own, and each thread's rise")
    func threads() {
        let source = IdentifierSource()
        let made = Monitor<[[String]]>([])
        for _ in 0..<4 {
            startThread {
                let ids = (0..<5000).map { _ in (source.next(at: .now()) as Identifier<Void>).text }
                made.change { $0.append(ids) }
            }
        }
        let all = made.when({ $0.count == 4 }) { $0 }
        #expect(Set(all.joined()).count == 20_000)
        for ids in all { #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 }) }
    }
}
