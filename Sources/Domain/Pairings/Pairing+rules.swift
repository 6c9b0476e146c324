import SQLite
import Text

extension Pairing {
    package mutating func prepare(_ change: Change<Pairing>, in tx: Transaction) throws(DomainError) {
        if change.action == .create { try begin(change, in: tx) }
        if let old = change.old, old.status.isOver { throw old.isOverAlready }
        var faults = Faults()
        checkParts(&faults)
        checkDates(at: tx.now, &faults)
        try checkReferents(from: change.old, &faults, in: tx)
        try faults.throwIfAny()
        try countMeetings(in: tx)
    }

    /// What may be begun, by whom, between which co-ops: asked at creation only.
    private mutating func begin(_ change: Change<Pairing>, in tx: Transaction) throws(DomainError) {
        // First of all, or the answers below would tell of others' pairings.
        if let own = change.caller.coop, !owners.contains(own) { throw .scopeNotYours }
        if change.caller.role == .coopManager, ageOverrideReason != nil {
            throw .forbidden(
                code: "scope.missing",
                Bilingual(en: "Only the federation sets age_override_reason.", fr: "Seule la fédération fixe age_override_reason."))
        }
        if !change.given.contains("identified_on") { identifiedOn = tx.now.day }
        guard sponsorCoopID != sponsoredCoopID else {
            throw .invalid([
                Fault("#/sponsored_coop_id", "pairing.self", en: "is the same as sponsor_coop_id; name another co-op", fr: "est la même que sponsor_coop_id ; indiquez une autre coopérative")
            ])
        }
        let sponsor = try Coop.checkMember(sponsorCoopID, at: "#/sponsor_coop_id", in: tx)
        let sponsored = try Coop.checkMember(sponsoredCoopID, at: "#/sponsored_coop_id", in: tx)
        var faults = Faults()
        if kind == .peer, ageOverrideReason != nil {
            faults.add("#/age_override_reason", "pairing.peer-age", en: "belongs to a sponsorship: peers may be of any age", fr: "relève d'un parrainage : les pairs peuvent avoir tout âge")
        }
        if kind == .sponsorship, ageOverrideReason == nil {
            faults.add(contentsOf: Self.ageFaults(of: sponsor, sponsoring: sponsored, in: tx.now.day.year, tx.pairingLimits))
        }
        try faults.throwIfAny()
        if let obstacle = try obstacle(tx.pairingLimits, in: tx.connection) { throw obstacle.conflict(for: change.caller) }
    }

    var isOverAlready: DomainError {
        .conflict(
            code: "pairing.over",
            Bilingual(
                en: "It is \(status.rawValue), which is final; the two may begin another.",
                fr: "Il est à l'état \(status.rawValue), définitif ; les deux coopératives peuvent en commencer un autre."),
            members: [("status_now", "\"\(status.rawValue)\"")])
    }

    // MARK: What each step brings along

    /// A field that no earlier state has, or that this and each later state needs.
    private struct Part {
        let name: String
        let isSet: Bool
        var comesWith: Status?
        var neededFrom: Status?
    }

    private var parts: [Part] {
        [
            Part(name: "introduced_on", isSet: introducedOn != nil, comesWith: .introduced, neededFrom: .introduced),
            Part(name: "met_on", isSet: metOn != nil, comesWith: .met, neededFrom: .met),
            Part(name: "meeting_place", isSet: meetingPlace != nil, comesWith: .met),
            Part(name: "signed_on", isSet: signedOn != nil, comesWith: .signed, neededFrom: .signed),
            Part(name: "agreement_ref", isSet: agreementRef != nil, comesWith: .signed, neededFrom: .signed),
            Part(name: "channel", isSet: channel != nil, neededFrom: .active),
            Part(name: "cadence_days", isSet: cadenceDays != nil, neededFrom: .active),
            Part(name: "sponsor_referent_id", isSet: sponsorReferentID != nil, neededFrom: .active),
            Part(name: "sponsored_referent_id", isSet: sponsoredReferentID != nil, neededFrom: .active),
        ]
    }

    private func checkParts(_ faults: inout Faults) {
        guard let progress = status.progress else { return }
        for part in parts {
            if part.isSet, let first = part.comesWith, let least = first.progress, progress < least {
                faults.add(
                    "#/\(part.name)", "pairing.too-early", en: "comes with the transition to \(first.rawValue)", fr: "vient avec la transition vers \(first.rawValue)")
            }
            if !part.isSet, let first = part.neededFrom, let least = first.progress, progress >= least {
                faults.add(
                    "#/\(part.name)", "field.required", en: "is required from the state \(first.rawValue) on", fr: "est obligatoire à partir de l'état \(first.rawValue)")
            }
        }
    }

    /// Dates rise from step to step (invariant 11), and none lies ahead.
    private func checkDates(at now: Timestamp, _ faults: inout Faults) {
        let tomorrow = now.adding(seconds: 86_400).day
        var before: (name: String, day: Day)?
        let steps = [("identified_on", identifiedOn), ("introduced_on", introducedOn), ("met_on", metOn), ("signed_on", signedOn), ("closed_on", closedOn)]
        for case (let name, let day?) in steps {
            if day > tomorrow { faults.add("#/\(name)", "date.future", en: "must not lie in the future", fr: "ne doit pas être dans le futur") }
            if let before, day < before.day {
                faults.add(
                    "#/\(name)", "date.order", en: "must not lie before \(before.name) (\(before.day.text))", fr: "ne doit pas précéder \(before.name) (\(before.day.text))")
            }
            before = (name, day)
        }
    }

    /// Each side's referent has a mandate of that side, and an active one when the pairing becomes active or names it then.
    private func checkReferents(from old: Pairing?, _ faults: inout Faults, in tx: Transaction) throws(DomainError) {
        let begins = status == .active && old?.status != .active
        let sides = [
            ("sponsor_referent_id", sponsorReferentID, old?.sponsorReferentID, sponsorCoopID),
            ("sponsored_referent_id", sponsoredReferentID, old?.sponsoredReferentID, sponsoredCoopID),
        ]
        for case (let name, let id?, let former, let coop) in sides where begins || id != former {
            guard let mandate = try Referent.store.find(id, in: tx.connection), mandate.coopID == coop else {
                faults.addUnknownReference("#/\(name)", .referent)
                continue
            }
            if status == .active, mandate.status != .active {
                faults.add(
                    "#/\(name)", "pairing.referent-inactive", en: "has a mandate that is \(mandate.status.rawValue); name an active referent of that co-op",
                    fr: "a un mandat à l'état \(mandate.status.rawValue) ; indiquez un référent actif de cette coopérative")
            }
        }
    }
}
