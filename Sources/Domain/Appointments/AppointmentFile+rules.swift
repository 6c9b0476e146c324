import SQLite
import Text

extension AppointmentFile {
    package mutating func prepare(_ change: Change<AppointmentFile>, in tx: Transaction) throws(DomainError) {
        if change.caller.role == .federationAdmin, !change.given.isDisjoint(with: Self.notes.names) {
            throw .forbidden(
                code: "scope.missing",
                Bilingual(en: "Notes are the co-op's manager's alone; leave them out.", fr: "Les notes sont réservées au gestionnaire de la coopérative ; ne les fournissez pas."))
        }
        if change.action == .create {
            try coopID.fill(from: change)
            try Coop.checkOpenToNewRecords(coopID, at: "#/coop_id", in: tx)
            if !change.given.contains("opened_on") { openedOn = tx.now.day }
        }
        if change.action == .change, change.old?.status == .abandoned {
            throw .conflict(
                code: "appointment.abandoned",
                Bilingual(en: "An abandoned file stays as it is; open a new one.", fr: "Un dossier abandonné reste en l'état ; ouvrez-en un nouveau."),
                members: [("status_now", "\"abandoned\"")])
        }
        var faults = Faults()
        checkDates(at: tx.now, &faults)
        try measure(change, &faults, in: tx)
        try faults.throwIfAny()
        if change.action == .create { try checkOnlyOpen(in: tx) }
    }

    /// The opening, then each step, none before the one that it follows. It is tomorrow already somewhere in France.
    private func checkDates(at now: Timestamp, _ faults: inout Faults) {
        let tomorrow = now.adding(seconds: 86_400).day
        let refuseFuture = { (field: String, day: Day?, faults: inout Faults) in
            if let day, day > tomorrow { faults.add("#/\(field)", "date.future", en: "must not lie in the future", fr: "ne doit pas être dans le futur") }
        }
        refuseFuture("opened_on", openedOn, &faults)
        refuseFuture("closed_on", closedOn, &faults)
        var former = (field: "opened_on", day: openedOn)
        var missing: Step?
        for (step, progress) in zip(Step.allCases, steps) {
            guard let day = progress.doneOn else {
                missing = missing ?? step
                continue
            }
            refuseFuture(step.dateField, day, &faults)
            if let missing {
                faults.add(
                    "#/\(step.dateField)", "appointment.step-order", en: "comes after \(missing.rawValue), which has no date yet; give \(missing.dateField) too",
                    fr: "vient après \(missing.rawValue), qui n'a pas encore de date ; indiquez aussi \(missing.dateField)")
            }
            if day < former.day {
                faults.add(
                    "#/\(step.dateField)", "date.order", en: "must not lie before \(former.field) (\(former.day.text))",
                    fr: "ne doit pas précéder \(former.field) (\(former.day.text))")
            }
            former = (step.dateField, day)
        }
        // An appointed referent may be trained and recognised after the file is closed.
        let last = status == .abandoned ? former : (field: "opened_on", day: openedOn)
        if let closedOn, closedOn < last.day {
            faults.add("#/closed_on", "date.order", en: "must not lie before \(last.field) (\(last.day.text))", fr: "ne doit pas précéder \(last.field) (\(last.day.text))")
        }
    }

    /// Counts the days to the mandate, which has to be one of the same co-op that began after the opening.
    private mutating func measure(_ change: Change<AppointmentFile>, _ faults: inout Faults, in tx: Transaction) throws(DomainError) {
        leadDays = nil
        guard let referentID else { return }
        guard let mandate = try Referent.store.find(referentID, in: tx.connection), mandate.coopID == coopID || change.old?.referentID == referentID else {
            return faults.addUnknownReference("#/referent_id", .referent)
        }
        guard mandate.startedOn >= openedOn else {
            return faults.add(
                change.action == .change ? "#/opened_on" : "#/referent_id", "appointment.mandate-before",
                en: "the mandate began on \(mandate.startedOn.text), before the file was opened on \(openedOn.text); correct one of the two",
                fr: "le mandat a commencé le \(mandate.startedOn.text), avant l'ouverture du dossier le \(openedOn.text) ; corrigez l'une des deux dates")
        }
        leadDays = mandate.startedOn.days(since: openedOn)
    }

    private func checkOnlyOpen(in tx: Transaction) throws(DomainError) {
        guard let other = try Self.open(of: coopID, in: tx) else { return }
        throw .conflict(
            code: "appointment.open",
            Bilingual(
                en: "The co-op has an open appointment file; go on with that one, or close it first.",
                fr: "La coopérative a un dossier de nomination ouvert ; poursuivez-le ou clôturez-le d'abord."),
            members: [("appointment_id", "\"\(other.id)\"")])
    }

    private static func open(of coop: Identifier<Coop>, in tx: Transaction) throws(DomainError) -> AppointmentFile? {
        try store.all(where: "coop_id = ? AND status = 'open'", [coop.value], in: tx.connection).first
    }

    package func stored(_ change: Change<AppointmentFile>, in tx: Transaction) throws(DomainError) { try scheduleForgetting(change, in: tx) }

    package func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError) {
        guard status != .open || steps.contains(where: { $0.doneOn != nil }) else { return }
        throw .conflict(
            code: "appointment.has-begun",
            Bilingual(
                en: "A file with a step done, or one that is closed, is kept; end it with a transition to abandoned.",
                fr: "Un dossier dont une étape est faite, ou qui est clos, est conservé ; terminez-le par une transition vers abandoned."),
            members: [("status_now", "\"\(status.rawValue)\"")])
    }
}

/// What the change of others brings about.
extension AppointmentFile {
    /// Nothing can come of the search of a co-op that takes no new referent any more.
    static func abandonOpen(of coop: Identifier<Coop>, by caller: Caller, in tx: Transaction) throws(DomainError) {
        guard let file = try open(of: coop, in: tx) else { return }
        try store.amend(file, .transition, by: caller, in: tx) { file in
            file.status = .abandoned
            file.closedOn = max(tx.now.day, file.lastDay)
        }
    }

    /// Counts again the days to a mandate of which the beginning was corrected.
    ///
    /// - Throws: `.invalid` where it would lie before the opening.
    static func noteBeginning(of mandate: Referent, in tx: Transaction) throws(DomainError) {
        guard let old = try store.all(where: "referent_id = ?", [mandate.id.value], in: tx.connection).first else { return }
        guard mandate.startedOn >= old.openedOn else {
            throw .invalid([
                Fault(
                    "#/started_on", "appointment.mandate-before", en: "lies before the opening of its appointment file (\(old.openedOn.text)); correct that first",
                    fr: "précède l'ouverture de son dossier de nomination (\(old.openedOn.text)) ; corrigez-la d'abord")
            ])
        }
        var file = old
        file.leadDays = mandate.startedOn.days(since: old.openedOn)
        if !file.hasFields(of: old) { try store.republish(old, as: file, in: tx) }
    }
}
