import SQLite
import Text

/// Co-ops that could sponsor one, best first, with the reasons for each.
package struct Suggestions: Sendable {
    /// A reason, or what stands in the way: a stable code, and a text for people.
    package struct Remark: Sendable, Equatable {
        package let code: String
        package let text: Bilingual
    }

    package struct Sponsor: Sendable {
        package let coop: Coop
        package let freePlaces: Int
        package let score: Int
        package let reasons: [Remark]
    }

    package var sponsors: [Sponsor] = []
    /// Why the co-op itself can't be sponsored as things are; there are no sponsors then.
    package var obstacles: [Remark] = []
}

extension Federation {
    /// At most twenty co-ops that nothing keeps from sponsoring this one.
    ///
    /// - Throws: `.forbidden` but for the federation and the co-op's own manager; `.notFound`.
    package func suggestedSponsors(of id: Identifier<Coop>, for caller: Caller) throws(DomainError) -> Suggestions {
        guard caller.role == .federationAdmin || caller.role == .coopManager else { throw .scopeMissing }
        if let own = caller.coop, own != id { throw .scopeNotYours }
        let year = now().day.year
        return try read { (connection) throws(DomainError) in
            let coop = try Coop.store.require(id, in: connection)
            var found = Suggestions()
            found.obstacles = try coop.obstaclesToSponsorship(in: year, pairingLimits, in: connection)
            guard found.obstacles.isEmpty else { return found }
            let titles = try activityTitles(in: connection)
            for candidate in try Coop.store.all(where: "membership = 'member' AND successor_id IS NULL AND id <> ?", [id.value], in: connection) {
                var pairing = Pairing()
                (pairing.sponsorCoopID, pairing.sponsoredCoopID) = (candidate.id, id)
                guard Pairing.ageFaults(of: candidate, sponsoring: coop, in: year, pairingLimits).all.isEmpty,
                    try pairing.obstacle(pairingLimits, in: connection) == nil
                else { continue }
                let taken = try Pairing.sponsorships(by: candidate.id, in: connection).count
                found.sponsors.append(candidate.asSponsor(of: coop, in: year, free: pairingLimits.sponsoredPerSponsor - taken, pairingLimits, titles))
            }
            found.sponsors.sort { ($1.score, $0.coop.slug) < ($0.score, $1.coop.slug) }
            found.sponsors.removeLast(max(0, found.sponsors.count - 20))
            return found
        }
    }

    private func activityTitles(in connection: Connection) throws(DomainError) -> [String: String] {
        let activities = try Activity.store.all(in: connection)
        return Dictionary(uniqueKeysWithValues: activities.map { ($0.slug, $0.title) })
    }
}

extension Coop {
    fileprivate func obstaclesToSponsorship(in year: Int, _ limits: Pairing.Limits, in connection: Connection) throws(DomainError) -> [Suggestions.Remark] {
        var obstacles: [Suggestions.Remark] = []
        if membership != .member || successorID != nil {
            obstacles.append(.init(code: "coop.not-member", text: Bilingual(en: "The co-op is not a member.", fr: "La coopérative n'est pas adhérente.")))
        }
        if age(in: year).map({ $0 > limits.newYears }) ?? true {
            obstacles.append(
                .init(
                    code: "pairing.sponsored-old",
                    text: Bilingual(
                        en: "The co-op is not known to be at most \(limits.newYears) years old; the federation may allow a sponsorship with a reason.",
                        fr: "La coopérative n'est pas connue pour avoir au plus \(limits.newYears) ans ; la fédération peut autoriser un parrainage en le motivant.")))
        }
        if let other = try Pairing.sponsorship(of: id, in: connection) {
            let obstacle = Pairing.Obstacle.hasSponsor(other)
            obstacles.append(.init(code: obstacle.code, text: obstacle.text))
        }
        return obstacles
    }

    /// Points: 30 for the same department, 20 for the same region, 10 for a neighbouring one; 10 for each activity in common; 5
    /// for each free place; 1 for each ten years of age, up to 10.
    fileprivate func asSponsor(
        of coop: Coop, in year: Int, free: Int, _ limits: Pairing.Limits, _ titles: [String: String]
    ) -> Suggestions.Sponsor {
        var score = 0
        var reasons: [Suggestions.Remark] = []
        func credit(_ points: Int, _ code: String, en: String, fr: String) {
            score += points
            reasons.append(.init(code: code, text: Bilingual(en: en, fr: fr)))
        }
        if departmentCode == coop.departmentCode {
            credit(30, "department", en: "In the same department (\(departmentCode))", fr: "Dans le même département (\(departmentCode))")
        } else if regionCode == coop.regionCode {
            credit(20, "region", en: "In the same region (\(regionCode))", fr: "Dans la même région (\(regionCode))")
        } else if Department.areNeighbours(regionCode, coop.regionCode) {
            credit(10, "neighbouring_region", en: "In a neighbouring region (\(regionCode))", fr: "Dans une région voisine (\(regionCode))")
        }
        let common = activities.filter(coop.activities.contains)
        if !common.isEmpty {
            let names = common.map { titles[$0] ?? $0 }.joined(separator: ", ")
            credit(10 * common.count, "activities", en: "Activities in common: \(names)", fr: "Activités en commun : \(names)")
        }
        credit(
            5 * free, "free_places", en: "\(free) of \(limits.sponsoredPerSponsor) places free",
            fr: "\(free) place\(free > 1 ? "s" : "") libre\(free > 1 ? "s" : "") sur \(limits.sponsoredPerSponsor)")
        if let age = age(in: year) {
            credit(min(age / 10, 10), "age", en: "A co-op for \(age) years", fr: "Coopérative depuis \(age) ans")
        }
        return Suggestions.Sponsor(coop: self, freePlaces: free, score: score, reasons: reasons)
    }
}
