@testable import Domain
import Foundation
import JSON
import TestSupport
import Testing

/// The real server's queue under random histories, against the plain model. VIECOOP_QUEUE_SEEDS sets how many.
@Suite("The queue of a session")
struct PromotionSimulation {
    private static let seeds = ProcessInfo.processInfo.environment["VIECOOP_QUEUE_SEEDS"].flatMap { Int($0) } ?? 40

    /// A party that grows at the very moment at which another comes is before it.
    private static let onceWrong = [110]

    @Test("gives the seats that the rules give, whatever happens in whatever order; never more than there are")
    func agrees() throws {
        let fixture = try SessionFixture(workstations: 50)
        for seed in Array(1...Self.seeds) + Self.onceWrong { try Self.run(UInt64(seed), fixture) }
        #expect(try fixture.findings().isEmpty)
    }

    private static func run(_ seed: UInt64, _ fixture: SessionFixture) throws {
        var random = SeededGenerator(seed: seed)
        let clock = fixture.test.clock
        let starts = clock.now.adding(seconds: Int64.random(in: 20...200, using: &random) * 3600)
        var model = PromotionModel(
            capacity: Int.random(in: 1...5, using: &random), offerHours: [0, 0, 5, 24].randomElement(using: &random) ?? 0,
            fitHours: [0, 12, 72].randomElement(using: &random) ?? 72, starts: starts.milliseconds,
            closes: starts.adding(seconds: -3600 * [0, 6, 12].randomElement(using: &random)!).milliseconds, now: clock.now.milliseconds)
        // A site of its own, so that sessions do not get into each other's way.
        let site = try fixture.test.create(Site.self, #"{"coop_id":"\#(fixture.coop.id)","name":"Lieu \#(UUID())","workstations":50,"seats":6}"#)
        var session = try fixture.test.create(
            Session.self,
            """
            {"site_id":"\(site.id)","module_id":"\(fixture.module.id)","starts_at":"\(starts.text)","capacity":\(model.capacity),"status":"open",
            "registration_opens_at":"2026-01-01T00:00:00Z","offer_hours":\(model.offerHours),"fit_hours":\(model.fitHours),
            "registration_closes_at":"\(Timestamp(milliseconds: model.closes).text)"}
            """, by: fixture.manager)
        var parties: [Registration] = []
        var log: [String] = []
        func move(_ move: Int) throws {
            let index = parties.indices.randomElement(using: &random)
            switch (Int.random(in: 0..<12, using: &random), index) {
            case (0...4, _) where clock.now.milliseconds < model.closes && model.isOpen:
                let size = Int.random(in: 1...model.capacity, using: &random)
                let back = Int.random(in: 0..<4, using: &random) == 0 ? Int64.random(in: 0...40, using: &random) : nil
                log.append("create \(size) \(back ?? 0)")
                let receipt = back.map { #","channel":"paper","received_at":"\#(clock.now.adding(seconds: -$0 * 3600).text)""# } ?? ""
                parties.append(try fixture.register(session, "\(seed)-\(move)-\(UUID())", size: size, receipt))
                model.create(size: size, received: back.map { clock.now.adding(seconds: -$0 * 3600).milliseconds })
            case (5...6, let index?) where ["waitlisted", "offered", "confirmed"].contains(model.parties[index].state):
                log.append("cancel \(index + 1)")
                try fixture.step(parties[index], #"{"to":"cancelled"}"#)
                model.cancel(index)
            case (7, let index?) where model.parties[index].state == "offered":
                log.append("take \(index + 1)")
                try fixture.step(parties[index], #"{"to":"confirmed"}"#)
                model.parties[index].state = "confirmed"
                model.giveAway()
            case (8, let index?) where ["waitlisted", "offered", "confirmed"].contains(model.parties[index].state):
                let size = Int.random(in: 1...model.capacity, using: &random)
                log.append("resize \(index + 1) \(size)")
                let refused = refusal { parties[index] = try fixture.patch(parties[index], #"{"party_size":\#(size)}"#) }
                try #require(refused == (model.resize(index, to: size) ? nil : "session.full"), "seed \(seed): \(log)")
            case (9, _):
                let capacity = Int.random(in: 1...5, using: &random)
                log.append("capacity \(capacity)")
                let refused = refusal { session = try fixture.patch(session, #"{"capacity":\#(capacity)}"#) }
                try #require(refused == (model.setCapacity(capacity) ? nil : "session.seats-held"), "seed \(seed): \(log)")
            case (10, _) where clock.now.milliseconds < model.closes:
                log.append(model.isOpen ? "close" : "reopen")
                try fixture.step(session, model.isOpen ? #"{"to":"closed"}"# : #"{"to":"open"}"#)
                model.isOpen.toggle()
                model.giveAway()
            default:
                let hours = Int64.random(in: 1...12, using: &random)
                log.append("wait \(hours)")
                clock.advance(seconds: hours * 3600)
                model.now = clock.now.milliseconds
                try fixture.runDue()
                if model.now >= model.closes { model.isOpen = false }
                model.giveAway()
            }
            let stored = try parties.map { try fixture.stored($0) }
            try #require(stored.map { "\($0.entryNo) \($0.status.rawValue) \($0.rank ?? 0)" } == model.picture, "seed \(seed): \(log)")
            let waiting = stored.filter { $0.status == .waitlisted }.sorted { $0.rank ?? 0 < $1.rank ?? 0 }
            let isStrict = clock.now < starts.adding(seconds: -Int64(model.fitHours) * 3600)
            for (place, party) in waiting.enumerated() {
                let reason: Registration.NotPromoted = model.held == model.capacity ? .full : place > 0 && isStrict ? .behindLargerParty : .partyTooLarge
                try #require(party.notPromotedReason == reason && party.wasWaitlisted, "seed \(seed): \(log)")
            }
            try #require(model.held <= model.capacity, "seed \(seed): \(log)")
        }
        /// What follows from all of them, which is stored at the end of a batch.
        func checkTotals() throws {
            let totals = try fixture.stored(session)
            let waiting = try parties.map { try fixture.stored($0) }.filter { $0.status == .waitlisted }
            try #require(
                totals.waitingParties == waiting.count && totals.waitingSeats == waiting.reduce(0) { $0 + $1.partySize }
                    && totals.seatsConfirmed + totals.seatsOffered == model.held && totals.freeSeats == model.capacity - model.held,
                "seed \(seed): \(log)")
            let shown = try fixture.test.document(of: session, for: .manager(of: fixture.coop))
            try #require(
                shown?["free_seats"]?.integerValue == Int64(totals.freeSeats) && shown?["waiting_seats"]?.integerValue == Int64(totals.waitingSeats)
                    && shown?["rev"]?.integerValue == totals.meta.rev, "seed \(seed): \(log)")
        }
        var moves = (0..<30)[...]
        while !moves.isEmpty, clock.now < starts {
            // Alone, or as the writer takes those who come together.
            let batch = moves.prefix(Int.random(in: 1...6, using: &random))
            moves = moves.dropFirst(batch.count)
            log.append("batch")
            try fixture.together { for number in batch where clock.now < starts { try move(number) } }
            try checkTotals()
        }
        // Whoever comes next finds no session of this one under way.
        if clock.now < starts { clock.advance(seconds: (starts.milliseconds - clock.now.milliseconds) / 1000 + 1) }
        try fixture.step(session, #"{"to":"held"}"#)
    }
}
