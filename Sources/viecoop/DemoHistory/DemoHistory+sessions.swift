import Domain
import JSON

extension DemoHistory {
    /// Sessions are planned, fill up, are held or called off, and people come or not.
    func liveSessions(_ index: Int, _ week: Int, in tx: Transaction) throws(DomainError) {
        for coming in houses[index].sessions where coming.startsAt < tx.now { try hold(coming, index, in: tx) }
        houses[index].sessions.removeAll { $0.startsAt < tx.now }
        if dice.permille(houses[index].zeal * 12) { try plan(index, in: tx) }
        for place in houses[index].sessions.indices.reversed() { try fill(place, index, in: tx) }
    }

    private func plan(_ index: Int, in tx: Transaction) throws(DomainError) {
        let house = houses[index]
        guard let site = dice.pick(house.sites), let module = dice.pick(modules) else { return }
        if house.leaders.isEmpty, dice.permille(300) {
            let name = person()
            let leader = try tell(in: tx) { () throws(DomainError) in
                try add(Facilitator.self, [("display_name", .string("\(name.given) \(name.family)")), ("kind", .string("employee"))], by: house.manager, in: tx).id
            }
            if let leader { houses[index].leaders.append(leader) }
        }
        let capacity = 2 + dice.roll(4)
        // In three weeks or so, at 10:00 or 14:30 as the site's clocks show it.
        let day = Day(daysSince1970: tx.now.day.daysSince1970 + 15 + Int64(dice.roll(10)))
        let starts = (Zone(rawValue: site.timeZone) ?? .paris).instant(day, minutes: dice.permille(500) ? 600 : 870)
        var members: [(String, JSON)] = [
            ("site_id", .string(site.id.text)), ("module_id", .string(module.text)), ("starts_at", .string(starts.text)), ("capacity", .number(String(capacity))),
            ("offer_hours", .number(dice.permille(500) ? "0" : "48")),
        ]
        if let leader = houses[index].leaders.first, dice.permille(700) { members.append(("facilitator_id", .string(leader.text))) }
        let session = try tell(in: tx) { () throws(DomainError) in try add(Session.self, members, by: house.manager, in: tx).id }
        guard let session else { return }
        // A draft that cannot be opened for want of workstations stays one.
        let open = try Transition<Session.Status>(Self.object([("to", .string("open")), ("force", .bool(true))]), taking: Session.transitionFields)
        let opened = try tell(in: tx) { () throws(DomainError) in try Session.store.transition(session, open, expecting: .any, by: house.manager, in: tx).id }
        if opened != nil { houses[index].sessions.append(Coming(id: session, startsAt: starts, capacity: capacity)) }
    }

    private func fill(_ place: Int, _ index: Int, in tx: Transaction) throws(DomainError) {
        let (session, manager) = (houses[index].sessions[place], houses[index].manager)
        for _ in 0..<dice.roll(3) {
            let (given, family) = person()
            let channel = ["paper", "paper", "phone", "online", "email"][dice.roll(5)]
            var members: [(String, JSON)] = [
                ("session_id", .string(session.id.text)), ("channel", .string(channel)), ("contact_name", .string("\(given) \(family)")),
                ("party_size", .number(dice.permille(750) ? "1" : "2")),
                ("profile", .string(["tenant", "tenant", "buyer", "co_owner", "employee"][dice.roll(5)])),
            ]
            members.append(channel == "paper" || channel == "phone" ? ("postal", .string("Bâtiment exemple")) : ("email", .string("exemple-\(people)@exemple.coop")))
            let made = try tell(in: tx) { () throws(DomainError) in try add(Registration.self, members, by: manager, in: tx).id }
            if let made { houses[index].sessions[place].parties.append(made) }
        }
        for party in session.parties where dice.permille(70) { try step(party, to: dice.permille(600) ? "cancelled" : "confirmed", by: manager, in: tx) }
        if dice.permille(25) {
            let end = try Transition<Session.Status>(Self.object([("to", .string("cancelled"))]), taking: Session.transitionFields)
            try tell(in: tx) { () throws(DomainError) in _ = try Session.store.transition(session.id, end, expecting: .any, by: manager, in: tx) }
            houses[index].sessions.remove(at: place)
        }
    }

    private func hold(_ session: Coming, _ index: Int, in tx: Transaction) throws(DomainError) {
        let manager = houses[index].manager
        for party in session.parties where dice.permille(930) { try step(party, to: dice.permille(860) ? "attended" : "absent", by: manager, in: tx) }
        let held = try Transition<Session.Status>(Self.object([("to", .string("held"))]), taking: Session.transitionFields)
        try tell(in: tx) { () throws(DomainError) in _ = try Session.store.transition(session.id, held, expecting: .any, by: manager, in: tx) }
    }

    private func step(_ id: Identifier<Registration>, to state: String, by caller: Caller, in tx: Transaction) throws(DomainError) {
        let step = try Transition<Registration.Status>(Self.object([("to", .string(state))]), taking: Registration.transitionFields)
        try tell(in: tx) { () throws(DomainError) in _ = try Registration.store.transition(id, step, expecting: .any, by: caller, in: tx) }
    }
}
