import Domain
import JSON
import SQLite

extension DemoHistory {
    /// An invented co-op and what is going on there.
    struct House {
        let coop: Coop
        let sites: [Site]
        var leaders: [Identifier<Facilitator>] = []
        var mandate: Identifier<Referent>?
        var isTrained = false
        var search: (file: Identifier<AppointmentFile>, step: Int, mandate: Identifier<Referent>?)?
        var adoptions: [Identifier<Adoption>] = []
        var endorsements: [Identifier<Endorsement>] = []
        var sessions: [Coming] = []
        /// Some co-ops do more than others.
        let zeal: Int
        var manager: Caller { Caller(token: nil, role: .coopManager, coop: coop.id) }
    }

    /// A session that is not over yet.
    struct Coming {
        let id: Identifier<Session>
        let startsAt: Timestamp
        let capacity: Int
        var parties: [Identifier<Registration>] = []
    }

    /// Gathers the invented member co-ops, and invents more until there are `count`.
    func cast(atLeast count: Int, in tx: Transaction) throws(DomainError) {
        let connection = tx.connection
        themes = try Theme.store.all(in: connection).map(\.id)
        modules = try Module.store.all(in: connection).filter { $0.status == .published }.map(\.id)
        publishedIdeas = try Idea.store.all(in: connection).filter { $0.status == .published }.map(\.id)
        var coops = try Coop.store.all(in: connection).filter { $0.fictitious && $0.membership == .member && $0.successorID == nil }
        while coops.count < count { coops.append(try invent(coops.count + 1, in: tx)) }
        let sites = Dictionary(grouping: try Site.store.all(in: connection), by: \.coopID)
        for coop in coops {
            guard let own = sites[coop.id] else { continue }
            houses.append(House(coop: coop, sites: own, zeal: 5 + dice.roll(11)))
        }
    }

    /// Whether somebody has told these years before: then there are decided ideas.
    func hasRun(in connection: Connection) throws(DomainError) -> Bool {
        try Idea.store.all(in: connection).contains { $0.slug.hasPrefix("idee-exemple-") }
    }

    private func invent(_ number: Int, in tx: Transaction) throws(DomainError) -> Coop {
        let departments = ["01", "06", "13", "21", "22", "25", "29", "2A", "31", "33", "34", "35", "37", "38", "44", "45", "51", "57", "59", "62", "64", "67", "69", "75", "76", "80", "87", "92", "93", "971", "972", "973", "974", "976"]
        let activities = ["rental", "ownership", "syndic", "brs"].filter { _ in dice.permille(550) }
        let draft = try Draft<Coop>(
            Self.object([
                ("slug", .string("coop-exemple-\(number)")), ("name", .string("Coopérative exemple \(number)")), ("fictitious", .bool(true)),
                ("department_code", .string(departments[dice.roll(departments.count)])), ("membership", .string("member")),
                ("founded_year", .number(String(1920 + dice.roll(104)))), ("activities", .array(activities.map { .string($0) })),
            ]), for: .bringIn)
        let coop = try Coop.store.create(draft, by: .operatorItself, in: tx).record
        for name in ["Siège", "Annexe"].prefix(1 + dice.roll(2)) {
            _ = try add(
                Site.self,
                [
                    ("coop_id", .string(coop.id.text)), ("name", .string(name)), ("workstations", .number(String(dice.roll(7)))), ("seats", .number("12")),
                    ("projector", .bool(dice.permille(500))), ("step_free_access", .bool(dice.permille(600))),
                ], in: tx)
        }
        return coop
    }

    /// Somebody who does not exist.
    func person() -> (given: String, family: String) {
        people += 1
        let given = ["Alix", "Camille", "Dominique", "Maxence", "Noa", "Sacha", "Yaël"]
        return (given[dice.roll(given.count)], "Exemple \(people)")
    }
}
