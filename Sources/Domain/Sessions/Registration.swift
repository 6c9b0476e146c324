import JSON
import SQLite

/// A party that wants to come to a session: who, how many, how they asked, and what became of it.
package struct Registration: Record {
    package enum Channel: String, Sendable, CaseIterable { case online, email, phone, paper }
    package enum Profile: String, Sendable, CaseIterable {
        case tenant, buyer, employee, other
        case coOwner = "co_owner"
    }
    /// A closed list: health is not asked for.
    package enum Need: String, Sendable, CaseIterable {
        case other
        case stepFree = "step_free"
        case largePrint = "large_print"
        case helpWithReading = "help_with_reading"
    }
    package enum Status: String, Sendable, CaseIterable {
        case waitlisted, offered, confirmed, cancelled, expired, attended, absent
        case sessionCancelled = "session_cancelled"
    }
    /// Why a waiting party has no seat yet.
    package enum NotPromoted: String, Sendable, CaseIterable {
        /// No seat is free.
        case full
        /// Fewer seats are free than the party needs.
        case partyTooLarge = "party_too_large"
        /// Seats are free, but the larger party ahead comes first until `fit_hours` before the beginning.
        case behindLargerParty = "behind_larger_party"
    }
    package enum ContactTask: String, Sendable, CaseIterable {
        case none, done
        case toCall = "to_call"
    }

    package static let type = RecordType.registration
    package static let store = Store<Registration>()

    package var meta = Meta()
    package var sessionID = Identifier<Session>(high: 0, low: 0)
    /// The session's.
    var sessionStartsAt = Timestamp(milliseconds: 0)
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    package var entryNo = 0
    package var channel = Channel.online
    package var receipt = Receipt.at(Timestamp(milliseconds: 0))
    /// What the queue goes by: the receipt, until the party grows.
    package var queuedAt = Timestamp(milliseconds: 0)
    /// When and by which token it was typed in; nil for those who did it themselves.
    package var keyedAt: Timestamp?
    package var keyedBy: Identifier<Token>?
    package var partySize = 1
    /// Nil only after the person was forgotten.
    package var contactName: String?
    package var email: String?
    package var phone: String?
    package var postal: String?
    package var profile: Profile?
    package var needs: [Need] = []
    package var status = Status.waitlisted
    /// 1 is next; nil unless waitlisted.
    package var rank: Int?
    package var notPromotedReason: NotPromoted?
    /// Whether it had to wait after it was made.
    package var wasWaitlisted = false
    package var offerExpiresAt: Timestamp?
    package var attendedCount: Int?
    package var contactTask = ContactTask.none
    package var consentAt = Timestamp(milliseconds: 0)
    /// The version of the notice on personal data that the person saw.
    package var noticeVersion = ""
    /// Made without a token by somebody whose contact is in the session already.
    package var duplicateSuspected = false
    package var anonymisedOn: Day?
    /// The person asked to be forgotten.
    var erasedOn: Day?
    /// What its change means for the others, decided before the row is written and stored after it.
    var queue: Queue?

    package init() {}

    package static let fields: [Field<Registration>] = [
        Field("session_id", \.sessionID, .reference(), .creation, required: true),
        Field("session_starts_at", \.sessionStartsAt, .time, .hidden),
        Field("coop_id", \.coopID, .reference(), .server),
        Field("entry_no", \.entryNo, .integer(0...Int.max), .server),
        Field("channel", \.channel, .choice, .creation),
        Field("received_at", \.receipt, .receipt, .creation),
        Field("queued_at", \.queuedAt, .time, .server),
        Field("keyed_at", \.keyedAt, .optional(.time), .server),
        Field("keyed_by", \.keyedBy, .optional(.tokenID), .server),
        Field("party_size", \.partySize, .integer(1...5)),
        Field("contact_name", \.contactName, .optional(.line(1...200)), required: true),
        Field("email", \.email, .optional(.email)),
        Field("phone", \.phone, .optional(.phone)),
        Field("postal", \.postal, .optional(.paragraph(1...500))),
        Field("profile", \.profile, .optional(.choice)),
        Field("needs", \.needs, .list(of: .choice, upTo: 4, unique: true)),
        Field("status", \.status, .choice, .server),
        Field("rank", \.rank, .optional(.integer(1...Int.max)), .server),
        Field("not_promoted_reason", \.notPromotedReason, .optional(.choice), .server),
        Field("was_waitlisted", \.wasWaitlisted, .flag, .server),
        Field("offer_expires_at", \.offerExpiresAt, .optional(.time), .server),
        Field("attended_count", \.attendedCount, .optional(.integer(0...5)), .server),
        Field("contact_task", \.contactTask, .choice),
        Field("consent_at", \.consentAt, .time, .creation),
        Field("notice_version", \.noticeVersion, .line(1...40), .creation),
        Field("duplicate_suspected", \.duplicateSuspected, .flag, .server),
        Field("anonymised_on", \.anonymisedOn, .optional(.day), .server),
        Field("erased_on", \.erasedOn, .optional(.day), .hidden),
    ]

    /// Fields that tell who somebody is: what retention and erasure take away.
    static let identity: Set = ["contact_name", "email", "phone", "postal", "needs"]
    private static let shownAtDesk: Set = ["session_id", "coop_id", "entry_no", "party_size", "contact_name", "needs", "status", "attended_count"]
    private static let hiddenAtDesk = Redaction(Set(fields.map(\.name)).subtracting(shownAtDesk), of: Self.self)

    /// Nobody outside the co-op, not even the federation; a helper's device sees who comes, not how to reach them.
    package var readers: [Reader] { isErased ? [] : [Reader(.desk(coopID), hiding: Self.hiddenAtDesk), Reader(.office(coopID))] }
    package var absence: Feed.Gone { isErased ? .erased : .scope }
    package var queuedIn: Identifier<Session>? { sessionID }
    package var owners: [Identifier<Coop>] { [coopID] }

    package static func roles(for action: Action) -> Set<Role> {
        switch action {
        case .create, .change, .delete: [.coopManager]
        case .transition: [.coopManager, .referent]
        case .merge: []
        }
    }

    /// Anyone may sign up for an open session, and then change or cancel what is theirs.
    package static func admits(_ caller: Caller, to action: Action) -> Bool {
        caller.role.map { roles(for: action).contains($0) } ?? (action == .create)
    }

    var receivedAt: Timestamp {
        guard case .at(let time) = receipt else { return queuedAt }
        return time
    }

    /// Gives up the seat or the place in the queue.
    mutating func leave(for status: Status) {
        self.status = status
        (rank, notPromotedReason, offerExpiresAt) = (nil, nil, nil)
    }
}

