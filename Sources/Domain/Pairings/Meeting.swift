import SQLite
import Text

/// A meeting of a pairing, with minutes: for the two co-ops and the federation alone.
package struct Meeting: Record {
    package enum Mode: String, Sendable, CaseIterable {
        case video, phone
        case inPerson = "in_person"
    }

    package static let type = RecordType.meeting
    package static let store = Store<Meeting>()

    package var meta = Meta()
    package var pairingID = Identifier<Pairing>(high: 0, low: 0)
    package var heldOn = Day(daysSince1970: 0)
    package var mode = Mode.inPerson
    package var place: String?
    /// Who took part, of either co-op.
    package var referentIDs: [Identifier<Referent>] = []
    package var minutes: String?
    /// The day that the two have agreed on for the next one.
    package var nextOn: Day?
    var sponsorCoopID = Identifier<Coop>(high: 0, low: 0)
    var sponsoredCoopID = Identifier<Coop>(high: 0, low: 0)

    package init() {}

    package static let fields: [Field<Meeting>] = [
        Field("pairing_id", \.pairingID, .reference(), .creation, required: true),
        Field("held_on", \.heldOn, .day, required: true),
        Field("mode", \.mode, .choice, required: true),
        Field("place", \.place, .optional(.line(1...200))),
        Field("referent_ids", \.referentIDs, .list(of: .reference(), upTo: 20, unique: true)),
        Field("minutes", \.minutes, .optional(.paragraph(1...20_000))),
        Field("next_on", \.nextOn, .optional(.day)),
        Field("sponsor_coop_id", \.sponsorCoopID, .reference(), .hidden),
        Field("sponsored_coop_id", \.sponsoredCoopID, .reference(), .hidden),
    ]

    package var readers: [Reader] { [Reader(.federation), Reader(.coop(sponsorCoopID)), Reader(.coop(sponsoredCoopID))] }
    package var owners: [Identifier<Coop>] { [sponsorCoopID, sponsoredCoopID] }

    package static func roles(for action: Action) -> Set<Role> {
        switch action {
        case .create: [.federationAdmin, .coopManager, .referent]
        case .change, .delete: [.federationAdmin, .coopManager]
        case .transition, .merge: []
        }
    }

    package mutating func prepare(_ change: Change<Meeting>, in tx: Transaction) throws(DomainError) {
        if change.action == .create { try begin(change, in: tx) }
        if change.old?.mode == .inPerson, mode != .inPerson { try checkNotNeeded(in: tx) }
        var faults = Faults()
        if heldOn > tx.now.adding(seconds: 86_400).day {
            faults.add("#/held_on", "date.future", en: "must not lie in the future", fr: "ne doit pas être dans le futur")
        }
        if let nextOn, nextOn <= heldOn {
            faults.add("#/next_on", "date.order", en: "must lie after held_on", fr: "doit être après held_on")
        }
        for (index, referent) in referentIDs.enumerated() where change.old?.referentIDs.contains(referent) != true {
            let coop = try Referent.store.find(referent, in: tx.connection)?.coopID
            if coop.map(owners.contains) != true { faults.addUnknownReference("#/referent_ids/\(index)", .referent) }
        }
        try faults.throwIfAny()
    }

    private mutating func begin(_ change: Change<Meeting>, in tx: Transaction) throws(DomainError) {
        guard let pairing = try Pairing.store.find(pairingID, in: tx.connection), pairing.isVisible(to: change.caller) else {
            var faults = Faults()
            faults.addUnknownReference("#/pairing_id", .pairing)
            throw .invalid(faults.all)
        }
        if pairing.status.isOver { throw pairing.isOverAlready }
        (sponsorCoopID, sponsoredCoopID) = (pairing.sponsorCoopID, pairing.sponsoredCoopID)
        if !change.given.contains("referent_ids"), let referent = change.caller.referent { referentIDs = [referent] }
    }

    package func stored(_ change: Change<Meeting>, in tx: Transaction) throws(DomainError) {
        if referentIDs != change.old?.referentIDs ?? [] {
            try storing { () throws(DatabaseError) in
                try tx.connection.run("DELETE FROM meeting_referent WHERE meeting_id = ?", [id.value])
                for referent in referentIDs {
                    try tx.connection.run("INSERT INTO meeting_referent (referent_id, meeting_id) VALUES (?, ?)", [referent.value, id.value])
                }
            }
        }
        try Pairing.noteMeetings(of: pairingID, in: tx)
    }

    package func removed(in tx: Transaction) throws(DomainError) { try Pairing.noteMeetings(of: pairingID, in: tx) }

    package func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError) {
        let pairing = try Pairing.store.require(pairingID, in: tx.connection)
        if pairing.status.isOver { throw pairing.isOverAlready }
        if mode == .inPerson { try checkNotNeeded(in: tx) }
    }

    /// The state `met` and what follows rest on one meeting in person at least.
    private func checkNotNeeded(in tx: Transaction) throws(DomainError) {
        let pairing = try Pairing.store.require(pairingID, in: tx.connection)
        guard pairing.metOn != nil else { return }
        let others = try Meeting.store.all(where: "pairing_id = ? AND mode = 'in_person' AND id <> ?", [pairingID.value, id.value], in: tx.connection)
        guard others.isEmpty else { return }
        throw .conflict(
            code: "meeting.needed",
            Bilingual(
                en: "It is the only meeting in person, on which the state \(pairing.status.rawValue) rests; log another first, or mend this one.",
                fr: "C'est la seule rencontre en personne, sur laquelle repose l'état \(pairing.status.rawValue) ; consignez-en une autre d'abord, ou corrigez celle-ci."),
            members: [("status_now", "\"\(pairing.status.rawValue)\"")])
    }
}

extension Pairing {
    /// Brings what the pairing's document tells of its meetings up to date.
    static func noteMeetings(of id: Identifier<Pairing>, in tx: Transaction) throws(DomainError) {
        let old = try store.require(id, in: tx.connection)
        var pairing = old
        try pairing.countMeetings(in: tx)
        if !pairing.hasFields(of: old) { try store.republish(old, as: pairing, in: tx) }
    }

    mutating func countMeetings(in tx: Transaction) throws(DomainError) {
        let meetings = try storing { () throws(DatabaseError) in
            try tx.connection.all("SELECT held_on, next_on FROM meeting WHERE pairing_id = ? ORDER BY held_on, id", [id.value]) { row in
                (heldOn: Day(row.text(0)), nextOn: row.optionalText(1).flatMap { Day($0) })
            }
        }
        meetingCount = meetings.count
        lastMeetingOn = meetings.last?.heldOn
        nextMeetingDueOn = status == .active ? dueDay(after: lastMeetingOn, agreed: meetings.last?.nextOn ?? nil) : nil
    }

    private func dueDay(after last: Day?, agreed: Day?) -> Day? {
        guard let signedOn, let cadenceDays else { return nil }
        // What was agreed on before the signing is not of the agreement's cadence any more.
        if let agreed, agreed > signedOn { return agreed }
        return Day(daysSince1970: max(last ?? signedOn, signedOn).daysSince1970 + Int64(cadenceDays))
    }
}
