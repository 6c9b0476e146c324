import SQLite
import Text

extension Session {
    package mutating func prepare(_ change: Change<Session>, in tx: Transaction) throws(DomainError) {
        if change.action == .create { try begin(change, in: tx) }
        if let old = change.old, change.action == .change { try checkEditable(from: old, in: tx) }
        let (site, module) = try checkParts(in: tx)
        derive(from: site, change)
        var faults = Faults()
        checkTimes(change, at: tx.now, &faults)
        if module.status != .published, change.old?.moduleID != moduleID || (status == .open && change.old?.status != .open) {
            faults.add("#/module_id", "session.module-unpublished", en: "must be a published module", fr: "doit être un module publié")
        }
        if capacity > site.seats {
            faults.add(
                "#/capacity", "session.capacity-seats", en: "the site has \(site.seats) seats; lower the capacity or choose another site",
                fr: "le lieu a \(site.seats) places assises ; réduisez la capacité ou choisissez un autre lieu")
        }
        if status == .open || status == .closed { checkEquipment(of: site, &faults) }
        if status == .open, change.old?.status != .open { try checkRelevance(of: module, &faults, in: tx) }
        try faults.throwIfAny()
        if !status.isOver { try checkPlaces(site, in: tx) }
        if let old = change.old, capacity < old.capacity { try checkHeldSeats(in: tx) }
        if let old = change.old, old.status != .draft, isShownOtherwise(than: old) { icalSequence += 1 }
        if change.old == nil { freeSeats = capacity }
    }

    private mutating func begin(_ change: Change<Session>, in tx: Transaction) throws(DomainError) {
        try coopID.fill(from: change)
        try Coop.checkMember(coopID, at: "#/coop_id", in: tx)
        if change.caller.token != nil, status != .draft, status != .open {
            throw .invalid([Fault("#/status", "session.status", en: "a session begins as draft or open", fr: "une session commence à l'état draft ou open")])
        }
        if !change.given.contains("registration_closes_at") { registrationClosesAt = startsAt }
        if status == .open, registrationOpensAt == nil { registrationOpensAt = tx.now }
    }

    private func checkEditable(from old: Session, in tx: Transaction) throws(DomainError) {
        guard !old.status.isOver else {
            throw .conflict(
                code: "session.over",
                Bilingual(
                    en: "A session that is \(old.status.rawValue) is not changed any more.", fr: "Une session à l'état \(old.status.rawValue) n'est plus modifiée."),
                members: [("status_now", "\"\(old.status.rawValue)\"")])
        }
        guard moduleID != old.moduleID, old.status != .draft else { return }
        throw .conflict(
            code: "session.module-fixed",
            Bilingual(
                en: "People sign up for a module: it stays once the session was opened. Cancel this one and make another.",
                fr: "On s'inscrit à un module : il ne change plus une fois la session ouverte. Annulez celle-ci et créez-en une autre."))
    }

    /// The site and the facilitator have to be the co-op's own.
    private func checkParts(in tx: Transaction) throws(DomainError) -> (Site, Module) {
        var faults = Faults()
        let site = try Site.store.find(siteID, in: tx.connection)
        if site?.coopID != coopID { faults.addUnknownReference("#/site_id", .site) }
        let module = try Module.store.find(moduleID, in: tx.connection)
        if module == nil || module?.status == .draft { faults.addUnknownReference("#/module_id", .module) }
        if let facilitatorID, try Facilitator.store.find(facilitatorID, in: tx.connection)?.coopID != coopID {
            faults.addUnknownReference("#/facilitator_id", .facilitator)
        }
        try faults.throwIfAny()
        guard let site, let module else { preconditionFailure("a missing part is a fault") }
        return (site, module)
    }

    private mutating func derive(from site: Site, _ change: Change<Session>) {
        timeZone = Zone(rawValue: site.timeZone) ?? .paris
        endsAt = startsAt.adding(seconds: Int64(durationMin) * 60)
        startsLocal = timeZone.localText(startsAt)
        // Where registration was to close at the beginning, it still does when the beginning moves.
        if let old = change.old, old.startsAt != startsAt, old.registrationClosesAt == old.startsAt, !change.given.contains("registration_closes_at") {
            registrationClosesAt = startsAt
        }
    }

    private func checkTimes(_ change: Change<Session>, at now: Timestamp, _ faults: inout Faults) {
        if change.caller.token != nil, change.old?.startsAt != startsAt, startsAt <= now {
            faults.add("#/starts_at", "date.past", en: "must lie in the future", fr: "doit être dans le futur")
        }
        if let old = change.old, old.startsAt <= now, old.startsAt != startsAt {
            faults.add("#/starts_at", "session.started", en: "can't change: the session has begun", fr: "ne change plus : la session a commencé")
        }
        if registrationClosesAt > startsAt {
            faults.add("#/registration_closes_at", "date.order", en: "must not lie after starts_at", fr: "ne doit pas être après starts_at")
        }
        if let registrationOpensAt, registrationOpensAt >= registrationClosesAt {
            faults.add("#/registration_opens_at", "date.order", en: "must lie before registration_closes_at", fr: "doit être avant registration_closes_at")
        }
    }

