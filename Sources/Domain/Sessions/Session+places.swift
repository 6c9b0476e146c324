import SQLite
import Text

/// What a site and a facilitator can bear: invariants 5 and 6, checked on every write that could break them.
extension Session {
    /// Enough workstations, or somebody who leads the group.
    func checkEquipment(of site: Site, _ faults: inout Faults) {
        switch mode {
        case .stations where site.workstations < capacity && facilitatorID == nil:
            faults.add(
                "#/facilitator_id", "session.equipment",
                en: "the site has \(site.workstations) workstations for \(capacity) people: name a facilitator who leads the group, or lower the capacity to \(site.workstations)",
                fr: "le lieu a \(site.workstations) postes pour \(capacity) personnes : désignez un animateur qui mène le groupe, ou réduisez la capacité à \(site.workstations)")
            faults.add(
                "#/capacity", "session.equipment", en: "is more than the site's \(site.workstations) workstations; or name a facilitator",
                fr: "dépasse les \(site.workstations) postes du lieu ; ou désignez un animateur")
        case .projected where facilitatorID == nil || !site.projector:
            if facilitatorID == nil {
                faults.add("#/facilitator_id", "session.equipment", en: "is needed to project the module", fr: "est nécessaire pour projeter le module")
            }
            if !site.projector {
                faults.add(
                    "#/mode", "session.equipment", en: "the site has no projector; choose another site, or the mode stations",
                    fr: "le lieu n'a pas de projecteur ; choisissez un autre lieu, ou le mode stations")
            }
        default: break
        }
    }

    /// No two groups share workstations that are not there, a projector or a facilitator.
    func checkPlaces(_ site: Site, in tx: Transaction) throws(DomainError) {
        let others = try overlapping("site_id = ?", siteID.value, in: tx)
        if mode == .projected, let other = others.first(where: { $0.mode == .projected }) {
            throw .overlap([other], Bilingual(en: "Another session is projected at this site at that time.", fr: "Une autre session est projetée dans ce lieu à ce moment."))
        }
        let atStations = others.filter { $0.mode == .stations }
        if mode == .stations, !atStations.isEmpty, atStations.reduce(capacity, { $0 + $1.capacity }) > site.workstations {
            throw .overlap(
                atStations,
                Bilingual(
                    en: "With the sessions at the same time, more people than the site's \(site.workstations) workstations; move one, or lower its capacity.",
                    fr: "Avec les sessions simultanées, plus de personnes que les \(site.workstations) postes du lieu ; déplacez-en une, ou réduisez sa capacité."))
        }
        guard let facilitatorID, let busy = try overlapping("facilitator_id = ?", facilitatorID.value, in: tx).first else { return }
        throw .overlap([busy], Bilingual(en: "The facilitator leads another session at that time.", fr: "L'animateur mène une autre session à ce moment."))
    }

    private func overlapping(_ condition: String, _ value: Value, in tx: Transaction) throws(DomainError) -> [Session] {
        try Session.store.all(
            where: "\(condition) AND id <> ? AND status IN ('draft', 'open', 'closed') AND starts_at < ? AND ends_at > ?",
            [value, id.value, .text(endsAt.text), .text(startsAt.text)], in: tx.connection)
    }

    /// Seats that people hold can't be taken away, and no party may wait for more seats than there are.
    func checkHeldSeats(in tx: Transaction) throws(DomainError) {
        let parties = try Registration.store.all(where: "session_id = ?", [id.value], in: tx.connection).filter { $0.status.isLive }
        let held = parties.filter { $0.status != .waitlisted }.reduce(0) { $0 + $1.partySize }
        let largest = parties.map(\.partySize).max() ?? 0
        guard capacity < max(held, largest) else { return }
        throw .conflict(
            code: "session.seats-held",
            Bilingual(
                en: "\(held) seats are held, and the largest party has \(largest); the capacity can't be lower than either.",
                fr: "\(held) places sont prises et le plus grand groupe compte \(largest) personnes ; la capacité ne peut être inférieure."),
            members: [("seats_held", String(held)), ("largest_party", String(largest))])
    }

    /// Refuses a change of a site that sessions to come could not bear.
    static func checkSite(_ site: Site, in tx: Transaction) throws(DomainError) {
        let coming = try store.all(where: "site_id = ? AND status IN ('draft', 'open', 'closed') AND ends_at > ?", [site.id.value, .text(tx.now.text)], in: tx.connection)
        var broken: [Session] = []
        for session in coming {
            var faults = Faults()
            if session.status != .draft { session.checkEquipment(of: site, &faults) }
            var breaks = !faults.all.isEmpty || session.capacity > site.seats
            if !breaks {
                do throws(DomainError) { try session.checkPlaces(site, in: tx) } catch {
                    guard case .conflict = error else { throw error }
                    breaks = true
                }
            }
            if breaks { broken.append(session) }
        }
        guard !broken.isEmpty else { return }
        throw .conflict(
            code: "site.sessions",
            Bilingual(
                en: "Sessions to come need what this would take away; change or cancel them first.",
                fr: "Des sessions à venir ont besoin de ce que cela supprimerait ; modifiez-les ou annulez-les d'abord."),
            members: [("session_ids", broken.jsonIDs)])
    }
}

extension DomainError {
    fileprivate static func overlap(_ sessions: [Session], _ detail: Bilingual) -> DomainError {
        .conflict(code: "session.overlap", detail, members: [("session_ids", sessions.jsonIDs)])
    }
}
