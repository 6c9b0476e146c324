/// What happenings are called outside: `referent.appointed`. A change is told once, under its most telling name.
package enum EventType {
    /// Sent to one webhook when somebody asks for it, and to no other.
    package static let ping = "webhook.ping"
    /// The last free seat of an open session is taken.
    static let sessionFull = "session.full"

    /// The name of a change, nil where it stays inside. By default `<type>.created`, `<type>.updated`, `<type>.deleted`, and
    /// for a step `<type>.<state>`; what is called otherwise has a line in `renamed`.
    static func name(_ type: RecordType, _ action: Action, from: String?, to: String?) -> String? {
        guard let name = candidate(type, action, from: from, to: to) else { return nil }
        // A rule may bring a record into a state in a way that nobody has thought of here.
        let others = "\(type.rawValue).updated"
        return known.contains(name) ? name : known.contains(others) ? others : nil
    }

    private static func candidate(_ type: RecordType, _ action: Action, from: String?, to: String?) -> String? {
        if isPrivate(type, action) { return nil }
        let verb: String
        switch action {
        case .create: verb = "created"
        case .delete: verb = "deleted"
        case .change, .transition, .merge: verb = to ?? "updated"
        }
        for candidate in [Step(type, action, from, to), Step(type, action, nil, to), Step(type, action, from, nil), Step(type, action, nil, nil)] {
            if let name = renamed[candidate] { return name }
        }
        return "\(type.rawValue).\(verb)"
    }

    /// What nobody outside is told of: what people put forward for a vote, and corrections of personal data.
    private static func isPrivate(_ type: RecordType, _ action: Action) -> Bool {
        type == .nomination || (type == .registration && action == .change)
    }

    private struct Step: Hashable {
        let type: RecordType
        let action: Action
        let from: String?
        let to: String?
        /// nil: whatever it is.
        init(_ type: RecordType, _ action: Action, _ from: String?, _ to: String?) { (self.type, self.action, self.from, self.to) = (type, action, from, to) }
    }

    private static let renamed: [Step: String] = [
        Step(.referent, .create, nil, "active"): "referent.appointed",
        Step(.referent, .transition, "designated", "active"): "referent.appointed",
        Step(.referent, .transition, "suspended", "active"): "referent.resumed",
        Step(.idea, .create, nil, "published"): "idea.published",
        Step(.idea, .transition, nil, "draft"): "idea.taken_back",
        Step(.coop, .merge, nil, nil): "coop.merged",
        Step(.idea, .merge, nil, "published"): "idea.unmerged",
        Step(.endorsement, .create, nil, nil): "endorsement.given",
        Step(.adoption, .create, nil, nil): "idea.adopted",
        Step(.adoption, .transition, "abandoned", "considering"): "adoption.resumed",
        Step(.pairing, .transition, "paused", "active"): "pairing.resumed",
        Step(.pairing, .transition, nil, "active"): "pairing.activated",
        Step(.session, .create, nil, "open"): "session.opened",
        Step(.session, .transition, nil, "open"): "session.opened",
        Step(.registration, .transition, "waitlisted", "confirmed"): "registration.promoted",
        Step(.registration, .transition, "waitlisted", "offered"): "registration.promoted",
    ]

    // MARK: All of them

    /// Every name that there is, as the contract lists them.
    package static let all: [String] = {
        var names: Set = [ping, sessionFull]
        for type in RecordType.allCases {
            var changes: [(Action, from: String?, to: String?)] = [(.create, nil, nil), (.change, nil, nil)]
            // Types whose records nobody may delete have no name for it.
            if !type.record.roles(for: .delete).isEmpty { changes.append((.delete, nil, nil)) }
            changes += renamed.keys.filter { $0.type == type && $0.action == .create }.map { ($0.action, $0.from, $0.to) }
            changes += steps(of: type).map { (.transition, $0.from, $0.to) }
            if type == .coop { changes.append((.merge, nil, nil)) }
            if type == .idea { changes += [(.merge, "published", "merged"), (.merge, "merged", "published")] }
            names.formUnion(changes.compactMap { candidate(type, $0.0, from: $0.from, to: $0.to) })
        }
        return names.sorted()
    }()

    private static let known = Set(all)

    /// The steps of each type that has states, also those that no client asks for; a new type with states has a line here.
    private static func steps(of type: RecordType) -> [(from: String, to: String)] {
        switch type {
        case .appointment: AppointmentFile.machine.named
        case .referent: Referent.machine.named
        case .idea: Idea.machine.named
        case .endorsement: Endorsement.machine.named
        case .adoption: Adoption.machine.named
        case .pairing: Pairing.machine.named
        case .round: Round.machine.named
        case .session: Session.machine.named
        case .registration:
            Registration.machine.named + [
                ("waitlisted", "confirmed"), ("waitlisted", "offered"), ("waitlisted", "expired"), ("offered", "expired"), ("confirmed", "session_cancelled"),
            ]
        default: []
        }
    }
}

extension Machine {
    fileprivate var named: [(from: String, to: String)] { all.map { ($0.from.rawValue, $0.to.rawValue) } }
}
