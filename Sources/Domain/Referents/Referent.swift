import SQLite
import Text

/// The mandate of a person whom a co-op names to animate its vie coopérative. A return is a new mandate.
package struct Referent: Record {
    package enum Status: String, Sendable, CaseIterable { case designated, active, suspended, ended }

    package static let type = RecordType.referent
    package static let store = Store<Referent>()

    package var meta = Meta()
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    package var givenName = ""
    package var familyName = ""
    package var jobTitle: String?
    package var workEmail: String?
    package var workPhone: String?
    package var isPrimary = false
    package var status = Status.designated
    package var startedOn = Day(daysSince1970: 0)
    package var endedOn: Day?
    package var trainedOn: Day?
    /// The person agrees that other co-ops see the work contact.
    package var sharesContact = false
    /// Since when it says "ancien référent" instead of a name.
    package var anonymisedOn: Day?
    /// The person asked to be forgotten.
    package var erasedOn: Day?

    package init() {}

    package static let fields: [Field<Referent>] = [
        Field("coop_id", \.coopID, .reference(), .creation, required: true),
        Field("given_name", \.givenName, .line(1...100), required: true),
        Field("family_name", \.familyName, .line(1...100), required: true),
        Field("job_title", \.jobTitle, .optional(.line(1...200))),
        Field("work_email", \.workEmail, .optional(.email)),
        Field("work_phone", \.workPhone, .optional(.phone)),
        Field("is_primary", \.isPrimary, .flag),
        Field("status", \.status, .choice, .creation),
        Field("started_on", \.startedOn, .day, required: true),
        Field("ended_on", \.endedOn, .optional(.day), .server),
        Field("trained_on", \.trainedOn, .optional(.day)),
        Field("share_contact_network", \.sharesContact, .flag),
        Field("anonymised_on", \.anonymisedOn, .optional(.day), .server),
        Field("erased_on", \.erasedOn, .optional(.day), .hidden),
    ]

    private static let contact = Redaction(["work_email", "work_phone"], of: Self.self)
    private static let identity = Redaction(contact.names.union(["given_name", "family_name", "job_title"]), of: Self.self)

    package var readers: [Reader] {
        let withoutPerson = Reader(.observer, hiding: Self.identity)
        guard erasedOn == nil else { return [withoutPerson] }
        return [
            Reader(.network, hiding: sharesContact ? .none : Self.contact),
            withoutPerson,
            Reader(.federation),
            Reader(.coop(coopID)),
        ]
    }

    package var absence: Feed.Gone { erasedOn == nil ? .scope : .erased }
    package var owners: [Identifier<Coop>] { [coopID] }

    package static func roles(for action: Action) -> Set<Role> {
        action == .change ? [.federationAdmin, .coopManager, .referent] : [.federationAdmin, .coopManager]
    }

    package static func fields(for role: Role) -> Set<String>? { role == .referent ? contact.names : nil }

    package mutating func prepare(_ change: Change<Referent>, in tx: Transaction) throws(DomainError) {
        var faults = Faults()
        if change.old?.erasedOn != nil {
            throw .conflict(
                code: "record.erased",
                Bilingual(en: "The person was erased; what is left of the mandate stays as it is.", fr: "La personne a été effacée ; ce qui reste du mandat ne change plus."))
        }
        if change.caller.role == .referent, change.caller.referent != id { throw .scopeNotYours }
        if let old = change.old, change.action == .change { try checkStillChanges(from: old) }
        if change.action == .create {
            try Coop.checkOpenToNewRecords(coopID, at: "#/coop_id", in: tx)
            // An import brings mandates in whatever state they are; a client begins one.
            if change.caller.token != nil, status != .designated, status != .active {
                faults.add("#/status", "referent.status", en: "a mandate begins designated or active", fr: "un mandat commence à l'état designated ou active")
            }
            if let anonymisedOn { forget(on: anonymisedOn) }
        }
        if let endedOn, endedOn < startedOn {
            faults.add("#/ended_on", "date.order", en: "must not lie before started_on", fr: "ne doit pas précéder started_on")
        }
        if (status == .ended) != (endedOn != nil) {
            faults.add("#/ended_on", "referent.ended", en: "goes with the status ended", fr: "va avec l'état ended")
        }
        if let trainedOn, trainedOn > tx.now.adding(seconds: 86_400).day {
            faults.add("#/trained_on", "date.future", en: "must not lie in the future", fr: "ne doit pas être dans le futur")
        }
        try faults.throwIfAny()
        if isPrimary, status == .active { try checkOnlyPrimary(in: tx) }
    }

    /// An ended mandate is final; what may still be put right is what it says of the person, and a training that was entered late.
    private func checkStillChanges(from old: Referent) throws(DomainError) {
        if old.anonymisedOn != nil {
            throw .conflict(
                code: "referent.forgotten",
                Bilingual(
                    en: "The term for which this mandate named a person is over; it stays as it is.",
                    fr: "La durée de conservation du nom est écoulée ; ce mandat reste en l'état."))
        }
        guard old.status == .ended, isPrimary != old.isPrimary || startedOn != old.startedOn else { return }
        throw .conflict(
            code: "referent.final",
            Bilingual(
                en: "An ended mandate keeps its dates and whether it was the primary one; a return is a new mandate.",
                fr: "Un mandat terminé garde ses dates et son caractère principal ou non ; un retour est un nouveau mandat."),
            members: [("status_now", "\"ended\"")])
    }

    private func checkOnlyPrimary(in tx: Transaction) throws(DomainError) {
        let other = try storing { () throws(DatabaseError) in
            try tx.connection.first(
                "SELECT id FROM referent WHERE coop_id = ? AND is_primary = 1 AND status = 'active' AND id <> ?", [coopID.value, id.value]
            ) { $0.text(0) }
        }
        guard let other else { return }
        throw .conflict(
            code: "referent.primary-taken",
            Bilingual(
                en: "The co-op has an active primary referent already (\(other)); make that one secondary or end its mandate first.",
                fr: "La coopérative a déjà un référent principal actif (\(other)) ; rendez-le secondaire ou terminez d'abord son mandat."),
            members: [("referent_id", "\"\(other)\"")])
    }

    package func stored(_ change: Change<Referent>, in tx: Transaction) throws(DomainError) {
        try scheduleForgetting(change, in: tx)
        if let old = change.old, old.startedOn != startedOn { try AppointmentFile.noteBeginning(of: self, in: tx) }
        let wasActive = change.old?.status == .active
        if status == .active {
            if !wasActive { try Coop.noteReferents(of: coopID, .came(on: startedOn), by: change.caller, in: tx) }
        } else if wasActive || (change.old == nil && status != .designated) {
            try Coop.noteReferents(of: coopID, .left(on: endedOn ?? tx.now.day), by: change.caller, in: tx)
        }
    }

    package func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError) {
        guard status != .designated else { return }
        throw .conflict(
            code: "referent.has-served",
            Bilingual(
                en: "A mandate that has begun is kept; end it with a transition to ended.",
                fr: "Un mandat commencé est conservé ; terminez-le par une transition vers ended."))
    }
}
