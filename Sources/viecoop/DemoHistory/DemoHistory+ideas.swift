import Domain
import JSON

extension DemoHistory {
    /// A co-op endorses and adopts ideas, goes on with those that it has, and now and then has one of its own.
    func liveIdeas(_ index: Int, in tx: Transaction) throws(DomainError) {
        let house = houses[index]
        let coop = JSON.string(house.coop.id.text)
        if dice.permille(house.zeal * 10), let idea = dice.pick(publishedIdeas) {
            let made = try tell(in: tx) { () throws(DomainError) in try add(Adoption.self, [("idea_id", .string(idea.text)), ("coop_id", coop)], by: house.manager, in: tx).id }
            if let made { houses[index].adoptions.append(made) }
        }
        if dice.permille(house.zeal * 8), let idea = dice.pick(publishedIdeas) {
            let made = try tell(in: tx) { () throws(DomainError) in try add(Endorsement.self, [("idea_id", .string(idea.text)), ("coop_id", coop)], by: house.manager, in: tx).id }
            if let made { houses[index].endorsements.append(made) }
        }
        if dice.permille(6), let given = dice.pick(house.endorsements) {
            let step = try Transition<Endorsement.Status>(Self.object([("to", .string("withdrawn"))]))
            try tell(in: tx) { () throws(DomainError) in _ = try Endorsement.store.transition(given, step, expecting: .any, by: house.manager, in: tx) }
        }
        for adoption in house.adoptions { try go(on: adoption, index, in: tx) }
        if dice.permille(max(1, 300 / houses.count)) { try submit(house, in: tx) }
    }

    private func go(on id: Identifier<Adoption>, _ index: Int, in tx: Transaction) throws(DomainError) {
        guard dice.permille(90), let adoption = try Adoption.store.find(id, in: tx.connection) else { return }
        let next: String? =
            switch adoption.status {
            case .considering: dice.permille(850) ? "planned" : "abandoned"
            case .planned: dice.permille(900) ? "running" : "abandoned"
            case .running: dice.permille(800) ? "completed" : "abandoned"
            case .completed, .abandoned: nil
            }
        guard let next else { return }
        var members: [(String, JSON)] = [("to", .string(next))]
        if next == "completed" { members.append(("retex_score", .number(String(2 + dice.roll(4))))) }
        let step = try Transition<Adoption.Status>(Self.object(members), taking: Adoption.transitionFields)
        try tell(in: tx) { () throws(DomainError) in _ = try Adoption.store.transition(id, step, expecting: .any, by: houses[index].manager, in: tx) }
        if next == "completed" || next == "abandoned" { houses[index].adoptions.removeAll { $0 == id } }
    }

    private func submit(_ house: House, in tx: Transaction) throws(DomainError) {
        people += 1
        let (number, theme) = (people, themes[dice.roll(themes.count)])
        let idea = try tell(in: tx) { () throws(DomainError) in
            let idea = try add(
                Idea.self,
                [
                    ("slug", .string("idee-exemple-\(number)")), ("title", .string("Idée exemple \(number)")), ("theme_id", .string(theme.text)),
                    ("steps", .array([.string("Préparer"), .string("Essayer"), .string("Raconter")])),
                ], by: house.manager, in: tx)
            try step(idea.id, to: "submitted", by: house.manager, in: tx)
            return idea.id
        }
        if let idea { openIdeas.append((idea, 0)) }
    }

    /// The federation publishes or declines what was submitted, and merges what is the same.
    func decideIdeas(_ week: Int, in tx: Transaction) throws(DomainError) {
        for idea in openIdeas where dice.permille(280) {
            let isGood = dice.permille(780)
            try tell(in: tx) { () throws(DomainError) in try step(idea.id, to: isGood ? "published" : "declined", by: .operatorItself, in: tx) }
            openIdeas.removeAll { $0.id == idea.id }
            if isGood { publishedIdeas.append(idea.id) }
        }
        guard week % 17 == 16, let one = publishedIdeas.last, let other = dice.pick(publishedIdeas), one != other else { return }
        let merged = try tell(in: tx) { () throws(DomainError) in try Idea.store.merge(one, into: other, expecting: .any, by: .operatorItself, in: tx).id }
        if merged != nil { publishedIdeas.removeLast() }
    }

    private func step(_ id: Identifier<Idea>, to state: String, by caller: Caller, in tx: Transaction) throws(DomainError) {
        _ = try Idea.store.transition(id, Transition<Idea.Status>(Self.object([("to", .string(state))])), expecting: .any, by: caller, in: tx)
    }
}
