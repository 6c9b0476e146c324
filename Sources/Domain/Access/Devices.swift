import SQLite

/// A referent's device, as its co-op's manager sees it.
package struct Device: Sendable {
    package let token: Token
    package let seen: Sightings.Sighting?
    /// How many seqs its copy is behind the newest of what it may see; nil while it has shown no cursor.
    package let behind: Int64?
}

extension Federation {
    /// - Parameter coop: only this co-op's; a manager gets the own co-op's anyway.
    /// - Returns: in the order of their ids, which is that of their creation.
    /// - Throws: `.forbidden` for who manages no devices.
    package func devices(of coop: Identifier<Coop>?, for caller: Caller) throws(DomainError) -> [Device] {
        try Self.checkManagesDevices(caller)
        let heads = heads.snapshot
        return tokens.all().filter { token in
            token.role == .referent && (coop == nil || token.coop == coop) && (caller.role == .federationAdmin || token.coop == caller.coop)
        }.sorted { $0.id.text < $1.id.text }.map { token in
            let seen = sightings.of(token.id)
            let newest = token.caller.layers.compactMap { heads.entries[$0]?.head }.max() ?? 0
            return Device(token: token, seen: seen, behind: seen?.position.map { max(0, newest - $0) })
        }
    }

    /// Effective at once: waiting requests are woken, and the device is told to wipe its copy.
    ///
    /// - Throws: `.notFound` for what the caller's list of devices does not hold.
    package func revokeDevice(_ id: Identifier<Token>, by caller: Caller) throws(DomainError) {
        guard try devices(of: nil, for: caller).contains(where: { $0.token.id == id }) else { throw .notFound(type: "device") }
        _ = try revokeToken(id)
    }

    static func checkManagesDevices(_ caller: Caller) throws(DomainError) {
        guard caller.role == .federationAdmin || caller.role == .coopManager else { throw .scopeMissing }
    }
}
