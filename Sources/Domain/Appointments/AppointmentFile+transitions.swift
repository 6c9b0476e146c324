extension AppointmentFile {
    package static let machine = Machine<Status>([(.open, .appointed), (.open, .abandoned)])

    package static let transitionFields: [Status: Set<String>] = [.appointed: ["referent_id", "closed_on"], .abandoned: ["closed_on"]]
}

extension Store where R == AppointmentFile {
    /// - Throws: `.conflict` (`state.forbidden`, `appointment.referent_id.taken`), `.invalid` for a mandate that will not do, and
    ///   what `update` throws.
    package func transition(
        _ id: Identifier<AppointmentFile>, _ step: Transition<AppointmentFile.Status>, expecting expected: Expectation, by caller: Caller, in tx: Transaction
    ) throws(DomainError) -> AppointmentFile {
        let mandate = try step.value("referent_id", Codec<Identifier<Referent>>.reference())
        let closedOn = try step.value("closed_on", .day)
        return try modify(id, .transition, given: [], expecting: expected, by: caller, in: tx) { (file, _) throws(DomainError) in
            try AppointmentFile.machine.check(from: file.status, to: step.to)
            if step.to == .appointed, mandate == nil {
                throw .invalid([
                    Fault("#/referent_id", "field.required", en: "is required: the mandate that came of it", fr: "est obligatoire : le mandat qui en résulte")
                ])
            }
            file.status = step.to
            file.referentID = mandate
            file.closedOn = closedOn ?? max(tx.now.day, step.to == .abandoned ? file.lastDay : file.openedOn)
        }
    }
}
