import SQLite

/// A session with what people need to know to come: for calendars, and for the sheets that a co-op prints.
package struct SessionSheet: Sendable {
    package let session: Session
    package let site: Site
    package let coop: Coop
    package let module: Module
    /// Nil also for readers outside the co-op.
    package let facilitator: Facilitator?
}

extension Federation {
    /// Whose sessions a calendar holds.
    package enum CalendarScope: Sendable {
        case session(Identifier<Session>), site(Identifier<Site>), coop(Identifier<Coop>)
    }

    /// - Throws: `.notFound` where the caller does not see the session.
    package func sheet(of id: Identifier<Session>, for caller: Caller) throws(DomainError) -> SessionSheet {
        _ = try document(of: id, for: caller)
        return try read { (connection) throws(DomainError) in try Self.sheet(of: Session.store.require(id, in: connection), for: caller, in: connection) }
    }

    /// The sessions of a calendar, by their beginning: those that the caller sees, and those that were opened and called off, because
    /// calendars have to hear that. Of a site or co-op from a quarter of a year ago on.
    ///
    /// - Throws: `.notFound` where the caller sees nothing of that name.
    package func calendar(_ scope: CalendarScope, for caller: Caller) throws(DomainError) -> [SessionSheet] {
        let since = Value.text(now().adding(seconds: -92 * 86_400).text)
        switch scope {
        case .session(let id):
            let found = try sheets(where: "id = ?", [id.value], for: caller)
            guard !found.isEmpty else { throw .notFound(type: RecordType.session.rawValue) }
            return found
        case .site(let id):
            _ = try document(of: id, for: caller)
            return try sheets(where: "site_id = ? AND starts_at > ?", [id.value, since], for: caller)
        case .coop(let id):
            _ = try document(of: id, for: caller)
            return try sheets(where: "coop_id = ? AND starts_at > ?", [id.value, since], for: caller)
        }
    }

    private func sheets(where condition: String, _ values: [Value], for caller: Caller) throws(DomainError) -> [SessionSheet] {
        let numbers = heads.snapshot
        return try read { (connection) throws(DomainError) in
            var sheets: [SessionSheet] = []
            for session in try Session.store.all(where: condition, values, in: connection) {
                let isVisible = try storing { () throws(DatabaseError) in
                    try Feed.document(rev: session.meta.rev, layers: caller.layers, number: { numbers.entries[$0]?.number }, in: connection) != nil
                }
                let wasOpened = session.status == .cancelled && session.registrationOpensAt != nil
                if isVisible || wasOpened { sheets.append(try Self.sheet(of: session, for: caller, in: connection)) }
            }
            return sheets.sorted { ($0.session.startsAt, $0.session.id.text) < ($1.session.startsAt, $1.session.id.text) }
        }
    }

    private static func sheet(of session: Session, for caller: Caller, in connection: Connection) throws(DomainError) -> SessionSheet {
        let isOwn = caller.coop == session.coopID || caller.isOperator
        let facilitator = try isOwn ? session.facilitatorID.flatMap { (id) throws(DomainError) in try Facilitator.store.find(id, in: connection) } : nil
        return SessionSheet(
            session: session, site: try Site.store.require(session.siteID, in: connection), coop: try Coop.store.require(session.coopID, in: connection),
            module: try Module.store.require(session.moduleID, in: connection), facilitator: facilitator)
    }

    /// Who has a seat, in the order of their entries; for the co-op's manager and helpers.
    ///
    /// - Throws: `.notFound` where the caller does not see the session, `.forbidden` for everybody else.
    package func seated(at id: Identifier<Session>, for caller: Caller) throws(DomainError) -> [Registration] {
        let session = try sheet(of: id, for: caller).session
        guard caller.role == .coopManager || caller.isHelper else { throw .scopeMissing }
        guard caller.coop == session.coopID else { throw .scopeNotYours }
        return try read { (connection) throws(DomainError) in
            try Registration.store.all(where: "session_id = ? AND status IN ('confirmed', 'attended', 'absent')", [id.value], in: connection)
        }.sorted { $0.entryNo < $1.entryNo }
    }
}
