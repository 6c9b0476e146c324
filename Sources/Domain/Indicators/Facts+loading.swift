import JSON
import SQLite

extension Facts {
    private enum SQL {
        static let coops = """
            SELECT id, region_code, department_code, activities, membership = 'member' AND successor_id IS NULL, coalesce(coop_since_year, founded_year) FROM coop
            """
        static let vacancies = """
            SELECT coop_id, since, until FROM vacancy UNION ALL SELECT id, vacant_since, NULL FROM coop WHERE vacant_since IS NOT NULL
            """
        static let appointments = """
            SELECT coop_id, status, opened_on, closed_on, lead_days,
                (role_defined_on IS NOT NULL) + (call_written_on IS NOT NULL) + (call_published_on IS NOT NULL) + (selected_on IS NOT NULL)
                + (announced_on IS NOT NULL) + (trained_on IS NOT NULL) + (recognised_on IS NOT NULL)
            FROM appointment
            """
        static let ideas = "SELECT id, slug, title, theme_id, question_id, author_coop_id, status, scope = 'network', created_ms FROM idea"
        static let decisions = """
            SELECT history.id, at_ms, to_status, theme_id, author_coop_id FROM history JOIN idea ON idea.id = history.id
            WHERE type = 'idea' AND to_status IN ('submitted', 'published', 'declined') ORDER BY history.id, seq
            """
        static let endorsements = "SELECT idea_id, coop_id, created_ms, withdrawn_at FROM endorsement"
        static let adoptions = "SELECT idea_id, coop_id, status, started_on, ended_on, retex_score FROM adoption"
        static let pairings = """
            SELECT kind = 'sponsorship', sponsored_coop_id, status, identified_on, introduced_on, met_on, signed_on, closed_on, cadence_days, last_meeting_on
            FROM pairing
            """
        static let sessions = """
            SELECT id, coop_id, module_id, starts_local, status, capacity, seats_confirmed, facilitator_id IS NOT NULL,
                CASE status WHEN 'draft' THEN
                    facilitator_id IS NULL AND (mode = 'projected' OR capacity > (SELECT workstations FROM site WHERE id = site_id))
                    OR mode = 'projected' AND (SELECT NOT projector FROM site WHERE id = site_id)
                ELSE 0 END
            FROM session
            """
        // One that was cancelled may have had a seat before, and one that is expired may have lost an offer or waited until the
        // session: the history tells.
        static let registrations = """
            SELECT session_id, channel, status, party_size, attended_count, was_waitlisted, CASE
                WHEN status = 'expired' THEN EXISTS (
                    SELECT 1 FROM history WHERE type = 'registration' AND id = registration.id AND to_status = 'expired' AND from_status = 'waitlisted')
                WHEN was_waitlisted AND status IN ('cancelled', 'session_cancelled') THEN EXISTS (
                    SELECT 1 FROM history WHERE type = 'registration' AND id = registration.id AND to_status = 'confirmed')
                ELSE 0 END
            FROM registration ORDER BY session_id
            """
    }

