import Domain
import JSON

/// Co-ops, and their merging.
struct CoopRoutes: Sendable {
    let federation: Federation

    var routes: [Route] {
        let coops = ResourceRoutes<Coop>(federation)
        return coops.routes + [
            coops.operation("merge", .merge, { (json) throws(DomainError) in try MergeRequest<Coop>(json) }) { (id, merge, expected, caller, tx) throws(DomainError) in
                try Coop.store.merge(id, into: merge.into, expecting: expected, by: caller, in: tx)
            }
        ]
    }
}
