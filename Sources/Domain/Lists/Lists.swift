/// The federation's lists: rows that it edits, which anyone may read.

/// What a co-op does: `rental`, `syndic`.
package struct Activity: Record {
    package static let type = RecordType.activity
    package static let store = Store<Activity>()
    package var meta = Meta()
    package var slug = ""
    package var title = ""
    package init() {}

    package static let fields: [Field<Activity>] = [
        Field("slug", \.slug, .activity, required: true),
        Field("title", \.title, .line(1...200), required: true),
    ]
    package var readers: [Reader] { Reader.everyone }
}

/// What ideas are about.
package struct Theme: Record {
    package enum Side: String, Sendable, CaseIterable { case interne, externe }

    package static let type = RecordType.theme
    package static let store = Store<Theme>()
    package var meta = Meta()
    package var slug = ""
    package var title = ""
    package var question: String?
    /// Whom it addresses: the teams, or the world outside.
    package var audience: Side?
    package var order = 0
    package init() {}

    package static let fields: [Field<Theme>] = [
        Field("slug", \.slug, .slug, required: true),
        Field("title", \.title, .line(1...200), required: true),
        Field("question", \.question, .optional(.line(1...500))),
        Field("audience", \.audience, .optional(.choice)),
        Field("order", \.order, .integer(0...10_000)),
    ]
    package var readers: [Reader] { Reader.everyone }
}

/// What a theme asks the co-ops.
package struct Question: Record {
    package static let type = RecordType.question
    package static let store = Store<Question>()
    package var meta = Meta()
    package var slug = ""
    package var question = ""
    package var themeID = Identifier<Theme>(high: 0, low: 0)
    package var order = 0
    package init() {}

    package static let fields: [Field<Question>] = [
        Field("slug", \.slug, .slug, required: true),
        Field("question", \.question, .line(1...500), required: true),
        Field("theme_id", \.themeID, .reference(), required: true),
        Field("order", \.order, .integer(0...10_000)),
    ]
    package var readers: [Reader] { Reader.everyone }
}

/// What the federation offers to help with an idea.
package struct Resource: Record {
    package enum Kind: String, Sendable, CaseIterable {
        case guide, network, game, training, page, material, support, approach, examples, text
    }
    /// How sure it is that the address is the resource's.
    package enum Match: String, Sendable, CaseIterable { case certain, deduced, unknown }

    package static let type = RecordType.resource
    package static let store = Store<Resource>()
    package var meta = Meta()
    package var slug = ""
    package var title = ""
    package var kind = Kind.page
    package var url: String?
    package var urlMatch = Match.unknown
    package var urlCheckedOn: Day?
    package var urlOK: Bool?
    package init() {}

    package static let fields: [Field<Resource>] = [
        Field("slug", \.slug, .slug, required: true),
        Field("title", \.title, .line(1...200), required: true),
        Field("kind", \.kind, .choice, required: true),
        Field("url", \.url, .optional(.webAddress)),
        Field("url_match", \.urlMatch, .choice),
        Field("url_checked_on", \.urlCheckedOn, .optional(.day)),
        Field("url_ok", \.urlOK, .optional(.flag)),
    ]
    package var readers: [Reader] { Reader.everyone }
}

/// What the workshop's jury gave to an idea.
package struct Prize: Record {
    package static let type = RecordType.prize
    package static let store = Store<Prize>()
    package var meta = Meta()
    package var slug = ""
    /// Ideas that were united keep the titles of both.
    package var titles: [String] = []
    package var tagline: String?
    package var themeID: Identifier<Theme>?
    package init() {}

    package static let fields: [Field<Prize>] = [
        Field("slug", \.slug, .slug, required: true),
        Field("titles", \.titles, .list(of: .line(1...200), upTo: 10), required: true),
        Field("tagline", \.tagline, .optional(.line(1...500))),
        Field("theme_id", \.themeID, .optional(.reference())),
    ]
    package var readers: [Reader] { Reader.everyone }
}

extension Reader {
    static let everyone = [Reader(.network), Reader(.public)]
}
