import Domain
import JSON

/// A made-up pairing that is not over yet.
struct DemoPairing {
    let id: Identifier<Pairing>
    let houses: (sponsor: Int, sponsored: Int)
    var isActive = false
}

extension DemoHistory {
    func livePairings(_ week: Int, in tx: Transaction) throws(DomainError) {
        if week % 3 == 0 { try propose(in: tx) }
        for index in pairings.indices.reversed() { try goOn(index, in: tx) }
    }

    private func propose(in tx: Transaction) throws(DomainError) {
        let (one, other) = (dice.roll(houses.count), dice.roll(houses.count))
        let kind = dice.permille(800) ? "sponsorship" : "peer"
        let made = try tell(in: tx) { () throws(DomainError) in
            try add(
                Pairing.self,
                [
                    ("kind", .string(kind)), ("sponsor_coop_id", .string(houses[one].coop.id.text)), ("sponsored_coop_id", .string(houses[other].coop.id.text)),
                    ("age_override_reason", .string("Exemple : relance de la vie coopérative")),
                ], in: tx
            ).id
        }
        if let made { pairings.append(DemoPairing(id: made, houses: (one, other))) }
    }

    private func goOn(_ index: Int, in tx: Transaction) throws(DomainError) {
        let story = pairings[index]
        guard dice.permille(story.isActive ? 250 : 300), let pairing = try Pairing.store.find(story.id, in: tx.connection) else { return }
        if pairing.status == .active, !dice.permille(60) { return try meet(story, dice.permille(250) ? "in_person" : "video", in: tx) }
        guard let next = next(after: pairing.status) else { return }
        let mandates = [houses[story.houses.sponsor].mandate, houses[story.houses.sponsored].mandate].compactMap { $0 }
        // The two sign at once, and begin when both have somebody for it.
        if next == "active", mandates.count < 2 { return }
        if next == "met" { try meet(story, "in_person", in: tx) }
        var members: [(String, JSON)] = [("to", .string(next))]
        switch next {
        case "signed": members.append(("agreement_ref", .string("Convention exemple")))
        case "active" where pairing.status == .signed:
            members += [
                ("channel", .string("video")), ("cadence_days", .number(String(30 + 15 * dice.roll(5)))), ("sponsor_referent_id", .string(mandates[0].text)),
                ("sponsored_referent_id", .string(mandates[1].text)),
            ]
        case "paused", "closed", "declined": members.append(("reason", .string("Exemple")))
        default: break
        }
        let step = try Transition<Pairing.Status>(Self.object(members), taking: Pairing.transitionFields)
        let moved = try tell(in: tx) { () throws(DomainError) in try Pairing.store.transition(story.id, step, expecting: .any, by: .operatorItself, in: tx).id }
        guard moved != nil else { return }
        pairings[index].isActive = next == "active"
        if next == "closed" || next == "declined" { pairings.remove(at: index) }
    }

    private func next(after state: Pairing.Status) -> String? {
        switch state {
        case .identified: dice.permille(900) ? "introduced" : "declined"
        case .introduced: dice.permille(900) ? "met" : "declined"
        case .met: dice.permille(920) ? "signed" : "declined"
        case .signed: "active"
        case .active: dice.permille(700) ? "paused" : "closed"
        case .paused: dice.permille(900) ? "active" : "closed"
        case .declined, .closed: nil
        }
    }

    private func meet(_ story: DemoPairing, _ mode: String, in tx: Transaction) throws(DomainError) {
        let members: [(String, JSON)] = [("pairing_id", .string(story.id.text)), ("held_on", .string(tx.now.day.text)), ("mode", .string(mode))]
        try tell(in: tx) { () throws(DomainError) in _ = try add(Meeting.self, members, in: tx) }
    }
}