extension Registration {
    /// When a slip or a call came in: to the instant, or on a day, which counts as noon there.
    package enum Receipt: Sendable, Equatable {
        case at(Timestamp)
        case on(Day)
    }
}

extension Registration.Status {
    /// Wants a seat or has one.
    package var isLive: Bool { self == .waitlisted || holdsSeats }
    package var holdsSeats: Bool { self == .confirmed || self == .offered || self == .attended || self == .absent }
}

extension Codec where Value == Registration.Receipt {
    static let receipt = Codec(
        cell: .text, isNullable: false,
        parse: { json, pointer, faults in
            if let text = json.stringValue {
                if let day = Day(text) { return .on(day) }
                if let time = Timestamp(text) { return .at(time) }
            }
            faults.add(
                pointer, "time.format", en: "must be a date such as 2026-03-02, or a time such as 2026-03-02T09:00:00Z",
                fr: "doit être une date comme 2026-03-02, ou une date et heure comme 2026-03-02T09:00:00Z")
            return nil
        },
        column: { receipt in
            switch receipt {
            case .at(let time): .text(time.text)
            case .on(let day): .text(day.text)
            }
        },
        load: { (statement, column) throws(DatabaseError) in
            guard let time = Timestamp(statement.text(column)) else { throw statement.damage(column, "time") }
            return .at(time)
        },
        write: { receipt, json in
            switch receipt {
            case .at(let time): json.string(time.text)
            case .on(let day): json.string(day.text)
            }
        })
}

extension Codec where Value == Identifier<Token> {
    static let tokenID = Codec(
        cell: .text, isNullable: false,
        parse: { json, pointer, faults in
            if let id = json.stringValue.flatMap({ Identifier<Token>($0) }) { return id }
            faults.add(pointer, "id.format", en: "must be an id", fr: "doit être un identifiant")
            return nil
        },
        column: { $0.value }, load: { (statement, column) throws(DatabaseError) in
            guard let id: Identifier<Token> = statement.identifier(column) else { throw statement.damage(column, "id") }
            return id
        }, write: { $1.string($0.text) })
}
