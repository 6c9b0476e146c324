extension RecordType {
    /// The Swift type behind the name: the one list of all types, for what has to be done with each.
    ///
    /// Passed to a generic function, `check(type.record, …)`, it becomes that function's type.
    package var record: any Record.Type {
        switch self {
        case .coop: Coop.self
        case .site: Site.self
        case .referent: Referent.self
        case .theme: Theme.self
        case .question: Question.self
        case .resource: Resource.self
        case .prize: Prize.self
        case .idea: Idea.self
        case .mooc: Mooc.self
        case .module: Module.self
        case .activity: Activity.self
        case .endorsement: Endorsement.self
        case .adoption: Adoption.self
        case .facilitator: Facilitator.self
        case .session: Session.self
        case .registration: Registration.self
        case .answer: AnswerSheet.self
        case .pairing: Pairing.self
        case .meeting: Meeting.self
        case .round: Round.self
        case .nomination: Nomination.self
        case .appointment: AppointmentFile.self
        }
    }
}