    mutating func load(_ part: Part, in connection: Connection) throws(DatabaseError) {
        switch part {
        case .coops:
            let rows = try connection.all(SQL.coops) { row in
                let activities = (try? JSON.parse(Array(row.text(3).utf8)).elements ?? [])?.compactMap(\.stringValue) ?? []
                let fact = CoopFact(
                    region: row.text(1), department: row.text(2), activities: Set(activities), isMember: row.integer(4) == 1, since: row.optionalInt(5),
                    zone: Zone(rawValue: Department.timeZone(of: row.text(2))) ?? .paris)
                return (row.id(0) as Identifier<Coop>, fact)
            }
            coops = Dictionary(rows) { first, _ in first }
        case .sites: sites = try connection.all("SELECT coop_id, workstations FROM site") { SiteFact(coop: $0.id(0), workstations: $0.int(1)) }
        case .mandates:
            mandates = try connection.all("SELECT coop_id, status, started_on, ended_on, trained_on FROM referent") { row in
                MandateFact(coop: row.id(0), status: row.choice(1) ?? .designated, started: row.dayNumber(2) ?? 0, ended: row.dayNumber(3), trained: row.dayNumber(4))
            }
        case .vacancies: vacancies = try connection.all(SQL.vacancies) { ($0.id(0), $0.dayNumber(1) ?? 0, $0.dayNumber(2)) }
        case .appointments:
            appointments = try connection.all(SQL.appointments) { row in
                AppointmentFact(
                    coop: row.id(0), status: row.choice(1) ?? .open, opened: row.dayNumber(2) ?? 0, closed: row.dayNumber(3), leadDays: row.optionalInt(4),
                    stepsDone: row.int(5))
            }
        case .lists:
            themes = try connection.all("SELECT id, slug, title FROM theme ORDER BY \"order\", slug") { ListFact(id: $0.id(0), slug: $0.text(1), title: $0.text(2)) }
            modules = try connection.all("SELECT id, slug, title, status = 'published', related_activity FROM module WHERE status <> 'draft' ORDER BY \"order\", slug") {
                ListFact(id: $0.id(0), slug: $0.text(1), title: $0.text(2), isOffered: $0.integer(3) == 1, activity: $0.optionalText(4))
            }
            questions = Dictionary(try connection.all("SELECT id, slug FROM question") { ($0.id(0), $0.text(1)) }) { first, _ in first }
        case .ideas:
            ideas = try connection.all(SQL.ideas) { row in
                IdeaFact(
                    id: row.id(0), slug: row.text(1), title: row.text(2), theme: row.id(3), question: row.optionalText(4).flatMap { Identifier($0) },
                    coop: row.optionalText(5).flatMap { Identifier($0) }, status: row.choice(6) ?? .draft, isShared: row.integer(7) == 1,
                    created: Self.parisDay(row.integer(8)))
            }
        case .decisions: decisions = try Self.decisions(in: connection)
        case .endorsements:
            endorsements = try connection.all(SQL.endorsements) { row in
                let coop: Identifier<Coop> = row.id(1)
                let zone = coops[coop]?.zone ?? .paris
                return EndorsementFact(
                    idea: row.id(0), coop: coop, given: Self.day(Timestamp(milliseconds: row.integer(2)), zone),
                    withdrawn: row.optionalText(3).flatMap { Timestamp($0) }.map { Self.day($0, zone) })
            }
        case .adoptions:
            adoptions = try connection.all(SQL.adoptions) { row in
                AdoptionFact(
                    idea: row.id(0), coop: row.id(1), status: row.choice(2) ?? .considering, started: row.dayNumber(3), ended: row.dayNumber(4),
                    score: row.optionalInt(5))
            }
        case .pairings:
            pairings = try connection.all(SQL.pairings) { row in
                PairingFact(
                    isSponsorship: row.integer(0) == 1, coop: row.id(1), status: row.choice(2) ?? .identified, identified: row.dayNumber(3) ?? 0,
                    introduced: row.dayNumber(4), met: row.dayNumber(5), signed: row.dayNumber(6), closed: row.dayNumber(7), cadence: row.optionalInt(8),
                    lastMeeting: row.dayNumber(9))
            }
        case .sessions:
            sessions = try connection.all(SQL.sessions) { row in
                SessionFact(
                    id: row.id(0), coop: row.id(1), module: row.id(2), day: row.dayNumber(3) ?? 0, status: row.choice(4) ?? .draft, capacity: row.int(5),
                    confirmed: row.int(6), hasFacilitator: row.integer(7) == 1, lacksEquipment: row.integer(8) == 1)
            }
        case .registrations: registrations = try Self.registrations(of: sessions, in: connection)
        case .devices: break
        }
    }

