/// An online course of the federation.
package struct Mooc: Record {
    package static let type = RecordType.mooc
    package static let store = Store<Mooc>()
    package var meta = Meta()
    package var slug = ""
    package var title = ""
    /// Whom it addresses: `cooperateur_locataire`, `salarie`.
    package var audience: [String] = []
    package var publisher: String?
    package var access: String?
    package var url: String?
    package var aims: [String] = []
    package init() {}

    package static let fields: [Field<Mooc>] = [
        Field("slug", \.slug, .slug, required: true),
        Field("title", \.title, .line(1...200), required: true),
        Field("audience", \.audience, .list(of: .line(1...80), upTo: 20, unique: true)),
        Field("publisher", \.publisher, .optional(.line(1...200))),
        Field("access", \.access, .optional(.line(1...500))),
        Field("url", \.url, .optional(.webAddress)),
        Field("aims", \.aims, .list(of: .line(1...500), upTo: 20)),
    ]
    package var readers: [Reader] { Reader.everyone }
}

/// A part of a course, which a group session follows.
package struct Module: Record {
    package enum Status: String, Sendable, CaseIterable { case draft, published, retired }

    package static let type = RecordType.module
    package static let store = Store<Module>()
    package var meta = Meta()
    package var moocID = Identifier<Mooc>(high: 0, low: 0)
    package var slug = ""
    package var title = ""
    package var order = 0
    /// The slug of the activity that it is about; nil: of use to every co-op.
    package var relatedActivity: String?
    package var durationMin: Int?
    package var status = Status.draft
    package init() {}

    package static let fields: [Field<Module>] = [
        Field("mooc_id", \.moocID, .reference(), required: true),
        Field("slug", \.slug, .slug, required: true),
        Field("title", \.title, .line(1...200), required: true),
        Field("order", \.order, .integer(0...10_000)),
        Field("related_activity", \.relatedActivity, .optional(.activity)),
        Field("duration_min", \.durationMin, .optional(.integer(1...1440))),
        Field("status", \.status, .choice),
    ]

    /// A retired module stays with the network, whose past sessions name it.
    package var readers: [Reader] {
        switch status {
        case .draft: [Reader(.federation)]
        case .published: Reader.everyone
        case .retired: [Reader(.network)]
        }
    }

    package mutating func prepare(_ change: Change<Module>, in tx: Transaction) throws(DomainError) {
        guard let relatedActivity, try Activity.store.all(where: "slug = ?", [.text(relatedActivity)], in: tx.connection).isEmpty else { return }
        var faults = Faults()
        faults.addUnknownReference("#/related_activity", .activity)
        throw .invalid(faults.all)
    }
}
