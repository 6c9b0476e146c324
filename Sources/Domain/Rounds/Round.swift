import JSON
import Text

/// The action of the month: a co-op collects nominations, lets its people vote in secret, counts once, and announces.
package struct Round: Record {
    package enum Status: String, Sendable, CaseIterable { case collecting, voting, closed, announced }

    package static let type = RecordType.round
    package static let store = Store<Round>()

    package var meta = Meta()
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    /// `2026-03`: one a co-op and month.
    package var month = ""
    package var status = Status.collecting
    /// Most votes first; nil until the round is closed, since nobody shall vote by looking.
    package var results: [Result]?
    /// Several on a tie, none where nobody voted; nil until the round is closed.
    package var winnerIDs: [Identifier<Nomination>]?
    package var announcedAt: Timestamp?

    package init() {}

    /// More are on no ballot that anybody reads.
    static let nominationLimit = 100

    package static let fields: [Field<Round>] = [
        Field("coop_id", \.coopID, .reference(), .creation),
        Field("month", \.month, .month, .creation, required: true),
        Field("status", \.status, .choice, .server),
        Field("results", \.results, .optional(.list(of: Result.codec, upTo: nominationLimit)), .server),
        Field("winner_ids", \.winnerIDs, .optional(.list(of: .reference(), upTo: nominationLimit)), .server),
        Field("announced_at", \.announcedAt, .optional(.time), .server),
    ]

    package var readers: [Reader] { [Reader(.coop(coopID))] }
    package var owners: [Identifier<Coop>] { [coopID] }

    package static func roles(for action: Action) -> Set<Role> {
        switch action {
        case .create, .delete, .transition: [.coopManager]
        case .change, .merge: []
        }
    }

    package mutating func prepare(_ change: Change<Round>, in tx: Transaction) throws(DomainError) {
        guard change.action == .create else { return }
        try coopID.fill(from: change)
        try Coop.checkOpenToNewRecords(coopID, at: "#/coop_id", in: tx)
    }

    package func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError) { try checkCollecting() }

    /// What is on the ballot stays as it is once people vote.
    func checkCollecting() throws(DomainError) {
        guard status != .collecting else { return }
        throw .conflict(
            code: "round.not-collecting",
            Bilingual(
                en: "The round collects nominations no more: it is \(status.rawValue), and stays with them as they are.",
                fr: "Le tour ne recueille plus de propositions : son état est \(status.rawValue), et elles ne changent plus."),
            members: [("status_now", "\"\(status.rawValue)\"")])
    }
}

extension Round {
    /// How often a nomination was voted for.
    package struct Result: Sendable, Equatable {
        package let nominationID: Identifier<Nomination>
        package let votes: Int

        package init(nominationID: Identifier<Nomination>, votes: Int) {
            self.nominationID = nominationID
            self.votes = votes
        }

        static let codec = Codec<Result>(
            cell: .json, isNullable: false,
            parse: { json, pointer, faults in
                let nomination = json["nomination_id"].flatMap { Codec<Identifier<Nomination>>.reference().parse($0, "\(pointer)/nomination_id", &faults) }
                let votes = json["votes"].flatMap { Codec<Int>.integer(0...Int.max).parse($0, "\(pointer)/votes", &faults) }
                guard let nomination, let votes else {
                    faults.add(pointer, "field.type", en: "must be an object of nomination_id and votes", fr: "doit être un objet avec nomination_id et votes")
                    return nil
                }
                return Result(nominationID: nomination, votes: votes)
            },
            column: { _ in preconditionFailure("results are stored as a list") },
            load: { _, _ in preconditionFailure("results are stored as a list") },
            write: { result, json in
                json.beginObject()
                json.member("nomination_id", result.nominationID.text)
                json.member("votes", result.votes)
                json.endObject()
            })
    }
}
