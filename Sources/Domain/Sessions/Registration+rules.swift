import SQLite
import Text

extension Registration {
    package mutating func prepare(_ change: Change<Registration>, in tx: Transaction) throws(DomainError) {
        guard let queue = try Queue.take(sessionID, writing: change.old?.id, in: tx), change.action != .create || queue.session.isVisible(to: change.caller) else {
            var faults = Faults()
            faults.addUnknownReference("#/session_id", .session)
            throw .invalid(faults.all)
        }
        if change.action == .create { try begin(change, queue, in: tx) }
        if change.action == .change, !status.isLive {
            throw .conflict(
                code: "registration.ended",
                Bilingual(
                    en: "A registration that is \(status.rawValue) is not changed any more; make a new one.",
                    fr: "Une inscription à l'état \(status.rawValue) n'est plus modifiée ; faites-en une nouvelle."),
                members: [("status_now", "\"\(status.rawValue)\"")])
        }
        try checkFields(in: queue.session)
        let isKnownOtherwise = change.action == .create || !change.given.isDisjoint(with: ["email", "phone", "postal", "contact_name"])
        let contact = Contact(of: self)
        if isKnownOtherwise, let other = queue.find(contact) { try checkDuplicate(change, of: other) }
        if let old = change.old, change.action == .change { try resize(from: old, queue, at: tx.now) }
        decide(queue, known: contact, isNew: change.action == .create, at: tx.now)
    }

    /// The routine decides with this party in it; what it means for the others is stored after this row.
    mutating func decide(_ queue: Queue, known contact: Contact, isNew: Bool = false, at now: Timestamp) {
        queue.settle(with: &self, known: contact, isNew: isNew, at: now)
        self.queue = queue
    }

    private mutating func begin(_ change: Change<Registration>, _ queue: Queue, in tx: Transaction) throws(DomainError) {
        let session = queue.session
        (coopID, sessionStartsAt, entryNo) = (session.coopID, session.startsAt, queue.lastEntryNo + 1)
        let isPublic = change.caller.role == nil
        if !isPublic, change.caller.coop != coopID { throw .scopeNotYours }
        if isPublic { try refuseFieldsOfTheDesk(change) }
        if !change.given.contains("received_at") { receipt = .at(tx.now) }
        try clampReceipt(session, at: tx.now)
        queuedAt = receivedAt
        try checkOpen(session, at: tx.now)
        if !isPublic { (keyedAt, keyedBy) = (tx.now, change.caller.token) }
        if !change.given.contains("consent_at") { consentAt = receivedAt }
        if noticeVersion.isEmpty { noticeVersion = Self.presentNotice }
        // Nobody stands there to be told when a slip is typed in.
        if channel == .paper, email == nil { contactTask = .toCall }
        if isPublic { try checkMayWait(queue.counted) }
    }

    /// A crowd of strangers must not fill the waiting list.
    private func checkMayWait(_ session: Session) throws(DomainError) {
        guard session.waitingParties >= Self.mostWaitingOnline, session.freeSeats == 0 else { return }
        throw .conflict(
            code: "waitlist.full",
            Bilingual(
                en: "Too many are waiting for this session; choose another one, or call the co-op.",
                fr: "Trop de personnes attendent pour cette session ; choisissez-en une autre, ou appelez la coopérative."))
    }

    /// The notice on personal data that is in force.
    static let presentNotice = "2026-01"
    private static let mostWaitingOnline = 20

    private func refuseFieldsOfTheDesk(_ change: Change<Registration>) throws(DomainError) {
        var faults = Faults()
        for name in ["received_at", "contact_task", "consent_at"] where change.given.contains(name) {
            faults.add("#/\(name)", "field.read-only", en: "can't be set by a client; leave it out", fr: "ne peut pas être fixé par un client ; ne le fournissez pas")
        }
        if channel != .online { faults.add("#/channel", "registration.channel", en: "is online here; leave it out", fr: "vaut online ici ; ne le fournissez pas") }
        try faults.throwIfAny()
    }

    /// A slip or a call may be older than its entry: not in the future, at most 14 days back, and never before registration opened.
    private mutating func clampReceipt(_ session: Session, at now: Timestamp) throws(DomainError) {
        var time = receivedAt
        if case .on(let day) = receipt { time = min(session.timeZone.instant(day, minutes: 12 * 60), now) }
        let isToday: Bool = if case .on(let day) = receipt { day == session.timeZone.local(now).day } else { false }
        var faults = Faults()
        if case .on(let day) = receipt, day > session.timeZone.local(now).day { time = now.adding(seconds: 86_400) }
        if time > now, !isToday { faults.add("#/received_at", "date.future", en: "must not lie in the future", fr: "ne doit pas être dans le futur") }
        if time < now.adding(seconds: -14 * 86_400) {
            faults.add("#/received_at", "date.past", en: "must not lie more than 14 days back", fr: "ne doit pas dater de plus de 14 jours")
        }
        if time != now, channel != .paper, channel != .phone {
            faults.add(
                "#/received_at", "registration.channel", en: "goes with the channels paper and phone only", fr: "va seulement avec les canaux paper et phone")
        }
        try faults.throwIfAny()
        if let opens = session.registrationOpensAt { time = max(time, opens) }
        receipt = .at(time)
    }

