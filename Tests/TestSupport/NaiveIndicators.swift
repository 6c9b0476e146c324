import Domain
import Foundation
import SQLite

/// The federation's figures once more, as simply as can be, from what `viecoop export` writes and from the history: another way
/// than the server's, to hold it against.
package struct NaiveIndicators {
    package typealias Row = [String: Any]

    /// A figure as it leaves the house.
    package struct Answer: Equatable {
        package var numerator: Int?
        package var denominator: Int?
        package var value: Double?
        package var isMasked = false
        package var parts: [String: Answer] = [:]
    }

    package struct Query {
        /// Dates as text, the last one not included.
        package var from: String
        package var to: String
        package var coop: ((Row) -> Bool)?
        package var module: String?
        package var theme: String?
        package var idea: String?

        package init(from: String, to: String) { (self.from, self.to) = (from, to) }
    }

    private let rows: [RecordType: [Row]]
    package let coops: [String: Row]
    private let today: String
    /// What happened to ideas and registrations, in order.
    private let history: [String: [(to: String, from: String, at: Double)]]
    private var query = Query(from: "", to: "")

    package init(_ federation: Federation, today: String) throws {
        self.today = today
        var rows: [RecordType: [Row]] = [:]
        let types: [RecordType] = [.coop, .site, .referent, .appointment, .theme, .question, .module, .idea, .endorsement, .adoption, .pairing]
        for type in types { rows[type] = try Self.export(type, .operatorItself, federation) }
        coops = Dictionary((rows[.coop] ?? []).map { ($0.text("id"), $0) }) { first, _ in first }
        // Registrations, and who leads a session, are for the co-op's own manager alone.
        for id in coops.keys {
            let manager = Caller(token: nil, role: .coopManager, coop: Identifier(id))
            for type in [RecordType.session, .registration] {
                rows[type, default: []] += try Self.export(type, manager, federation).filter { $0.text("coop_id") == id }
            }
        }
        self.rows = rows
        var history: [String: [(to: String, from: String, at: Double)]] = [:]
        try federation.read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                let sql = "SELECT id, coalesce(to_status, ''), coalesce(from_status, ''), at_ms FROM history WHERE type IN ('idea', 'registration') ORDER BY seq"
                for row in try connection.all(sql, [], { ($0.text(0), $0.text(1), $0.text(2), Double($0.integer(3))) }) {
                    history[row.0, default: []].append((row.1, row.2, row.3))
                }
            }
        }
        self.history = history
    }

    private static func export(_ type: RecordType, _ caller: Caller, _ federation: Federation) throws -> [Row] {
        let export = Export(type, as: .ndjson, for: caller, in: federation)
        var rows: [Row] = []
        while let piece = try export.next() {
            for line in piece.split(separator: UInt8(ascii: "\n")) {
                if let row = try JSONSerialization.jsonObject(with: Data(line)) as? Row { rows.append(row) }
            }
        }
        return rows
    }

    package func slugs(of type: RecordType) -> [String: String] {
        Dictionary((rows[type] ?? []).map { ($0.text("slug"), $0.text("id")) }) { first, _ in first }
    }

    package func answer(_ name: String, _ query: Query) -> Answer? {
        var own = self
        own.query = query
        guard let formula = Self.formulas[name] else { return nil }
        return formula(own)
    }

    package static var names: [String] { formulas.keys.sorted() }

    // MARK: The formulas

    private static let formulas: [String: @Sendable (NaiveIndicators) -> Answer] = [
        "referent-coverage": { it in
            let covered = Set(it.rows(.referent).filter { it.isActive($0) }.map { $0.text("coop_id") })
            return it.ratio(it.members.filter { covered.contains($0) }.count, it.members.count)
        },
        "time-to-appoint": { it in
            it.median(it.rows(.appointment).filter { $0.text("status") == "appointed" && it.isIn($0["closed_on"]) && it.holds($0["coop_id"]) }.map { file in
                let mandate = it.rows(.referent).first { $0.text("id") == file.text("referent_id") }
                return it.days(file.text("opened_on"), mandate?.text("started_on") ?? "")
            })
        },
        "vacancy": { it in
            var days = 0
            for coop in it.members {
                let mandates = it.rows(.referent).filter { $0.text("coop_id") == coop && ["active", "ended"].contains($0.text("status")) }
                var day = it.query.from
                while day < min(it.query.to, it.today) {
                    let had = mandates.contains { $0.text("started_on") <= day }
                    let has = mandates.contains { $0.text("started_on") <= day && ($0["ended_on"] is NSNull || $0.text("ended_on") > day) }
                    if had, !has { days += 1 }
                    day = it.next(day)
                }
            }
            return Answer(numerator: days, denominator: nil, value: Double(days))
        },
        "trained-referents": { it in
            let active = it.rows(.referent).filter { it.isActive($0) && it.holds($0["coop_id"]) }
            return it.ratio(active.filter { !($0["trained_on"] is NSNull) && (it.lastDay == it.today || $0.text("trained_on") <= it.lastDay) }.count, active.count)
        },
        "appointment-funnel": { it in
            let steps = ["role_defined", "call_written", "call_published", "selected", "announced", "trained", "recognised"]
            let files = it.rows(.appointment).filter { it.isIn($0["opened_on"]) && it.holds($0["coop_id"]) }
            let parts = steps.map { step in (step, it.ratio(files.filter { !($0["\(step)_on"] is NSNull) }.count, files.count)) }
            var answer = parts[6].1
            answer.parts = Dictionary(uniqueKeysWithValues: parts)
            return answer
        },
        "idea-reach": { it in
            let live = it.rows(.endorsement).filter { endorsement in
                it.theme(of: endorsement.text("idea_id")) && it.local(endorsement.text("created_at"), endorsement.text("coop_id")) <= it.lastDay
                    && (endorsement["withdrawn_at"] is NSNull || it.local(endorsement.text("withdrawn_at"), endorsement.text("coop_id")) > it.lastDay)
            }
            return it.ratio(Set(live.map { $0.text("coop_id") }).intersection(it.members).count, it.members.count)
        },
        "idea-adoption": { it in
            let taken = it.rows(.adoption).filter { adoption in
                guard it.theme(of: adoption.text("idea_id")), it.query.idea == nil || it.query.idea == adoption.text("idea_id") else { return false }
                let status = adoption.text("status")
                if it.lastDay == it.today { return status == "running" || status == "completed" }
                guard !(adoption["started_on"] is NSNull), adoption.text("started_on") <= it.lastDay else { return false }
                return status == "running" || status == "completed" || (status == "abandoned" && adoption.text("ended_on") > it.lastDay)
            }
            return it.ratio(Set(taken.map { $0.text("coop_id") }).intersection(it.members).count, it.members.count)
        },
        "completion": { it in
            let ended = it.rows(.adoption).filter {
                ["completed", "abandoned"].contains($0.text("status")) && it.isIn($0["ended_on"]) && it.theme(of: $0.text("idea_id")) && it.holds($0["coop_id"])
            }
            var answer = it.ratio(ended.filter { $0.text("status") == "completed" }.count, ended.count)
            let scores = ended.compactMap { $0["retex_score"] as? Int }
            answer.parts["mean_retex_score"] = it.ratio(scores.reduce(0, +), scores.count)
            return answer
        },
        "merge-share": { it in
            let ideas = it.networkIdeas.filter { ["published", "archived", "merged"].contains($0.text("status")) }
            return it.ratio(ideas.filter { $0.text("status") == "merged" }.count, ideas.count)
        },
        "decision-delay": { it in
            it.median(it.rows(.idea).compactMap { idea -> Double? in
                let steps = it.history[idea.text("id")] ?? []
                guard let first = steps.firstIndex(where: { $0.to == "submitted" }),
                    let decision = steps[first...].first(where: { $0.to == "published" || $0.to == "declined" }),
                    let submission = steps.last(where: { $0.to == "submitted" && $0.at <= decision.at }),
                    it.isIn(it.localDay(decision.at, "Europe/Paris")), it.query.theme == nil || it.query.theme == idea.text("theme_id"), it.holds(idea["author_coop_id"])
                else { return nil }
                return (decision.at - submission.at) / 86_400_000
            })
        },
        "idea-balance": { it in
            let ideas = it.networkIdeas.filter { $0.text("status") == "published" }
            let (themes, questions) = (it.byID(.theme), it.byID(.question))
            var answer = Answer(numerator: ideas.count, denominator: nil, value: Double(ideas.count))
            for idea in ideas {
                let name = (themes[idea.text("theme_id")]?.text("slug") ?? "") + "/" + (questions[idea.text("question_id")]?.text("slug") ?? "")
                let count = (answer.parts[name]?.numerator ?? 0) + 1
                answer.parts[name] = Answer(numerator: count, denominator: nil, value: Double(count))
            }
            return answer
        },
        "sponsorship-coverage": { it in
            let year = Int(it.lastDay.prefix(4)) ?? 0
            let new = it.members.filter { id in
                guard let since = (it.coops[id]?["coop_since_year"] as? Int) ?? (it.coops[id]?["founded_year"] as? Int) else { return false }
                return (0...8).contains(year - since)
            }
            let sponsored = it.rows(.pairing).filter { pairing in
                guard pairing.text("kind") == "sponsorship" else { return false }
                if it.lastDay == it.today { return pairing.text("status") == "active" }
                return ["active", "paused", "closed"].contains(pairing.text("status")) && pairing.text("signed_on") <= it.lastDay
                    && (pairing["closed_on"] is NSNull || pairing.text("closed_on") > it.lastDay)
            }
            return it.ratio(Set(sponsored.map { $0.text("sponsored_coop_id") }).intersection(new).count, new.count)
        },
        "pairing-lead-time": { it in
            let own = it.rows(.pairing).filter { it.holds($0["sponsored_coop_id"]) }
            var answer = it.median(own.filter { it.isIn($0["signed_on"]) }.map { it.days($0.text("identified_on"), $0.text("signed_on")) })
            let begun = own.filter { it.isIn($0["identified_on"]) }
            for state in ["introduced", "met", "signed"] { answer.parts[state] = it.ratio(begun.filter { !($0["\(state)_on"] is NSNull) }.count, begun.count) }
            answer.parts["active"] = it.ratio(begun.filter { ["active", "paused", "closed"].contains($0.text("status")) }.count, begun.count)
            return answer
        },
        "pairing-liveliness": { it in
            let active = it.rows(.pairing).filter { $0.text("status") == "active" && it.holds($0["sponsored_coop_id"]) }
            let lively = active.filter { pairing in
                guard let cadence = pairing["cadence_days"] as? Int, !(pairing["last_meeting_on"] is NSNull) else { return false }
                return it.days(pairing.text("last_meeting_on"), it.today) <= 1.5 * Double(cadence)
            }
            return it.ratio(lively.count, active.count)
        },
        "seat-fill": { it in
            let held = it.sessions(["held"])
            let confirmed = held.flatMap { it.parties[$0.text("id")] ?? [] }.filter { ["confirmed", "attended", "absent"].contains($0.text("status")) }
            return it.people(confirmed.sum("party_size"), held.sum("capacity"))
        },
        "attendance": { it in it.attendance { _ in true } },
        "queue-conversion": { it in
            let waited = it.registrations.filter { $0["was_waitlisted"] as? Bool == true }
            let seated = waited.filter { party in
                ["confirmed", "attended", "absent"].contains(party.text("status"))
                    || (["cancelled", "session_cancelled"].contains(party.text("status")) && it.history[party.text("id")]?.contains { $0.to == "confirmed" } == true)
            }
            return it.people(seated.count, waited.count)
        },
        "unmet-demand": { it in
            let asked = it.sessions(["held"]).flatMap { it.parties[$0.text("id")] ?? [] }
            let inVain = asked.filter { party in
                party.text("status") == "expired" && it.history[party.text("id")]?.contains { $0.to == "expired" && $0.from == "waitlisted" } == true
            }
            return it.people(inVain.sum("party_size"), asked.sum("party_size"))
        },
        "digital-inclusion": { it in
            let assisted: (Row) -> Bool = { ["paper", "phone"].contains($0.text("channel")) }
            var answer = it.people(it.registrations.filter(assisted).count, it.registrations.count)
            let (one, other) = (it.attendance(assisted), it.attendance { !assisted($0) })
            var gap = Answer()
            if let first = one.value, let second = other.value { gap.value = first - second }
            gap.isMasked = one.isMasked || other.isMasked
            answer.parts = ["attendance_paper_phone": one, "attendance_online_email": other, "attendance_gap": gap]
            return answer
        },
        "facilitator-need": { it in
            let held = it.sessions(["held"])
            var answer = it.ratio(held.filter { !($0["facilitator_id"] is NSNull) }.count, held.count)
            let sites = it.byID(.site)
            let stuck = it.sessions(["draft"]).filter { draft in
                let site = sites[draft.text("site_id")] ?? [:]
                if draft.text("mode") == "projected" { return draft["facilitator_id"] is NSNull || site["projector"] as? Bool == false }
                return draft["facilitator_id"] is NSNull && (site["workstations"] as? Int ?? 0) < (draft["capacity"] as? Int ?? 0)
            }
            answer.parts["drafts_lacking_equipment"] = Answer(numerator: stuck.count, denominator: nil, value: Double(stuck.count))
            return answer
        },
        "module-coverage": { it in
            var (followed, relevant) = (0, 0)
            for id in it.members {
                for module in it.rows(.module) where module.text("status") == "published" && (it.query.module == nil || it.query.module == module.text("id")) {
                    let activities = it.coops[id]?["activities"] as? [String] ?? []
                    guard module["related_activity"] is NSNull || activities.contains(module.text("related_activity")) else { continue }
                    relevant += 1
                    if it.sessions(["held"]).contains(where: { $0.text("coop_id") == id && $0.text("module_id") == module.text("id") }) { followed += 1 }
                }
            }
            return it.ratio(followed, relevant)
        },
        "equipment": { it in
            let sites = it.rows(.site).filter { it.members.contains($0.text("coop_id")) }
            var answer = it.median(sites.map { Double($0["workstations"] as? Int ?? 0) })
            let without = it.members.filter { id in
                let own = sites.filter { $0.text("coop_id") == id }
                return !own.isEmpty && own.sum("workstations") == 0
            }
            answer.parts["coops_without_workstation"] = it.ratio(without.count, it.members.count)
            return answer
        },
        "cancellation-cause": { it in
            let causes = ["session_cancelled", "cancelled", "expired"]
            let ended = it.registrations.filter { causes.contains($0.text("status")) }
            let parts = causes.map { cause in (cause, it.people(ended.filter { $0.text("status") == cause }.count, ended.count)) }
            var answer = parts[0].1
            answer.parts = Dictionary(uniqueKeysWithValues: parts)
            return answer
        },
    ]

    // MARK: Their parts

    private func rows(_ type: RecordType) -> [Row] { rows[type] ?? [] }
    private func byID(_ type: RecordType) -> [String: Row] { Dictionary(rows(type).map { ($0.text("id"), $0) }) { first, _ in first } }

    private var lastDay: String { min(previous(query.to), today) }

    private func holds(_ coop: Any?) -> Bool {
        guard let chosen = query.coop else { return true }
        guard let id = coop as? String, let row = coops[id] else { return false }
        return chosen(row)
    }

    private func isIn(_ day: Any?) -> Bool {
        guard let day = day as? String else { return false }
        return day.prefix(10) >= query.from && day.prefix(10) < query.to
    }

    private var members: Set<String> {
        Set(coops.values.filter { $0.text("membership") == "member" && $0["successor_id"] is NSNull && holds($0["id"]) }.map { $0.text("id") })
    }

    private func isActive(_ mandate: Row) -> Bool {
        if lastDay == today { return mandate.text("status") == "active" }
        return ["active", "ended"].contains(mandate.text("status")) && mandate.text("started_on") <= lastDay
            && (mandate["ended_on"] is NSNull || mandate.text("ended_on") > lastDay)
    }

    private func theme(of idea: String) -> Bool { query.theme == nil || rows(.idea).contains { $0.text("id") == idea && $0.text("theme_id") == query.theme } }

    private var networkIdeas: [Row] {
        rows(.idea).filter { idea in
            idea.text("scope") == "network" && local(idea.text("created_at"), nil) <= lastDay && (query.theme == nil || query.theme == idea.text("theme_id"))
                && (query.coop == nil || holds(idea["author_coop_id"]))
        }
    }

    private func sessions(_ statuses: Set<String>) -> [Row] {
        rows(.session).filter {
            statuses.contains($0.text("status")) && isIn($0["starts_local"]) && (query.module == nil || query.module == $0.text("module_id")) && holds($0["coop_id"])
        }
    }

    private var parties: [String: [Row]] { Dictionary(grouping: rows(.registration)) { $0.text("session_id") } }
    private var registrations: [Row] {
        let parties = parties
        return sessions(["draft", "open", "closed", "held", "cancelled"]).flatMap { parties[$0.text("id")] ?? [] }
    }

    private func attendance(_ isCounted: (Row) -> Bool) -> Answer {
        let marked = registrations.filter { isCounted($0) && ["attended", "absent"].contains($0.text("status")) }
        return people(marked.filter { $0.text("status") == "attended" }.sum("attended_count"), marked.sum("party_size"))
    }

    private func ratio(_ numerator: Int, _ denominator: Int) -> Answer {
        Answer(numerator: numerator, denominator: denominator, value: denominator == 0 ? nil : Double(numerator) / Double(denominator))
    }

    /// To tens, and nothing of one to nine.
    private func people(_ numerator: Int, _ denominator: Int) -> Answer {
        if (1...9).contains(numerator) || (1...9).contains(denominator) {
            return Answer(
                numerator: (1...9).contains(numerator) ? nil : Self.tens(numerator), denominator: (1...9).contains(denominator) ? nil : Self.tens(denominator),
                value: nil, isMasked: true)
        }
        return ratio(Self.tens(numerator), Self.tens(denominator))
    }

    private static func tens(_ number: Int) -> Int { Int((Double(number) / 10).rounded()) * 10 }

    private func median(_ values: [Double]) -> Answer {
        let sorted = values.sorted()
        let pair = [sorted.dropFirst((sorted.count - 1) / 2).first, sorted.dropFirst(sorted.count / 2).first].compactMap { $0 }
        return Answer(numerator: nil, denominator: sorted.count, value: sorted.isEmpty ? nil : pair.reduce(0, +) / Double(pair.count))
    }

    // MARK: Dates, as Foundation has them

    private static let utc: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
        return calendar
    }()

    private func date(_ text: String) -> Date {
        let numbers = text.prefix(10).split(separator: "-").compactMap { Int($0) }
        guard numbers.count == 3 else { return .distantPast }
        return Self.utc.date(from: DateComponents(year: numbers[0], month: numbers[1], day: numbers[2])) ?? .distantPast
    }

    private func text(_ date: Date, _ calendar: Calendar = utc) -> String {
        let parts = calendar.dateComponents([.year, .month, .day], from: date)
        return String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
    }

    private func next(_ day: String) -> String { text(date(day).addingTimeInterval(86_400)) }
    private func previous(_ day: String) -> String { text(date(day).addingTimeInterval(-86_400)) }
    private func days(_ from: String, _ to: String) -> Double { date(to).timeIntervalSince(date(from)) / 86_400 }

    private func localDay(_ milliseconds: Double, _ zone: String) -> String {
        var calendar = Self.utc
        calendar.timeZone = TimeZone(identifier: zone) ?? .current
        return text(Date(timeIntervalSince1970: milliseconds / 1000), calendar)
    }

    /// The date there, of an instant; in Paris where no co-op is named.
    private func local(_ instant: String, _ coop: String?) -> String {
        let zones = ["971": "America/Guadeloupe", "972": "America/Martinique", "973": "America/Cayenne", "974": "Indian/Reunion", "976": "Indian/Mayotte"]
        let time = Timestamp(instant)?.milliseconds ?? 0
        return localDay(Double(time), coop.flatMap { zones[coops[$0]?.text("department_code") ?? ""] } ?? "Europe/Paris")
    }
}

extension NaiveIndicators.Row {
    package func text(_ name: String) -> String { self[name] as? String ?? "" }
}

extension [NaiveIndicators.Row] {
    fileprivate func sum(_ name: String) -> Int { reduce(0) { $0 + ($1[name] as? Int ?? 0) } }
}

extension NaiveIndicators.Answer {
    /// What the server answers, in the same form.
    package init(_ result: Indicator.Result) {
        self.init(result.figure)
        parts = Dictionary(result.parts.map { ($0.name, NaiveIndicators.Answer($0.figure)) }) { first, _ in first }
    }

    private init(_ figure: Figure) { self.init(numerator: figure.numerator, denominator: figure.denominator, value: figure.value, isMasked: figure.isMasked) }

    /// Whether two are the same, but for what floating point does to the last digits.
    package func isLike(_ other: Self) -> Bool {
        guard numerator == other.numerator, denominator == other.denominator, isMasked == other.isMasked, (value == nil) == (other.value == nil) else { return false }
        if let value, let theirs = other.value, abs(value - theirs) > 1e-9 { return false }
        return parts.keys == other.parts.keys && parts.allSatisfy { key, part in other.parts[key]?.isLike(part) ?? false }
    }
}
