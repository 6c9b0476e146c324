/// A group of readers that see the same document of a record (design: Audiences).
package enum Audience: Hashable, Sendable {
    case `public`, network, observer, federation
    case coop(Identifier<Coop>), desk(Identifier<Coop>), office(Identifier<Coop>)

    /// As stored: `network`, `coop:0197…`.
    package var name: String {
        switch self {
        case .public: "public"
        case .network: "network"
        case .observer: "observer"
        case .federation: "federation"
        case .coop(let id): "coop:\(id)"
        case .desk(let id): "desk:\(id)"
        case .office(let id): "office:\(id)"
        }
    }

    package init?(name: String) {
        let parts = name.split(separator: ":", maxSplits: 1)
        switch (parts.first, parts.count == 2 ? Identifier<Coop>(parts[1]) : nil) {
        case ("public", nil): self = .public
        case ("network", nil): self = .network
        case ("observer", nil): self = .observer
        case ("federation", nil): self = .federation
        case ("coop", let id?): self = .coop(id)
        case ("desk", let id?): self = .desk(id)
        case ("office", let id?): self = .office(id)
        default: return nil
        }
    }

    /// The layer's letter in ETags and pages.
    package var letter: UInt8 {
        switch self {
        case .public: UInt8(ascii: "p")
        case .network: UInt8(ascii: "n")
        case .observer: UInt8(ascii: "b")
        case .federation: UInt8(ascii: "f")
        case .coop: UInt8(ascii: "c")
        case .desk: UInt8(ascii: "d")
        case .office: UInt8(ascii: "o")
        }
    }

    /// By half of the id, which differs enough: audiences are looked up many times for each answer and each write.
    package func hash(into hasher: inout Hasher) {
        switch self {
        case .public, .network, .observer, .federation: hasher.combine(UInt64(letter))
        case .coop(let id), .desk(let id), .office(let id): hasher.combine(id.low ^ UInt64(letter))
        }
    }

    package static let letters = Set("pnbfcdo".utf8)
}
