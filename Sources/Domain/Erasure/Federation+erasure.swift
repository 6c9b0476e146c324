import SQLite
import Synchronization

extension Federation {
    // MARK: Erasing

    /// - Throws: `.notFound`, and `.invalid` (`erasure.type`) for a type that is about no person.
    package func erase(_ type: RecordType, _ id: Identifier<Void>, by caller: Caller) throws(DomainError) -> Erasure {
        guard let erasable = type.erasable else {
            throw .invalid([
                Fault(
                    "#/type", "erasure.type", en: "is about no person; erasable are \(Self.erasableTypes)",
                    fr: "ne concerne personne ; effaçables sont \(Self.erasableTypes)")
            ])
        }
        return try erase(erasable, id, by: caller)
    }

    package static var erasableTypes: String { RecordType.allCases.filter { $0.erasable != nil }.map(\.rawValue).joined(separator: ", ") }

    private func erase<R: Erasable>(_ type: R.Type, _ id: Identifier<Void>, by caller: Caller) throws(DomainError) -> Erasure {
        try perform { (tx) throws(DomainError) in try Erasure.perform(Identifier<R>(id), by: caller, in: tx) }
    }

    // MARK: What is left of it

    /// An erasure, and the devices that have shown a cursor for what it was about.
    package struct ErasureProgress: Sendable {
        package let erasure: Erasure
        package let devices: [(token: Token, hasWiped: Bool)]
    }

    /// - Throws: `.notFound` for what was not erased, and for a manager whose co-op's it was not.
    package func erasure(_ id: Identifier<Void>, for caller: Caller) throws(DomainError) -> ErasureProgress {
        let (erasure, audiences) = try read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                (
                    try ErasureTable.find(id.text, in: connection),
                    try connection.all(
                        "SELECT name FROM feed JOIN audience ON number = audience WHERE id = ? AND entry IS NULL AND gone = 'erased'", [id.value]
                    ) { Audience(name: $0.text(0)) }
                )
            }
        }
        let shown = Set(audiences.compactMap { $0 })
        guard let erasure else { throw .notFound(type: "erasure") }
        if caller.role != .federationAdmin {
            guard caller.role == .coopManager, let coop = caller.coop, shown.contains(.coop(coop)) || shown.contains(.office(coop)) else { throw .notFound(type: "erasure") }
        }
        let devices = tokens.all().filter { token in
            (caller.role == .federationAdmin || token.coop == caller.coop) && token.revoked == nil && token.caller.layers.contains(where: shown.contains)
        }
        return ErasureProgress(
            erasure: erasure,
            devices: devices.compactMap { token in sightings.of(token.id)?.position.map { (token, $0 >= erasure.seq) } })
    }

    // MARK: The last bytes

    /// Called on the writer's thread after the commit, before anybody is answered.
    func erased(_ lines: [ErasureLedger.Line]) {
        // A ledger that can't be written is made up for at the next start, from the table.
        try? ledger.add(lines)
        purge()
    }

    /// What the ledger has and the database has not, which is older: erased again. What the ledger has not: noted there.
    func reconcileErasures() throws(OpenError) {
        let lines = try ledger.all()
        let stored: [Erasure]
        do throws(DomainError) {
            stored = try read { (connection) throws(DomainError) in try storing { () throws(DatabaseError) in try ErasureTable.all(in: connection) } }
            let known = Set(stored.map(\.line))
            for line in lines where !known.contains(line) {
                do throws(DomainError) {
                    _ = try erase(line.type, line.id, by: .clock)
                } catch {
                    // Not in this database, which is older than the record: noted all the same, so that nobody brings it again.
                    guard case .notFound = error else { throw error }
                    try perform { (tx) throws(DomainError) in
                        let erasure = Erasure(id: line.id, type: line.type, seq: tx.lastSeq, at: tx.now, purged: nil)
                        try storing { () throws(DatabaseError) in try ErasureTable.insert(erasure, in: tx.connection) }
                    }
                }
            }
        } catch { throw .storage(path: database.path, detail: "\(error)") }
        try ledger.add(stored.map(\.line))
        if stored.contains(where: { $0.purged == nil }) { purge() }
    }

    /// Has the writer write the file anew and empty its log, once for all erasures that are waiting.
    private func purge() {
        guard !isPurging.exchange(true, ordering: .acquiringAndReleasing) else { return }
        do {
            try database.writer.submit(as: .alone, { [self] in try purge($0) }) { [self] result in
                guard case .success(true) = result else {
                    // A reader in the way, or no room for now.
                    _ = alarm.set(.now.advanced(by: .seconds(1))) { [weak self] in
                        self?.isPurging.store(false, ordering: .releasing)
                        self?.purge()
                    }
                    return
                }
            }
        } catch { isPurging.store(false, ordering: .releasing) }
    }

    /// - Returns: false where it has to be tried again.
    private func purge(_ connection: Connection) throws -> Bool {
        // Erasures that come later ask again.
        isPurging.store(false, ordering: .releasing)
        try takeAwayTokens(connection)
        guard let seq = try ErasureTable.newestUnpurged(in: connection) else { return true }
        // A reader may keep the log for long: the file needs to be written only once for that.
        let isEmptied: Bool
        if vacuumed.load(ordering: .relaxed) < seq {
            isEmptied = try connection.vacuum()
            vacuumed.store(seq, ordering: .relaxed)
        } else {
            isEmptied = connection.emptyWAL()
        }
        guard isEmptied else {
            isPurging.store(true, ordering: .releasing)
            return false
        }
        try ErasureTable.purged(upTo: seq, at: now(), in: connection)
        return true
    }

    /// The same, waited for.
    func purgeNow() throws {
        while try !database.writer.perform(as: .alone, { [self] in try purge($0) }) {}
    }

    /// Devices of people who were erased are shut out.
    private func takeAwayTokens(_ connection: Connection) throws(DatabaseError) {
        let before = tokens.all().filter { $0.revoked == nil }.map(\.id)
        try tokens.load(from: connection)
        for id in before where !tokens.isGood(id, at: now()) { waiters.announce(id) }
    }
}
