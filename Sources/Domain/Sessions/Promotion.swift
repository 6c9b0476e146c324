/// Who gets the seats that are free: the one routine that every trigger calls (domain: Promotion routine). A pure function of the
/// parties and the time, so that it can explain itself.
package enum Promotion {
    package struct Rules: Sendable {
        package let capacity: Int
        package let startsAt: Timestamp
        package let closesAt: Timestamp
        package let offerHours: Int
        package let fitHours: Int
    }

    package struct Party: Sendable, Equatable {
        package let size: Int
        package let queuedAt: Timestamp
        package let entryNo: Int
        package let hasEmail: Bool
        /// Just created: when it is reached it is confirmed, never offered.
        package var isNew: Bool
        package var status: Registration.Status
        package var offerExpiresAt: Timestamp?
        package var rank: Int?
        package var reason: Registration.NotPromoted?
        /// Somebody has to tell them by telephone.
        package var isToBeCalled = false
    }

    private static let leastOffer: Int64 = 2 * 3600

    /// Ends offers whose time is up, in the order of their deadlines, gives away after each what is free, and numbers the queue.
    package static func settle(_ parties: inout [Party], _ rules: Rules, at now: Timestamp) {
        while parties.contains(where: { $0.isMissed(at: now) }),
            let missed = parties.indices.filter({ parties[$0].isMissed(at: now) }).min(by: { parties[$0].deadline < parties[$1].deadline })
        {
            parties[missed].status = .expired
            parties[missed].offerExpiresAt = nil
            promote(&parties, rules, at: now)
        }
        promote(&parties, rules, at: now)
        number(&parties, rules, at: now)
    }

    private static func promote(_ parties: inout [Party], _ rules: Rules, at now: Timestamp) {
        guard now < rules.startsAt else { return }
        var free = free(parties, rules)
        for index in queue(parties) {
            guard parties[index].size <= free else {
                if isStrict(rules, at: now) { return }
                continue
            }
            free -= parties[index].size
            let deadline = min(now.adding(seconds: Int64(rules.offerHours) * 3600), rules.closesAt)
            let isOffer = !parties[index].isNew && rules.offerHours > 0 && deadline >= now.adding(seconds: leastOffer)
            parties[index].status = isOffer ? .offered : .confirmed
            parties[index].offerExpiresAt = isOffer ? deadline : nil
            parties[index].isToBeCalled = !parties[index].isNew && !parties[index].hasEmail
        }
    }

    private static func number(_ parties: inout [Party], _ rules: Rules, at now: Timestamp) {
        let free = free(parties, rules)
        var isBehind = false
        for index in parties.indices { (parties[index].rank, parties[index].reason) = (nil, nil) }
        for (rank, index) in queue(parties).enumerated() {
            parties[index].rank = rank + 1
            parties[index].reason = free == 0 ? .full : isBehind ? .behindLargerParty : .partyTooLarge
            isBehind = isStrict(rules, at: now)
        }
    }

    private static func free(_ parties: [Party], _ rules: Rules) -> Int {
        rules.capacity - parties.reduce(0) { $1.status.holdsSeats ? $0 + $1.size : $0 }
    }

    private static func queue(_ parties: [Party]) -> [Int] {
        let waiting = parties.indices.filter { parties[$0].status == .waitlisted }
        func isBefore(_ one: Int, _ other: Int) -> Bool { (parties[one].queuedAt, parties[one].entryNo) < (parties[other].queuedAt, parties[other].entryNo) }
        // They mostly stand in the order in which they were entered.
        return zip(waiting, waiting.dropFirst()).allSatisfy(isBefore) ? waiting : waiting.sorted(by: isBefore)
    }

    /// Long before the beginning nobody passes a larger party.
    private static func isStrict(_ rules: Rules, at now: Timestamp) -> Bool { now < rules.startsAt.adding(seconds: -Int64(rules.fitHours) * 3600) }
}

extension Promotion.Party {
    fileprivate func isMissed(at now: Timestamp) -> Bool { status == .offered && (offerExpiresAt.map { $0 <= now } ?? false) }
    fileprivate var deadline: (Timestamp, Int) { (offerExpiresAt ?? queuedAt, entryNo) }
}
