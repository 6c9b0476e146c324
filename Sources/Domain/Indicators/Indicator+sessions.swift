/// Who comes to group sessions, and how. All count people, so what leaves is rounded, and small numbers are left out.
extension Indicator {
    private static let placesAndModules: Set<Grouping> = [.region, .department, .month, .module]

    static let sessions = [
        Indicator(15, "seat-fill", en: "Seats taken", fr: "Places occupées", by: placesAndModules, from: [.sessions, .lists]) { facts, scope in
            let held = facts.sessions.filter { $0.isHeld(in: scope) }
            return Result(figure: .ratio(held.sum(\.confirmed), of: held.sum(\.capacity)).ofPeople)
        },
        Indicator(16, "attendance", en: "People who came", fr: "Personnes venues", by: placesAndModules, from: [.sessions, .registrations, .lists]) { facts, scope in
            Result(figure: facts.registrations.filter { $0.isIn(scope) }.map(\.all).attendance)
        },
        Indicator(
            17, "queue-conversion", en: "Registrations that waited and got a seat", fr: "Inscriptions en attente devenues places", by: placesAndModules, from: [.sessions, .registrations, .lists]
        ) { facts, scope in
            let rows = facts.registrations.filter { $0.isIn(scope) }
            return Result(figure: .ratio(rows.sum(\.promoted), of: rows.sum(\.onceWaiting)).ofPeople)
        },
        Indicator(
            18, "unmet-demand", en: "Seats asked for in vain", fr: "Places demandées en vain", by: placesAndModules, from: [.sessions, .registrations, .lists]
        ) { facts, scope in
            let rows = facts.registrations.filter { $0.isHeld && $0.isIn(scope) }
            return Result(figure: .ratio(rows.sum(\.unmet), of: rows.sum(\.seatsAsked)).ofPeople)
        },
        Indicator(
            19, "digital-inclusion", en: "Registrations on paper and by telephone", fr: "Inscriptions sur papier et par téléphone", by: placesAndModules, from: [.sessions, .registrations, .lists]
        ) { facts, scope in
            let rows = facts.registrations.filter { $0.isIn(scope) }
            let (one, other) = (rows.map(\.assisted).attendance, rows.map(\.unassisted).attendance)
            return Result(
                figure: .ratio(rows.sum(\.assistedCount), of: rows.sum(\.count)).ofPeople,
                parts: [Part("attendance_paper_phone", one), Part("attendance_online_email", other), Part("attendance_gap", .difference(one, other))])
        },
        Indicator(
            20, "facilitator-need", en: "Sessions with a facilitator", fr: "Sessions avec animateur", by: placesAndModules, from: [.sessions, .lists]
        ) { facts, scope in
            let held = facts.sessions.filter { $0.isHeld(in: scope) }
            let stuck = facts.sessions.filter { $0.lacksEquipment && $0.isIn(scope) }
            return Result(figure: .ratio(held.count(where: \.hasFacilitator), of: held.count), parts: [Part("drafts_lacking_equipment", .count(stuck.count))])
        },
        Indicator(
            21, "module-coverage", en: "Modules that co-ops have followed", fr: "Modules suivis par les coopératives", by: placesAndModules, from: [.sessions, .lists]
        ) { facts, scope in
            let held = Set(facts.sessions.filter { $0.isHeld(in: scope) }.map { Followed(coop: $0.coop, module: $0.module) })
            var (followed, relevant) = (0, 0)
            for (id, coop) in facts.members(in: scope) {
                let modules = facts.modules.filter { module in
                    module.isOffered && (scope.module == nil || scope.module == module.id) && module.activity.map { coop.activities.contains($0) } ?? true
                }
                relevant += modules.count
                followed += modules.count { held.contains(Followed(coop: id, module: $0.id)) }
            }
            return Result(figure: .ratio(followed, of: relevant))
        },
        Indicator(
            24, "cancellation-cause", en: "Registrations that ended before the session", fr: "Inscriptions terminées avant la session", by: placesAndModules,
            from: [.sessions, .registrations, .lists]
        ) { facts, scope in
            let rows = facts.registrations.filter { $0.isIn(scope) }
            let causes = [("session_cancelled", rows.sum(\.calledOff)), ("cancelled", rows.sum(\.cancelled)), ("expired", rows.sum(\.expired))]
            let ended = causes.reduce(0) { $0 + $1.1 }
            let parts = causes.map { cause, count in Part(cause, .ratio(count, of: ended).ofPeople) }
            return Result(figure: parts[0].figure, parts: parts)
        },
    ]

    private struct Followed: Hashable {
        let coop: Identifier<Coop>
        let module: Identifier<Module>
    }
}

extension SessionFact {
    fileprivate func isIn(_ scope: Scope) -> Bool { scope.holds(day: day) && (scope.module == nil || scope.module == module) && scope.holds(coop) }
    fileprivate func isHeld(in scope: Scope) -> Bool { status == .held && isIn(scope) }
}

extension RegistrationsFact {
    fileprivate func isIn(_ scope: Scope) -> Bool { scope.holds(day: day) && (scope.module == nil || scope.module == module) && scope.holds(coop) }
}

extension RegistrationsFact {
    /// Of those who signed up online or by e-mail.
    fileprivate var unassisted: Presence { Presence(expected: all.expected - assisted.expected, attended: all.attended - assisted.attended) }
}

extension [RegistrationsFact.Presence] {
    /// Of those whose presence was marked.
    fileprivate var attendance: Figure { .ratio(sum(\.attended), of: sum(\.expected)).ofPeople }
}

extension Array {
    fileprivate func sum(_ number: (Element) -> Int) -> Int { reduce(0) { $0 + number($1) } }
}
