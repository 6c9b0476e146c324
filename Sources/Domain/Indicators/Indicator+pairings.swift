/// How co-ops accompany each other. A pairing counts where the sponsored co-op is; of peers, the second.
extension Indicator {
    private static let places: Set<Grouping> = [.region, .department, .month]

    static let pairings = [
        Indicator(
            12, "sponsorship-coverage", en: "New co-ops with a sponsor", fr: "Nouvelles coopératives parrainées", by: places, from: [.pairings]
        ) { facts, scope in
            let year = Day(daysSince1970: Int64(scope.day)).year
            let new = facts.members(in: scope).filter { $0.value.since.map { $0 <= year && year - $0 <= scope.newYears } ?? false }
            let sponsored = Set(facts.pairings.filter { $0.isSponsorship && $0.isActive(on: scope) }.map(\.coop))
            return Result(figure: .ratio(new.keys.count { sponsored.contains($0) }, of: new.count))
        },
        Indicator(
            13, "pairing-lead-time", en: "From the proposal to the signature of a pairing", fr: "De la proposition à la signature d'un jumelage", by: places,
            from: [.pairings]
        ) { facts, scope in
            let own = facts.pairings.filter { scope.holds($0.coop) }
            let days = own.compactMap { pairing in pairing.signed.flatMap { scope.holds(day: $0) ? Double($0 - pairing.identified) : nil } }
            let begun = own.filter { scope.holds(day: $0.identified) }
            let states: [(String, (PairingFact) -> Bool)] = [
                ("introduced", { $0.introduced != nil }), ("met", { $0.met != nil }), ("signed", { $0.signed != nil }), ("active", \.wasActive),
            ]
            return Result(
                figure: .median(of: days, .days),
                parts: states.map { state, isReached in Part(state, .ratio(begun.count(where: isReached), of: begun.count)) })
        },
        Indicator(
            14, "pairing-liveliness", en: "Pairings that keep their rhythm", fr: "Jumelages qui tiennent leur rythme", by: [.region, .department], from: [.pairings],
            isPresent: true
        ) { facts, scope in
            let active = facts.pairings.filter { $0.status == .active && scope.holds($0.coop) }
            // Half a rhythm late at most, counted in half days.
            let lively = active.count { pairing in
                guard let last = pairing.lastMeeting, let cadence = pairing.cadence else { return false }
                return (scope.today - last) * 2 <= cadence * 3
            }
            return Result(figure: .ratio(lively, of: active.count))
        },
    ]
}

extension PairingFact {
    /// Only what has been active can be paused or closed; before, it is declined.
    fileprivate var wasActive: Bool { status == .active || status == .paused || status == .closed }

    /// Today it is what it says; of another day the signature and the end tell.
    fileprivate func isActive(on scope: Scope) -> Bool {
        if scope.day == scope.today { return status == .active }
        return wasActive && signed.map { $0 <= scope.day } ?? false && closed.map { $0 > scope.day } ?? true
    }
}
