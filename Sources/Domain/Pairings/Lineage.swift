import SQLite

/// Who has sponsored a co-op, who had sponsored those, and so on; and the same downwards. Live and past sponsorships, not those
/// that were declined, and of them only what the caller may read as pairings: a co-op sees the links that are its own.
package struct Lineage: Sendable {
    package struct Link: Sendable {
        /// 1 for the co-op's own sponsors and sponsored co-ops.
        package let depth: Int
        package let pairing: Pairing
        /// The co-op that the link leads to.
        package let coop: Coop
    }

    /// Nearest first; the co-ops of one depth in the order of their pairings' beginning.
    package var sponsors: [Link] = []
    package var sponsored: [Link] = []
}

extension Federation {
    /// - Throws: `.notFound` where the caller does not see the co-op.
    package func lineage(of id: Identifier<Coop>, for caller: Caller) throws(DomainError) -> Lineage {
        _ = try document(of: id, for: caller)
        return try read { (connection) throws(DomainError) in
            try Lineage(
                sponsors: Lineage.chain(from: id, by: "sponsored_coop_id", to: { $0.sponsorCoopID }, for: caller, in: connection),
                sponsored: Lineage.chain(from: id, by: "sponsor_coop_id", to: { $0.sponsoredCoopID }, for: caller, in: connection))
        }
    }
}

extension Lineage {
    /// Each co-op once: of past sponsorships there may be circles.
    fileprivate static func chain(
        from start: Identifier<Coop>, by column: String, to next: (Pairing) -> Identifier<Coop>, for caller: Caller, in connection: Connection
    ) throws(DomainError) -> [Link] {
        var links: [Link] = []
        var seen: Set = [start]
        var level = [start]
        var depth = 1
        while !level.isEmpty {
            var reached: [Identifier<Coop>] = []
            for coop in level {
                let pairings = try Pairing.store.all(
                    where: "\(column) = ? AND kind = 'sponsorship' AND status <> 'declined'", [coop.value], in: connection)
                for pairing in pairings.sorted(by: { ($0.identifiedOn, $0.id.text) < ($1.identifiedOn, $1.id.text) }) where pairing.isVisible(to: caller) {
                    links.append(Link(depth: depth, pairing: pairing, coop: try Coop.store.require(next(pairing), in: connection)))
                    if seen.insert(next(pairing)).inserted { reached.append(next(pairing)) }
                }
            }
            level = reached
            depth += 1
        }
        return links
    }
}
