/// How ideas spread. Counted are canonical ideas: what was merged counts for the one that it was merged into.
extension Indicator {
    static let ideas = [
        Indicator(
            6, "idea-reach", en: "Co-ops that endorse an idea", fr: "Coopératives soutenant une idée", by: [.region, .department, .month, .theme], from: [.endorsements, .ideas, .lists]
        ) { facts, scope in
            let members = facts.members(in: scope)
            let live = facts.endorsements.filter { facts.includes($0.idea, scope) && $0.given <= scope.day && $0.withdrawn.map { $0 > scope.day } ?? true }
            return Result(figure: .ratio(Set(live.map(\.coop)).count { members[$0] != nil }, of: members.count))
        },
        Indicator(
            7, "idea-adoption", en: "Co-ops that run an idea", fr: "Coopératives mettant une idée en œuvre", by: [.region, .department, .month, .theme, .idea],
            from: [.adoptions, .ideas, .lists]
        ) { facts, scope in
            let members = facts.members(in: scope)
            let taken = facts.adoptions.filter { facts.includes($0.idea, scope) && (scope.idea == nil || scope.idea == $0.idea) && $0.counts(on: scope) }
            return Result(figure: .ratio(Set(taken.map(\.coop)).count { members[$0] != nil }, of: members.count))
        },
        Indicator(
            8, "completion", en: "Adoptions carried through", fr: "Adoptions menées à bien", by: [.region, .department, .month, .theme], from: [.adoptions, .ideas, .lists]
        ) { facts, scope in
            let ended = facts.adoptions.filter { adoption in
                (adoption.status == .completed || adoption.status == .abandoned) && adoption.ended.map { scope.holds(day: $0) } == true
                    && facts.includes(adoption.idea, scope) && scope.holds(adoption.coop)
            }
            return Result(
                figure: .ratio(ended.count { $0.status == .completed }, of: ended.count),
                parts: [Part("mean_retex_score", .mean(of: ended.compactMap(\.score), .score))])
        },
        Indicator(
            9, "merge-share", en: "Ideas that were the same", fr: "Idées fusionnées", by: [.region, .department, .theme], from: [.ideas, .lists]
        ) { facts, scope in
            let statuses: Set<Idea.Status> = [.published, .archived, .merged]
            let ideas = facts.ideas.filter { $0.isIn(scope) && statuses.contains($0.status) }
            return Result(figure: .ratio(ideas.count { $0.status == .merged }, of: ideas.count))
        },
        Indicator(
            10, "decision-delay", en: "Time to decide on an idea", fr: "Délai de décision sur une idée", by: [.region, .department, .month, .theme],
            from: [.decisions, .lists]
        ) { facts, scope in
            let decisions = facts.decisions.filter { scope.holds(day: $0.day) && scope.includes($0.theme) && scope.holds($0.coop) }
            return Result(figure: .median(of: decisions.map(\.waited), .days))
        },
        Indicator(
            11, "idea-balance", en: "Ideas by theme and question", fr: "Idées par thème et question", by: [.region, .department, .theme], from: [.ideas, .lists]
        ) { facts, scope in
            let ideas = facts.ideas.filter { $0.isIn(scope) && $0.status == .published }
            let parts = facts.themes.filter { scope.includes($0.id) }.flatMap { theme -> [Part] in
                let own = Dictionary(grouping: ideas.filter { $0.theme == theme.id }) { $0.question.flatMap { facts.questions[$0] } ?? "" }
                return own.sorted { $0.key < $1.key }.map { question, ideas in Part(theme.slug + "/" + question, .count(ideas.count)) }
            }
            return Result(figure: .count(ideas.count), parts: parts)
        },
    ]
}

extension Facts {
    fileprivate func includes(_ idea: Identifier<Idea>, _ scope: Scope) -> Bool { scope.theme == nil || themeOfIdea[idea] == scope.theme }
}

extension Scope {
    fileprivate func includes(_ theme: Identifier<Theme>) -> Bool { self.theme == nil || self.theme == theme }
}

extension IdeaFact {
    /// Known to the network, and there on the scope's day.
    fileprivate func isIn(_ scope: Scope) -> Bool { isShared && created <= scope.day && scope.includes(theme) && scope.holds(coop) }
}

extension AdoptionFact {
    /// Running or completed; one that was given up later counts for the days before.
    fileprivate func counts(on scope: Scope) -> Bool {
        if scope.day == scope.today { return status == .running || status == .completed }
        guard let started, started <= scope.day else { return false }
        return status == .running || status == .completed || (status == .abandoned && ended.map { $0 > scope.day } ?? false)
    }
}
