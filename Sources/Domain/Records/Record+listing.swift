/// What may be asked of each type's list, in one place, since it is part of the contract.
extension Record {
    /// Whether anyone without a token sees some records of the type.
    package static var isPublic: Bool {
        switch type {
        case .referent, .endorsement, .adoption, .facilitator, .registration, .answer, .pairing, .meeting, .round, .nomination, .appointment: false
        default: true
        }
    }

    package static var listRules: ListRules {
        switch type {
        case .coop:
            ListRules(
                filters: ["slug", "department_code", "region_code", "city", "membership", "legal_form", "fictitious", "has_referent"], sorts: ["name": "search"],
                defaultSort: "name", links: ["activity": ("coop_activity", "activity")],
                restricted: ["membership": withToken, "legal_form": withToken, "activity": withToken, "fictitious": withToken, "has_referent": withToken])
        case .site:
            ListRules(
                filters: ["coop_id", "projector", "step_free_access", "time_zone"], sorts: ["name": "name", "workstations": "workstations", "seats": "seats"],
                defaultSort: "name",
                restricted: ["projector": withToken, "step_free_access": withToken, "time_zone": withToken, "workstations": withToken, "seats": withToken])
        case .referent:
            ListRules(
                filters: ["coop_id", "status", "is_primary"], sorts: ["family_name": "family_name", "started_on": "started_on"], defaultSort: "id",
                restricted: ["family_name": withToken.subtracting([Audience.observer.letter])])
        case .idea:
            ListRules(
                filters: ["slug", "theme_id", "question_id", "scope", "author_coop_id", "origin", "status", "federal_status"], sorts: ["slug": "slug"],
                defaultSort: "slug", restricted: ["federal_status": [Audience.federation.letter]])
        case .theme: ListRules(filters: ["slug", "audience"], sorts: ["order": "order"], defaultSort: "order")
        case .question: ListRules(filters: ["slug", "theme_id"], sorts: ["order": "order"], defaultSort: "order")
        case .resource: ListRules(filters: ["slug", "kind", "url_match", "url_ok"], sorts: ["slug": "slug"], defaultSort: "slug")
        case .prize: ListRules(filters: ["slug", "theme_id"], sorts: ["slug": "slug"], defaultSort: "slug")
        case .mooc: ListRules(filters: ["slug"], sorts: ["slug": "slug"], defaultSort: "slug")
        case .module:
            ListRules(filters: ["slug", "mooc_id", "related_activity", "status"], sorts: ["order": "order", "slug": "slug"], defaultSort: "order")
        case .endorsement: ListRules(filters: ["idea_id", "origin_idea_id", "coop_id", "by_referent_id", "status"], sorts: [:], defaultSort: "id")
        case .adoption:
            ListRules(filters: ["idea_id", "origin_idea_id", "coop_id", "variant", "status", "retex_score"], sorts: [:], defaultSort: "id")
        case .facilitator: ListRules(filters: ["coop_id", "kind"], sorts: ["display_name": "display_name"], defaultSort: "display_name")
        case .session:
            ListRules(
                filters: ["coop_id", "site_id", "module_id", "status", "mode", "facilitator_id", "free_seats"], sorts: ["starts_at": "starts_at"],
                defaultSort: "starts_at", restricted: ["facilitator_id": [Audience.coop(Identifier(high: 0, low: 0)).letter, Audience.federation.letter]])
        case .registration:
            ListRules(
                filters: ["session_id", "coop_id", "status", "channel", "contact_task", "duplicate_suspected"], sorts: ["entry_no": "entry_no", "queued_at": "queued_at"],
                defaultSort: "entry_no",
                restricted: ["channel": office, "contact_task": office, "duplicate_suspected": office, "queued_at": office])
        case .answer: ListRules(filters: ["session_id", "coop_id"], sorts: [:], defaultSort: "id")
        case .pairing:
            ListRules(
                filters: ["kind", "sponsor_coop_id", "sponsored_coop_id", "status", "sponsor_referent_id", "sponsored_referent_id"],
                sorts: ["identified_on": "identified_on"], defaultSort: "identified_on", links: ["coop_id": ("pairing_coop", "coop_id")])
        case .meeting:
            ListRules(filters: ["pairing_id", "mode"], sorts: ["held_on": "held_on"], defaultSort: "held_on", links: ["referent_id": ("meeting_referent", "referent_id")])
        case .round: ListRules(filters: ["coop_id", "month", "status"], sorts: ["month": "month"], defaultSort: "month")
        case .nomination: ListRules(filters: ["round_id", "coop_id"], defaultSort: "id")
        case .appointment: ListRules(filters: ["coop_id", "status", "referent_id"], sorts: ["opened_on": "opened_on"], defaultSort: "opened_on")
        case .activity: ListRules(filters: ["slug"], sorts: ["slug": "slug"], defaultSort: "slug")
        }
    }

    private static var office: Set<UInt8> { [Audience.office(Identifier(high: 0, low: 0)).letter] }
    /// The layers of callers with a token.
    private static var withToken: Set<UInt8> { Audience.letters.subtracting([Audience.public.letter]) }
}
