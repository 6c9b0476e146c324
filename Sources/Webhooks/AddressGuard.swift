import Text

/// Keeps messages out of inner networks: what may be connected to, and which addresses may be saved at all.
///
/// Asked when a webhook is saved, where only what is written can be looked at, and again for each socket, when names have
/// become addresses: a name that leads elsewhere later gets nowhere.
package struct AddressGuard: Sendable {
    /// A network that is permitted all the same, at one port or at all.
    private struct Exception: Sendable {
        let network: Network
        let port: UInt16?

        func covers(_ port: UInt16) -> Bool { self.port.map { $0 == port } ?? true }
    }

    private let exceptions: [Exception]

    /// Nothing but public addresses, by https at port 443.
    package static let strict = AddressGuard(exceptions: [])

    private init(exceptions: [Exception]) { self.exceptions = exceptions }

    /// - Parameter text: networks and ports with a comma between: `10.1.0.0/16:8443,127.0.0.1/32:*,[fd00::]/8:443`.
    /// - Returns: nil for anything else.
    package init?(allowing text: String) {
        var exceptions: [Exception] = []
        for part in text.split(separator: ",") {
            let part = part.filter { $0 != " " }
            guard let colon = part.lastIndex(of: ":"), let network = Network(part[..<colon].filter { $0 != "[" && $0 != "]" }) else { return nil }
            let port = part[part.index(after: colon)...]
            guard port == "*" || UInt16(port).map({ $0 > 0 }) == true else { return nil }
            exceptions.append(Exception(network: network, port: UInt16(port)))
        }
        self.init(exceptions: exceptions)
    }

    // MARK: At connecting

    /// Whether a socket to this address may be opened.
    ///
    /// - Parameter isPlain: without TLS.
    package func permits(_ address: IPAddress, port: UInt16, isPlain: Bool) -> Bool {
        if exceptions.contains(where: { $0.covers(port) && $0.network.contains(address) }) { return true }
        return !isPlain && port == 443 && Self.isPublic(address)
    }

    /// Neither of the inside nor of any special purpose (IANA's registries for IPv4 and IPv6, RFC 6890).
    static func isPublic(_ address: IPAddress) -> Bool {
        if address.bytes.count == 16, !unicast.contains(where: { $0.contains(address) }) { return false }
        return !special.contains { $0.contains(address) }
    }

    /// Of IPv6, only this part is given out at all.
    private static let unicast = networks("2000::/3")

    private static let special = networks(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
        "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4",
        // Protocols of the IETF with Teredo, documentation, 6to4, an anycast sink, documentation.
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")

    private static func networks(_ texts: String...) -> [Network] { texts.compactMap { Network($0) } }

    // MARK: At saving

    /// Why an address can't be saved; nil where it can.
    package func refusal(of url: String) -> Bilingual? {
        let target: WebhookAddress
        do throws(WebhookAddress.Fault) { target = try WebhookAddress(url) } catch { return error.reason }
        let allowed = exceptions.filter { $0.covers(target.port) }
        if let address = target.literal {
            guard !permits(address, port: target.port, isPlain: target.isPlain) else { return nil }
            if !Self.isPublic(address) {
                return Bilingual(en: "leads into an inner or special network", fr: "mène dans un réseau interne ou spécial")
            }
        } else if exceptions.isEmpty, target.isInnerName {
            return Bilingual(en: "names a machine of an inner network", fr: "désigne une machine d'un réseau interne")
        } else if !allowed.isEmpty {
            // What the name stands for shows at connecting.
            return nil
        }
        if target.isPlain { return Bilingual(en: "must begin with https://", fr: "doit commencer par https://") }
        if target.port != 443 { return Bilingual(en: "must use port 443", fr: "doit utiliser le port 443") }
        return nil
    }
}
