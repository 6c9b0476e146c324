import Domain
import HTTP
import JSON

/// The action of the month: rounds, what is nominated, and votes, which go in and never come out.
struct RoundRoutes: Sendable {
    let federation: Federation

    var routes: [Route] {
        let rounds = ResourceRoutes<Round>(federation)
        let nominations = ResourceRoutes<Nomination>(federation)
        return rounds.routes + [
            rounds.transition { (id, step, expected, caller, tx) throws(DomainError) in
                try Round.store.transition(id, step, expecting: expected, by: caller, in: tx)
            }
        ] + nominations.routes + nominations.routes(under: Round.self, by: "round_id") + [
            .write("POST", rounds.path + "/{id}/votes") { call in
                try Vote.authorize(call.caller)
                try call.takesNoQuery()
                let vote = try federation.vote(call.json(), in: rounds.visibleParent(Round.self, call))
                let caller = call.caller
                return { (tx) throws(DomainError) in
                    try vote.cast(by: caller, in: tx)
                    return Outcome(status: 201, body: receipt(for: vote.round))
                }
            }
        ]
    }

    /// Neither who voted nor for which: the answer may be kept for a repeated request.
    private func receipt(for round: Identifier<Round>) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("round_id", round.text)
        json.endObject()
        return json.bytes
    }
}