    private func checkRelevance(of module: Module, _ faults: inout Faults, in tx: Transaction) throws(DomainError) {
        guard !forced, let activity = module.relatedActivity, try !Coop.store.require(coopID, in: tx.connection).activities.contains(activity) else { return }
        faults.add(
            "#/module_id", "session.module-irrelevant", en: "is about \(activity), which this co-op does not do; open it with \"force\": true if you want it all the same",
            fr: "porte sur \(activity), que cette coopérative ne pratique pas ; ouvrez avec \"force\": true si vous y tenez")
    }

    private func isShownOtherwise(than old: Session) -> Bool {
        startsAt != old.startsAt || durationMin != old.durationMin || siteID != old.siteID || (status == .cancelled && old.status != .cancelled)
    }

    package func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError) {
        guard status != .draft else { return }
        throw .conflict(
            code: "session.not-deletable",
            Bilingual(
                en: "A session that was opened is kept; cancel it with a transition to cancelled.",
                fr: "Une session ouverte est conservée ; annulez-la par une transition vers cancelled."),
            members: [("status_now", "\"\(status.rawValue)\"")])
    }

    package func stored(_ change: Change<Session>, in tx: Transaction) throws(DomainError) {
        try storing { () throws(DatabaseError) in
            try schedule(Self.closes, registrationClosesAt, if: status == .open, in: tx)
            let fits = startsAt.adding(seconds: -Int64(fitHours) * 3600)
            try schedule(Self.fits, fits, if: (status == .open || status == .closed) && fits > tx.now, in: tx)
        }
        if let facilitatorID, change.old?.facilitatorID != facilitatorID || change.old?.startsAt != startsAt {
            try Facilitator.noteSession(facilitatorID, on: timeZone.local(startsAt).day, in: tx)
        }
        if let old = change.old, old.startsAt != startsAt { try moveRegistrations(in: tx) }
        if change.old?.status != status, status.isOver { try endRegistrations(by: change.caller, in: tx) }
        if change.old != nil { try Session.settleQueue(id, by: change.caller, in: tx) }
        if status == .held, change.old?.status != .held { try Coop.noteCoveredModules(coopID, in: tx) }
    }

    private static let closes = "registration_closes"
    private static let fits = "fit_hours"

    private func schedule(_ what: String, _ at: Timestamp, if isDue: Bool, in tx: Transaction) throws(DatabaseError) {
        if isDue { try Due.set(at, .session, id.text, what, in: tx) } else { try Due.clear(.session, id.text, what, in: tx.connection) }
    }

    package static func fallDue(_ id: Identifier<Session>, _ what: String, in tx: Transaction) throws(DomainError) {
        try tx.publishPending()
        guard let session = try store.find(id, in: tx.connection) else { return }
        if what == closes, session.status == .open, session.registrationClosesAt <= tx.now {
            try store.amend(session, .transition, by: .clock, in: tx) { $0.status = .closed }
        } else {
            try settleQueue(id, by: .clock, in: tx)
        }
    }

    /// How long people are remembered goes by the session's day.
    private func moveRegistrations(in tx: Transaction) throws(DomainError) {
        for registration in try Registration.store.all(where: "session_id = ?", [id.value], in: tx.connection) {
            try Registration.store.amend(registration, .change, by: .clock, in: tx) { $0.sessionStartsAt = startsAt }
        }
    }

    /// What became of those who had not come in yet, when the session is called off or over.
    private func endRegistrations(by caller: Caller, in tx: Transaction) throws(DomainError) {
        for registration in try Registration.store.all(where: "session_id = ?", [id.value], in: tx.connection) {
            let ends = status == .cancelled ? [.waitlisted, .offered, .confirmed].contains(registration.status) : [.waitlisted, .offered].contains(registration.status)
            guard ends else { continue }
            try Registration.store.amend(registration, .transition, by: caller, in: tx) { party in
                party.leave(for: status == .cancelled ? .sessionCancelled : .expired)
                // Nobody comes to a door that stays shut.
                if status == .cancelled, party.email == nil { party.contactTask = .toCall }
            }
        }
    }
}

extension Session.Status {
    package var isOver: Bool { self == .held || self == .cancelled }
}

extension Coop {
    /// Writes into the co-op's document of which modules it has held a session.
    static func noteCoveredModules(_ id: Identifier<Coop>, in tx: Transaction) throws(DomainError) {
        let old = try store.require(id, in: tx.connection)
        var coop = old
        coop.coveredModuleIDs = try storing { () throws(DatabaseError) in
            try tx.connection.all("SELECT DISTINCT module_id FROM session WHERE coop_id = ? AND status = 'held' ORDER BY module_id", [id.value]) {
                Identifier<Module>($0.text(0))
            }
        }.compactMap { $0 }
        if !coop.hasFields(of: old) { try store.republish(old, as: coop, in: tx) }
    }
}
