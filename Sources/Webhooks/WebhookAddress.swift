import Text

/// A webhook's URL, read so strictly that libcurl, a browser and a person read the same: every part once, in its plain spelling.
package struct WebhookAddress: Sendable {
    struct Fault: Error {
        let reason: Bilingual
        init(en: String, fr: String) { reason = Bilingual(en: en, fr: fr) }
    }

    /// Without TLS.
    let isPlain: Bool
    let host: String
    let port: UInt16
    /// The host, where it is an address and no name.
    let literal: IPAddress?

    init(_ text: String) throws(Fault) {
        guard text.utf8.count <= 2000, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !Array("\"<>\\^`{|}#".utf8).contains($0) }) else {
            throw Fault(
                en: "must be at most 2000 plain ASCII characters without blanks or a fragment; write a name with accents as xn--",
                fr: "doit compter au plus 2000 caractères ASCII, sans espace ni fragment ; écrivez un nom accentué en xn--")
        }
        guard let scheme = text.firstRange(of: "://"), ["https", "http"].contains(text[..<scheme.lowerBound].lowercased()) else {
            throw Fault(en: "must begin with https://", fr: "doit commencer par https://")
        }
        isPlain = text[..<scheme.lowerBound].lowercased() == "http"
        let authority = text[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        if authority.contains("@") { throw Fault(en: "must not hold a user name or password", fr: "ne doit contenir ni nom d'utilisateur ni mot de passe") }
        let (host, port) = try Self.split(authority)
        self.port = try port.map(Self.number) ?? (isPlain ? 80 : 443)
        (self.host, literal) = host.hasPrefix("[") ? try Self.six(host) : try Self.name(host.lowercased())
    }

    private static func split(_ authority: Substring) throws(Fault) -> (host: Substring, port: Substring?) {
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]").map { authority.index(after: $0) } : authority.firstIndex(of: ":")
        guard let end, end < authority.endIndex else { return (authority, nil) }
        guard authority[end] == ":" else { throw odd }
        return (authority[..<end], authority[end...].dropFirst())
    }

    private static func number(_ text: Substring) throws(Fault) -> UInt16 {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !text.hasPrefix("0"), let port = UInt16(text) else {
            throw Fault(en: "has a port that is no number from 1 to 65535", fr: "a un port qui n'est pas un nombre de 1 à 65535")
        }
        return port
    }

    private static func six(_ text: Substring) throws(Fault) -> (String, IPAddress) {
        guard text.hasSuffix("]"), let address = IPAddress(text.dropFirst().dropLast()) else { throw odd }
        return (String(text), address)
    }

    private static func name(_ text: String) throws(Fault) -> (String, IPAddress?) {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let areNames = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        }
        guard areNames, text.utf8.count <= 253, let last = labels.last else { throw odd }
        // Resolvers take whatever ends in a number for an address, in many spellings; here there is one.
        let isNumber = last.utf8.allSatisfy { (0x30...0x39).contains($0) } || last.hasPrefix("0x")
        guard isNumber else { return (text, nil) }
        guard let address = IPAddress(text), address.bytes.count == 4 else { throw odd }
        return (text, address)
    }

    private static let odd = Fault(
        en: "has a host in an unusual spelling; write a name such as hooks.example.org", fr: "a un hôte écrit de façon inhabituelle ; écrivez un nom comme hooks.example.org")

    /// A name that means something inside a network only (RFC 6761, RFC 6762, RFC 8375 and what ICANN keeps for private use).
    var isInnerName: Bool {
        literal == nil && (!host.contains(".") || Self.inner.contains { host == $0.dropFirst() || host.hasSuffix($0) })
    }

    private static let inner = [".localhost", ".local", ".internal", ".home.arpa", ".localdomain", ".lan", ".intranet", ".corp", ".home", ".onion", ".test", ".invalid"]
}
