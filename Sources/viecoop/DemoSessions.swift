import Domain
import JSON

/// A made-up group session at one of the samples' invented co-ops: a seat is left, and two parties of invented people have theirs.
enum DemoSessions {
    private static let session = "01970000-0000-7000-8000-0000000d0301"

    /// Once in the life of a folder, however often the demo starts there.
    static func load(at coop: Identifier<Coop>, into federation: Federation) throws {
        let manager = Caller(token: nil, role: .coopManager, coop: coop)
        do {
            try federation.perform { (tx) throws(DomainError) in try tell(coop, manager, in: tx) }
        } catch DomainError.conflict, DomainError.invalid {
            // Whoever works with the demo has changed the site or the module.
        }
    }

    private static func tell(_ coop: Identifier<Coop>, _ manager: Caller, in tx: Transaction) throws(DomainError) {
        guard let id = Identifier<Session>(session), try Session.store.find(id, in: tx.connection) == nil,
            let site = try Site.store.first(where: "coop_id = ?", coop, in: tx.connection),
            let module = try Module.store.find(slug: "fondamentaux-cooperatifs", in: tx.connection)
        else { return }
        let leader = try add(Facilitator.self, [("display_name", .string("Dumenica Orsini")), ("kind", .string("volunteer_cooperator"))], manager, in: tx)
        // In three weeks at 14:00, as the site's clocks show it.
        let day = Day(daysSince1970: tx.now.day.daysSince1970 + 21)
        let starts = (Zone(rawValue: site.timeZone) ?? .paris).instant(day, minutes: 14 * 60)
        try add(
            Session.self,
            [
                ("id", .string(session)), ("site_id", .string(site.id.text)), ("module_id", .string(module.text)), ("starts_at", .string(starts.text)),
                ("capacity", .number("4")), ("facilitator_id", .string(leader)), ("status", .string("open")),
            ], manager, in: tx)
        for (name, channel, size) in [("Marceline Testa", "paper", "2"), ("Anton Poli", "phone", "1")] {
            try add(
                Registration.self,
                [
                    ("session_id", .string(session)), ("channel", .string(channel)), ("contact_name", .string(name)), ("party_size", .number(size)),
                    ("postal", .string("\(name), bâtiment exemple")),
                ], manager, in: tx)
        }
    }

    @discardableResult
    private static func add<R: Record>(_ type: R.Type, _ fields: [(String, JSON)], _ caller: Caller, in tx: Transaction) throws(DomainError) -> String {
        let draft = try Draft<R>(.object(fields.map { JSON.Member($0.0, $0.1) }), for: .create)
        return try R.store.create(draft, by: caller, in: tx).record.id.text
    }
}
