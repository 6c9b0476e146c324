/// Whether co-ops have referents, and how they come to them.
extension Indicator {
    private static let places: Set<Grouping> = [.region, .department, .month]

    static let referents = [
        Indicator(
            1, "referent-coverage", en: "Referent coverage", fr: "Couverture en référents", by: places, from: [.mandates]
        ) { facts, scope in
            let covered = Set(facts.mandates.filter { $0.isActive(on: scope) }.map(\.coop))
            let members = facts.members(in: scope)
            return Result(figure: .ratio(members.keys.count { covered.contains($0) }, of: members.count))
        },
        Indicator(
            2, "time-to-appoint", en: "Time to appoint a referent", fr: "Délai de nomination d'un référent", by: places, from: [.appointments]
        ) { facts, scope in
            let days = facts.appointments.compactMap { file in
                file.closed.map { scope.holds(day: $0) } == true && file.status == .appointed && scope.holds(file.coop) ? file.leadDays : nil
            }
            return Result(figure: .median(of: days.map(Double.init), .days))
        },
        Indicator(
            3, "vacancy", en: "Days without a referent", fr: "Jours sans référent", by: places, from: [.vacancies]
        ) { facts, scope in
            let members = facts.members(in: scope)
            // Today is not over yet.
            let end = min(scope.window.upperBound, scope.today)
            let days = facts.vacancies.filter { members[$0.coop] != nil }.map { max(0, min($0.until ?? end, end) - max($0.since, scope.window.lowerBound)) }
            return Result(figure: .count(days.reduce(0, +), .days))
        },
        Indicator(
            4, "trained-referents", en: "Trained referents", fr: "Référents formés", by: places, from: [.mandates]
        ) { facts, scope in
            let active = facts.mandates.filter { scope.holds($0.coop) && $0.isActive(on: scope) }
            return Result(figure: .ratio(active.count { $0.isTrained(on: scope) }, of: active.count))
        },
        Indicator(
            5, "appointment-funnel", en: "From the opening to a recognised referent", fr: "De l'ouverture au référent reconnu", by: places, from: [.appointments]
        ) { facts, scope in
            let files = facts.appointments.filter { scope.holds(day: $0.opened) && scope.holds($0.coop) }
            let steps = AppointmentFile.Step.allCases.enumerated().map { index, step in
                Part(step.rawValue, .ratio(files.count { $0.stepsDone > index }, of: files.count))
            }
            return Result(figure: steps.last?.figure ?? .count(0), parts: steps)
        },
    ]
}

extension MandateFact {
    /// Whoever is active today and has been trained is trained today, also by a date that is already written down for tomorrow.
    fileprivate func isTrained(on scope: Scope) -> Bool { trained.map { scope.day == scope.today || $0 <= scope.day } ?? false }
}
