@testable import Domain
import Foundation
import TestSupport
import Testing

/// Figures on small worlds that were made by hand, where everybody can count along.
@Suite("The figures")
struct IndicatorTests {
    private static func day(_ text: String) throws -> Day { try #require(Day(text)) }

    /// The figure's numerator, denominator and value as text: `1/2 = 0.5`.
    private static func ask(_ name: String, _ test: TestFederation, from: String = "2026-01-01", to: String = "2026-04-01", region: String? = nil) throws -> String {
        var question = IndicatorQuestion(from: try day(from), to: try day(to))
        question.region = region
        let indicator = try #require(Indicator.named(name))
        let answer = try #require(try test.federation.answers(of: [indicator], to: question).first)
        // The naive computation agrees on each of these worlds, too.
        if name != "device-freshness" {
            var query = NaiveIndicators.Query(from: from, to: to)
            if let region { query.coop = { $0.text("region_code") == region } }
            let naive = try NaiveIndicators(test.federation, today: Zone.paris.local(test.clock.now).day.text).answer(name, query)
            let own = NaiveIndicators.Answer(answer.result)
            #expect(naive.map { own.isLike($0) } == true, "\(name): \(own), not \(String(describing: naive))")
        }
        return text(answer.result.figure)
    }

    private static func text(_ figure: Figure) -> String {
        let value = figure.value.map { String(format: "%g", $0) } ?? (figure.isMasked ? "masked" : "nil")
        return "\(figure.numerator.map(String.init) ?? "-")/\(figure.denominator.map(String.init) ?? "-") = \(value)"
    }

    @Test("there are twenty-four, each with a name and texts of its own, and dividing by nothing gives nothing")
    func empty() throws {
        #expect(Indicator.all.map(\.number) == Array(1...24))
        #expect(Set(Indicator.all.map(\.name)).count == 24)
        let test = try TestFederation()
        let answers = try test.federation.answers(of: Indicator.all, to: IndicatorQuestion(from: Self.day("2026-01-01"), to: Self.day("2026-02-01")))
        for answer in answers where answer.result.figure.unit == .ratio || answer.result.figure.denominator != nil {
            #expect(answer.result.figure.value == nil && !answer.result.figure.isMasked, "\(answer.indicator.name)")
        }
        #expect(answers.filter { $0.result.figure.value != nil }.map(\.indicator.name) == ["vacancy", "idea-balance"])
    }

    @Test("former members, applicants and merged co-ops are no member co-ops")
    func members() throws {
        let test = try TestFederation()
        let coop = try test.addCoop("une")
        _ = try test.addReferent(of: coop, #","status":"active""#)
        let leaving = try test.addCoop("deux")
        _ = try test.addCoop("trois", membership: "applicant")
        let mandate = try test.addReferent(of: leaving, #","status":"active""#)
        #expect(try Self.ask("referent-coverage", test) == "2/2 = 1")
        try test.step(mandate, #"{"to":"ended","ended_on":"2026-02-20"}"#)
        #expect(try Self.ask("referent-coverage", test) == "1/2 = 0.5")
        #expect(try Self.ask("vacancy", test) == "10/- = 10", "from 20 February to 1 March")
        #expect(try Self.ask("referent-coverage", test, to: "2026-02-15") == "2/2 = 1", "it was so then")
        try test.patch(leaving, #"{"membership":"former_member"}"#)
        #expect(try Self.ask("referent-coverage", test) == "1/1 = 1")
        #expect(try Self.ask("vacancy", test) == "0/- = 0")
        let other = try test.addCoop("quatre")
        #expect(try Self.ask("referent-coverage", test) == "1/2 = 0.5")
        try test.merge(other, into: coop)
        #expect(try Self.ask("referent-coverage", test) == "1/1 = 1")
        #expect(try Self.ask("referent-coverage", test, region: "FR-BRE") == "1/1 = 1")
        #expect(try Self.ask("referent-coverage", test, region: "FR-IDF") == "0/0 = nil")
    }

    @Test("what was merged counts for the idea that it was merged into, once a co-op")
    func mergedIdeas() throws {
        let test = try TestFederation()
        let theme = try test.addTheme()
        let (one, other) = (try test.addIdea(on: theme, #","slug":"une""#), try test.addIdea(on: theme, #","slug":"autre""#))
        for idea in [one, other] {
            try test.step(idea, #"{"to":"submitted"}"#)
            try test.step(idea, #"{"to":"published"}"#)
        }
        let (coop, second) = (try test.addCoop("une"), try test.addCoop("deux"))
        for (idea, coop) in [(one, coop), (other, coop), (other, second)] { try test.create(Endorsement.self, #"{"idea_id":"\#(idea.id)","coop_id":"\#(coop.id)"}"#) }
        #expect(try Self.ask("idea-balance", test) == "2/- = 2")
        #expect(try Self.ask("merge-share", test) == "0/2 = 0")
        try test.federation.perform { (tx) throws(DomainError) in _ = try Idea.store.merge(one.id, into: other.id, expecting: .any, by: .operatorItself, in: tx) }
        #expect(try Self.ask("idea-balance", test) == "1/- = 1")
        #expect(try Self.ask("merge-share", test) == "1/2 = 0.5")
        #expect(try Self.ask("idea-reach", test) == "2/2 = 1")
        #expect(try Self.ask("idea-reach", test, to: "2026-02-01") == "0/2 = 0")
    }

    @Test("the time to a decision counts from the last submission before the first decision")
    func decisions() throws {
        let test = try TestFederation()
        let idea = try test.addIdea(on: test.addTheme())
        try test.step(idea, #"{"to":"submitted"}"#)
        test.clock.advance(days: 5)
        try test.step(idea, #"{"to":"draft"}"#)
        try test.step(idea, #"{"to":"submitted"}"#)
        test.clock.advance(seconds: 36 * 3600)
        try test.step(idea, #"{"to":"declined"}"#)
        test.clock.advance(days: 10)
        try test.step(idea, #"{"to":"submitted"}"#)
        try test.step(idea, #"{"to":"published"}"#)
        #expect(try Self.ask("decision-delay", test) == "-/1 = 1.5")
        #expect(try Self.ask("decision-delay", test, from: "2026-03-10") == "-/0 = nil")
    }

    static let nights = [
        // In Réunion it is 00:30 of the next day when it is 20:30 in Greenwich.
        Night("overseas, where the day is another one", department: "974", starts: "2026-03-28T20:30:00Z", day: "2026-03-29"),
        Night("in the Caribbean", department: "971", starts: "2026-03-29T02:30:00Z", day: "2026-03-28"),
        Night("before the change of the clocks", department: "35", starts: "2026-03-28T22:30:00Z", day: "2026-03-28"),
        Night("after the change of the clocks", department: "35", starts: "2026-03-29T22:30:00Z", day: "2026-03-30"),
    ]

    @Test("a session counts on the day that the clocks there show", arguments: nights)
    func localDays(_ night: Night) throws {
        let fixture = try SessionFixture(department: night.department)
        let session = try fixture.session(#","status":"open""#, starts: night.starts)
        fixture.test.clock.advance(days: 40)
        try fixture.step(session, #"{"to":"held"}"#)
        let next = Day(daysSince1970: try Self.day(night.day).daysSince1970 + 1).text
        #expect(try Self.ask("facilitator-need", fixture.test, from: night.day, to: next) == "0/1 = 0")
        #expect(try Self.ask("facilitator-need", fixture.test, from: next, to: "2026-12-31") == "0/0 = nil")
        #expect(try Self.ask("facilitator-need", fixture.test, from: "2026-01-01", to: night.day) == "0/0 = nil")
    }

    struct Night: CustomStringConvertible, Sendable {
        let description: String
        let department: String
        let starts: String
        let day: String

        init(_ name: String, department: String, starts: String, day: String) { (description, self.department, self.starts, self.day) = (name, department, starts, day) }
    }

    @Test("people are counted in tens, and few of them not at all")
    func people() throws {
        let fixture = try SessionFixture()
        for round in 0..<5 {
            let session = try fixture.session(#","status":"open""#, starts: "2026-03-1\(round)T14:00:00Z", capacity: 5)
            for name in ["Ana", "Brieuc", "Chloé", "Denez"].prefix(round == 0 ? 4 : 3) { try fixture.register(session, name) }
        }
        fixture.test.clock.advance(days: 20)
        var seen: [String] = []
        for session in try fixture.test.federation.read({ (connection) throws(DomainError) in try Session.store.all(in: connection) }) {
            try fixture.step(session, #"{"to":"held"}"#)
            seen.append(try Self.ask("seat-fill", fixture.test))
        }
        // 4 of 5, 7 of 10, 10 of 15, 13 of 20, 16 of 25.
        #expect(seen == ["-/- = masked", "-/10 = masked", "10/20 = 0.5", "10/20 = 0.5", "20/30 = 0.666667"])
        #expect(try Self.ask("attendance", fixture.test) == "0/0 = nil", "nobody's presence was marked")
        #expect(try Self.ask("digital-inclusion", fixture.test) == "0/20 = 0")
    }

    @Test("a device is fresh that was seen within a week with a copy that was complete then")
    func devices() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        #expect(try Self.ask("device-freshness", test) == "0/0 = nil")
        let device = try test.federation.createToken(Token.Draft(role: .referent, coop: coop.id, label: "téléphone"))
        _ = try test.federation.createToken(Token.Draft(role: .coopManager, coop: coop.id, label: "siège"))
        func pull(upTo position: Int64) {
            var cursor = Cursor(epoch: "e", seen: 5, types: [])
            cursor.places[1] = Cursor.Place(pos: position, base: 0)
            test.federation.note(device.token.id, cursor: cursor, head: 5, app: nil)
        }
        #expect(try Self.ask("device-freshness", test) == "0/1 = 0")
        pull(upTo: 4)
        #expect(try Self.ask("device-freshness", test) == "0/1 = 0", "it was behind")
        test.clock.advance(seconds: 5)
        pull(upTo: 5)
        #expect(try Self.ask("device-freshness", test) == "1/1 = 1")
        test.clock.advance(days: 8)
        #expect(try Self.ask("device-freshness", test) == "0/1 = 0")
        _ = try test.federation.revokeToken(device.token.id)
        #expect(try Self.ask("device-freshness", test) == "0/0 = nil")
    }

    @Test("an answer stays the same, with its rev, until something that it is made from changes, or the day does")
    func isKept() throws {
        let test = try TestFederation()
        let coop = try test.addCoop()
        let coverage = try #require(Indicator.named("referent-coverage"))
        let question = IndicatorQuestion(from: try Self.day("2026-01-01"), to: try Self.day("2026-12-31"))
        func answer() throws -> IndicatorAnswer { try #require(try test.federation.answers(of: [coverage], to: question).first) }
        let (first, stamp) = (try answer(), test.federation.indicatorStamp(of: [coverage]))
        _ = try test.addTheme()
        #expect(try answer().rev == first.rev)
        #expect(test.federation.indicatorStamp(of: [coverage]) == stamp)
        _ = try test.addReferent(of: coop, #","status":"active""#)
        #expect(try answer().rev > first.rev)
        #expect(try answer().result.figure.value == 1)
        #expect(test.federation.indicatorStamp(of: [coverage]) != stamp)
        test.clock.advance(days: 1)
        #expect(try answer().asOf.text == "2026-03-03")
    }
}
