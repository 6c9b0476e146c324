/// What a token lets its holder do.
package enum Role: String, Sendable, CaseIterable {
    case federationAdmin = "federation_admin"
    case federationReader = "federation_reader"
    case coopManager = "coop_manager"
    /// A referent's device.
    case referent

    package var belongsToCoop: Bool { self == .coopManager || self == .referent }
}

/// Who asks: the holder of a token, or anyone.
package struct Caller: Sendable {
    /// The token's id; nil without a token.
    package let token: Identifier<Token>?
    package let role: Role?
    package let coop: Identifier<Coop>?
    package let isHelper: Bool
    /// The mandate that a referent's device stands for, where the token names it.
    package let referent: Identifier<Referent>?
    /// The audiences whose documents the caller sees, most specific first.
    package let layers: [Audience]

    /// As the history names it: the role, `operator` or `clock`.
    package let actor: String
    /// At the machine itself, or the server's own doing: not bound to what clients may do.
    package var isOperator: Bool { token == nil && role == .federationAdmin }

    package static let anonymous = Caller(token: nil, role: nil, coop: nil)
    /// The operator at the machine itself: imports and the data that the server starts with.
    package static let operatorItself = Caller(token: nil, role: .federationAdmin, coop: nil, actor: "operator")
    /// The server itself, when the time for something has come.
    package static let clock = Caller(token: nil, role: .federationAdmin, coop: nil, actor: "clock")

    package init(
        token: Identifier<Token>?, role: Role?, coop: Identifier<Coop>?, isHelper: Bool = false, referent: Identifier<Referent>? = nil, actor: String? = nil
    ) {
        self.actor = actor ?? role?.rawValue ?? "public"
        self.token = token
        self.role = role
        self.coop = coop
        self.isHelper = isHelper
        self.referent = referent
        layers = switch (role, coop) {
        case (.federationAdmin, _): [.federation, .observer, .network]
        case (.federationReader, _): [.observer, .network]
        case (.coopManager, let coop?): [.office(coop), .desk(coop), .coop(coop), .network]
        case (.referent, let coop?): isHelper ? [.desk(coop), .coop(coop), .network] : [.coop(coop), .network]
        case (.coopManager, nil), (.referent, nil), (nil, _): [.public]
        }
    }
}
