import JSON
import SQLite
import Text

/// What a group has agreed on together about each activity of the module, and the questions it raises: one sheet a session.
package struct AnswerSheet: Record {
    package static let type = RecordType.answer
    package static let store = Store<AnswerSheet>()

    package var meta = Meta()
    package var sessionID = Identifier<Session>(high: 0, low: 0)
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    package var items: [Item] = []
    package var questionsRaised: [String] = []
    /// Who wrote it down, as they sign.
    package var filledBy = ""

    package init() {}

    package static let fields: [Field<AnswerSheet>] = [
        Field("session_id", \.sessionID, .reference(), .creation, required: true),
        Field("coop_id", \.coopID, .reference(), .server),
        Field("items", \.items, .list(of: Item.codec, upTo: 100)),
        Field("questions_raised", \.questionsRaised, .list(of: .paragraph(1...1000), upTo: 50)),
        Field("filled_by", \.filledBy, .line(1...200), required: true),
    ]

    package var readers: [Reader] { [Reader(.coop(coopID))] }
    package var owners: [Identifier<Coop>] { [coopID] }
    package static func roles(for action: Action) -> Set<Role> {
        switch action {
        case .create, .change: [.coopManager, .referent]
        case .delete: [.coopManager]
        case .transition, .merge: []
        }
    }

    package mutating func prepare(_ change: Change<AnswerSheet>, in tx: Transaction) throws(DomainError) {
        if change.caller.role == .referent, !change.caller.isHelper { throw .scopeMissing }
        guard change.action == .create else { return }
        guard let session = try Session.store.find(sessionID, in: tx.connection), session.isVisible(to: change.caller) else {
            var faults = Faults()
            faults.addUnknownReference("#/session_id", .session)
            throw .invalid(faults.all)
        }
        coopID = session.coopID
        guard coopID == change.caller.coop else { throw .scopeNotYours }
        guard session.startsAt > tx.now || session.status == .cancelled || session.status == .draft else { return }
        throw .conflict(
            code: "session.not-started",
            Bilingual(en: "Answers belong to a session that has begun.", fr: "Les réponses vont avec une session commencée."),
            members: [("starts_at", "\"\(session.startsAt.text)\"")])
    }
}

extension AnswerSheet {
    /// What the group answers to one activity of the module.
    package struct Item: Sendable, Equatable {
        package let activity: String
        package let answer: String
        /// Whether all agree.
        package let agreed: Bool

        static let codec = Codec<Item>(
            cell: .json, isNullable: false,
            parse: { json, pointer, faults in
                guard case .object(let members) = json else {
                    faults.add(pointer, "field.type", en: "must be an object of activity, answer and agreed", fr: "doit être un objet avec activity, answer et agreed")
                    return nil
                }
                for member in members where !["activity", "answer", "agreed"].contains(member.name) {
                    faults.add("\(pointer)/\(member.name.pointerEscaped)", "field.unknown", en: "is not a field of an answer", fr: "n'est pas un champ d'une réponse")
                }
                for name in ["activity", "answer", "agreed"] where json[name] == nil {
                    faults.add("\(pointer)/\(name)", "field.required", en: "is required", fr: "est obligatoire")
                }
                let activity = json["activity"].flatMap { Codec<String>.line(1...200).parse($0, "\(pointer)/activity", &faults) }
                let answer = json["answer"].flatMap { Codec<String>.paragraph(1...4000).parse($0, "\(pointer)/answer", &faults) }
                let agreed = json["agreed"].flatMap { Codec<Bool>.flag.parse($0, "\(pointer)/agreed", &faults) }
                guard let activity, let answer, let agreed else { return nil }
                return Item(activity: activity, answer: answer, agreed: agreed)
            },
            column: { _ in preconditionFailure("items are stored as a list") },
            load: { _, _ in preconditionFailure("items are stored as a list") },
            write: { item, json in
                json.beginObject()
                json.member("activity", item.activity)
                json.member("answer", item.answer)
                json.member("agreed", item.agreed)
                json.endObject()
            })
    }
}