    private func checkOpen(_ session: Session, at now: Timestamp) throws(DomainError) {
        let opens = session.registrationOpensAt ?? now
        // A slip that came in time may be typed in after registration has closed.
        let isInTime = receivedAt < session.registrationClosesAt && now < session.startsAt
        switch session.status {
        case .open where now >= opens && isInTime, .closed where isInTime && receivedAt < now: return
        case .open where now < opens:
            throw .conflict(
                code: "session.not-yet-open",
                Bilingual(en: "Registration opens at \(opens.text).", fr: "Les inscriptions ouvrent à \(opens.text)."),
                members: [("registration_opens_at", "\"\(opens.text)\"")])
        default:
            throw .conflict(
                code: "session.closed",
                Bilingual(
                    en: "Registration for this session is not open; choose another session.",
                    fr: "Les inscriptions à cette session ne sont pas ouvertes ; choisissez une autre session."),
                members: [("status_now", "\"\(session.status.rawValue)\"")])
        }
    }

    func checkFields(in session: Session) throws(DomainError) {
        var faults = Faults()
        if anonymisedOn == nil {
            if contactName == nil { faults.add("#/contact_name", "field.required", en: "is required", fr: "est obligatoire") }
            if email == nil, phone == nil, postal == nil {
                faults.add(
                    "#/phone", "registration.contact", en: "give one of phone, postal or email, so that the co-op can tell them",
                    fr: "indiquez phone, postal ou email, pour que la coopérative puisse prévenir")
            }
        }
        if partySize > session.capacity {
            faults.add(
                "#/party_size", "registration.party-size", en: "the session has \(session.capacity) seats in all; split the group over two sessions",
                fr: "la session a \(session.capacity) places en tout ; répartissez le groupe sur deux sessions")
        }
        try faults.throwIfAny()
    }

    /// One live registration a contact and session. Whoever signs up without a token learns nothing of others.
    private mutating func checkDuplicate(_ change: Change<Registration>, of other: (id: Identifier<Registration>, entryNo: Int)) throws(DomainError) {
        if change.caller.role == nil {
            duplicateSuspected = true
            return
        }
        throw .conflict(
            code: "registration.duplicate",
            Bilingual(
                en: "This contact is registered for the session already (no. \(other.entryNo)); change that registration.",
                fr: "Ce contact est déjà inscrit à la session (n° \(other.entryNo)) ; modifiez cette inscription."),
            members: [("registration_id", "\"\(other.id)\"")])
    }

    /// A party with a seat grows only into free seats that nobody waits for; one that waits and grows goes to the end.
    mutating func resize(from old: Registration, _ queue: Queue, at now: Timestamp) throws(DomainError) {
        guard partySize > old.partySize else { return }
        let (session, parties) = (queue.session, queue.parties)
        if status == .waitlisted {
            let last = parties.filter { $0.status == .waitlisted }.map(\.queuedAt).max()
            queuedAt = last.map { max(now, Timestamp(milliseconds: $0.milliseconds + 1)) } ?? now
            return
        }
        let held = parties.filter { $0.status.holdsSeats }.reduce(0) { $0 + $1.size }
        let isQueueEmpty = !parties.contains { $0.status == .waitlisted }
        guard held + partySize > session.capacity || !isQueueEmpty else { return }
        throw .conflict(
            code: "session.full",
            Bilingual(
                en: "There is no room for more people in this party: \(max(0, session.capacity - held - old.partySize)) seats are free, and those who wait come first.",
                fr: "Il n'y a pas de place pour agrandir ce groupe : \(max(0, session.capacity - held - old.partySize)) places libres, et ceux qui attendent passent d'abord."))
    }

    package func stored(_ change: Change<Registration>, in tx: Transaction) throws(DomainError) {
        try storing { () throws(DatabaseError) in
            if let offerExpiresAt {
                try Due.set(offerExpiresAt, .registration, id.text, Self.offerExpires, in: tx)
            } else if change.old?.offerExpiresAt != nil {
                try Due.clear(.registration, id.text, Self.offerExpires, in: tx.connection)
            }
        }
        // What others have brought about is stored by them.
        guard !change.isConsequence, let queue else { return }
        try queue.store(by: change.caller, in: tx)
    }

    package func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError) {
        throw .conflict(
            code: "registration.kept",
            Bilingual(
                en: "A registration is kept for the counts: cancel it with a transition, or erase the person with ?erase=true.",
                fr: "Une inscription est conservée pour le décompte : annulez-la par une transition, ou effacez la personne avec ?erase=true."))
    }

    private static let offerExpires = "offer_expires"

    package static func fallDue(_ id: Identifier<Registration>, _ what: String, in tx: Transaction) throws(DomainError) {
        guard let registration = try store.find(id, in: tx.connection) else { return }
        try Session.settleQueue(registration.sessionID, by: .clock, in: tx)
    }
}
