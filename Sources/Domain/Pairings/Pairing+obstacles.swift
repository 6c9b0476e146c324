import SQLite
import Text

extension Pairing {
    /// Who may sponsor whom; ages are whole years since a co-op is one.
    package struct Limits: Sendable {
        /// A co-op is new up to this age.
        package var newYears = 8
        /// A co-op is established from this age on.
        package var establishedYears = 15
        package var sponsoredPerSponsor = 3
        package init() {}
    }

    /// A pairing that keeps another from beginning.
    struct Obstacle {
        let code: String
        let text: Bilingual
        let others: [Pairing]

        /// Names the others only as far as the caller may see them.
        func conflict(for caller: Caller) -> DomainError {
            let visible = others.filter { $0.isVisible(to: caller) }
            return .conflict(code: code, text, members: visible.isEmpty ? [] : [("pairing_ids", visible.jsonIDs)])
        }
    }

    /// Why the two co-ops are not of the ages for a sponsorship (invariant 9).
    package static func ageFaults(of sponsor: Coop, sponsoring sponsored: Coop, in year: Int, _ limits: Limits) -> Faults {
        var faults = Faults()
        let cure = (en: "choose another, or let the federation give age_override_reason", fr: "choisissez-en une autre, ou que la fédération indique age_override_reason")
        func check(_ pointer: String, _ code: String, _ coop: Coop, _ fits: (Int) -> Bool, en: String, fr: String) {
            guard let age = coop.age(in: year) else {
                faults.add(pointer, "coop.age-unknown", en: "has no known year of foundation; enter it, \(cure.en)", fr: "n'a pas d'année de création connue ; indiquez-la, \(cure.fr)")
                return
            }
            if !fits(age) { faults.add(pointer, code, en: "is \(age) years old; \(en): \(cure.en)", fr: "a \(age) ans ; \(fr) : \(cure.fr)") }
        }
        check(
            "#/sponsor_coop_id", "pairing.sponsor-young", sponsor, { $0 >= limits.establishedYears },
            en: "a sponsor has at least \(limits.establishedYears)", fr: "une marraine en a au moins \(limits.establishedYears)")
        check(
            "#/sponsored_coop_id", "pairing.sponsored-old", sponsored, { $0 <= limits.newYears },
            en: "a sponsored co-op has at most \(limits.newYears)", fr: "une filleule en a au plus \(limits.newYears)")
        return faults
    }

    /// What stands in the way of this pairing among those that are live (invariant 10); nil where nothing does.
    func obstacle(_ limits: Limits, in connection: Connection) throws(DomainError) -> Obstacle? {
        if let other = try Self.live(of: sponsorCoopID, in: connection).first(where: { $0.owners.contains(sponsoredCoopID) }) {
            return Obstacle(
                code: "pairing.live",
                text: Bilingual(en: "The two co-ops have a live pairing already.", fr: "Les deux coopératives ont déjà un binôme en cours."), others: [other])
        }
        guard kind == .sponsorship else { return nil }
        if let other = try Self.sponsorship(of: sponsoredCoopID, in: connection) { return .hasSponsor(other) }
        let sponsored = try Self.sponsorships(by: sponsorCoopID, in: connection)
        if sponsored.count >= limits.sponsoredPerSponsor {
            return Obstacle(
                code: "pairing.sponsor-full",
                text: Bilingual(
                    en: "The sponsor has \(sponsored.count) live sponsorships, and may have \(limits.sponsoredPerSponsor).",
                    fr: "La marraine a \(sponsored.count) parrainages en cours, et peut en avoir \(limits.sponsoredPerSponsor)."), others: sponsored)
        }
        return try cycle(in: connection)
    }

    /// The chain of sponsors above the sponsor, where it leads to the co-op that is to be sponsored.
    private func cycle(in connection: Connection) throws(DomainError) -> Obstacle? {
        var chain: [Pairing] = []
        var seen: Set = [sponsorCoopID]
        var current = sponsorCoopID
        while let above = try Self.sponsorship(of: current, in: connection), seen.insert(above.sponsorCoopID).inserted {
            chain.append(above)
            current = above.sponsorCoopID
            guard current == sponsoredCoopID else { continue }
            return Obstacle(
                code: "pairing.cycle",
                text: Bilingual(
                    en: "The co-op to be sponsored sponsors the sponsor already, directly or through others.",
                    fr: "La coopérative à parrainer parraine déjà la marraine, directement ou par d'autres."), others: chain)
        }
        return nil
    }

    // MARK: Live pairings

    private static let isLive = "status NOT IN ('declined', 'closed')"

    static func live(of coop: Identifier<Coop>, in connection: Connection) throws(DomainError) -> [Pairing] {
        try store.all(where: "(sponsor_coop_id = ? OR sponsored_coop_id = ?) AND \(isLive)", [coop.value, coop.value], in: connection)
    }

    /// The live sponsorship in which the co-op is sponsored; there is one at most.
    static func sponsorship(of coop: Identifier<Coop>, in connection: Connection) throws(DomainError) -> Pairing? {
        try store.all(where: "sponsored_coop_id = ? AND kind = 'sponsorship' AND \(isLive)", [coop.value], in: connection).first
    }

    /// The live sponsorships in which the co-op is the sponsor.
    static func sponsorships(by coop: Identifier<Coop>, in connection: Connection) throws(DomainError) -> [Pairing] {
        try store.all(where: "sponsor_coop_id = ? AND kind = 'sponsorship' AND \(isLive)", [coop.value], in: connection)
    }
}

extension Pairing.Obstacle {
    static func hasSponsor(_ other: Pairing) -> Pairing.Obstacle {
        Pairing.Obstacle(
            code: "pairing.has-sponsor",
            text: Bilingual(en: "The co-op to be sponsored has a live sponsor already.", fr: "La coopérative à parrainer a déjà une marraine."), others: [other])
    }
}

extension Coop {
    /// Years since it is a co-op, or since it was founded; nil where neither is known.
    package func age(in year: Int) -> Int? { (coopSinceYear ?? foundedYear).map { year - $0 } }
}