    /// Summed up here, because the many sums take SQLite longer than the rows.
    private static func registrations(of sessions: [SessionFact], in connection: Connection) throws(DatabaseError) -> [RegistrationsFact] {
        let sessions = Dictionary(sessions.map { ($0.id, $0) }) { first, _ in first }
        let (channels, statuses) = (Spellings<Registration.Channel>(), Spellings<Registration.Status>())
        var facts: [RegistrationsFact] = []
        // Of the rows before; most sessions have several.
        var (text, session): ([UInt8], SessionFact?) = ([], nil)
        _ = try connection.all(SQL.registrations) { row in
            if !row.withBytes(0, { $0.elementsEqual(text) }) {
                text = row.blob(0)
                session = sessions[row.id(0)]
                if let session { facts.append(RegistrationsFact(of: session)) }
            }
            guard session != nil, let channel = channels.read(row, 1), let status = statuses.read(row, 2) else { return }
            facts[facts.count - 1].add(
                channel, status, party: row.int(3), attended: row.int(4), onceWaited: row.integer(5) == 1, isToldByHistory: row.integer(6) == 1)
        }
        return facts
    }

    /// The first decision on each idea that had been submitted, with the time since its last submission before.
    private static func decisions(in connection: Connection) throws(DatabaseError) -> [DecisionFact] {
        var decisions: [DecisionFact] = []
        var (idea, submitted) = ("", Int64?.none)
        var isDecided = false
        let steps = try connection.all(SQL.decisions) { ($0.text(0), $0.integer(1), $0.text(2), $0.id(3) as Identifier<Theme>, $0.optionalText(4)) }
        for (id, at, status, theme, coop) in steps {
            if id != idea { (idea, submitted, isDecided) = (id, nil, false) }
            guard !isDecided else { continue }
            if status == Idea.Status.submitted.rawValue {
                submitted = at
            } else if let submitted {
                isDecided = true
                decisions.append(
                    DecisionFact(theme: theme, coop: coop.flatMap { Identifier($0) }, day: parisDay(at), waited: Double(at - submitted) / 86_400_000))
            }
        }
        return decisions
    }

    private static func day(_ time: Timestamp, _ zone: Zone) -> Int { Int(zone.local(time).day.daysSince1970) }
    /// What the federation does, it does in Paris.
    private static func parisDay(_ milliseconds: Int64) -> Int { day(Timestamp(milliseconds: milliseconds), .paris) }
}

/// The cases of a closed list by their first bytes, for columns of which tens of thousands are read.
private struct Spellings<Choice: CaseIterable & RawRepresentable<String>> {
    private let spellings: [(key: UInt64, choice: Choice)]

    init() {
        spellings = Choice.allCases.map { choice in (Array(choice.rawValue.utf8).withUnsafeBytes(firstBytes(of:)), choice) }
        assert(Set(spellings.map(\.key)).count == spellings.count, "two begin alike")
    }

    func read(_ row: Statement, _ column: Int) -> Choice? {
        let key = row.withBytes(column, firstBytes(of:))
        return spellings.first { $0.key == key }?.choice
    }
}

private func firstBytes(of text: UnsafeRawBufferPointer) -> UInt64 { text.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

extension Statement {
    fileprivate func int(_ column: Int) -> Int { Int(integer(column)) }
    fileprivate func optionalInt(_ column: Int) -> Int? { optionalInteger(column).map { Int($0) } }
    // Tens of thousands of ids and dates are read at a time: without making a text of each.
    fileprivate func id<Of>(_ column: Int) -> Identifier<Of> { withBytes(column) { Identifier(utf8: $0) } ?? Identifier(high: 0, low: 0) }
    fileprivate func choice<Choice: RawRepresentable<String>>(_ column: Int) -> Choice? { Choice(rawValue: text(column)) }
    /// Days since 1970 of a text that begins with a date.
    fileprivate func dayNumber(_ column: Int) -> Int? {
        guard !isNull(column) else { return nil }
        return withBytes(column) { Day(utf8: $0.prefix(10)) }.map { Int($0.daysSince1970) }
    }
}
