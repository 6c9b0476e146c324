import SQLite
import Synchronization

/// When each device was seen last, how far its copy had come by the cursor that it showed, and what app it runs. Kept in
/// memory, and stored once a minute without a seq, so that reading writes nothing.
package final class Sightings: Sendable {
    package struct Sighting: Sendable, Equatable {
        package var at: Timestamp
        package var app: String?
        /// Everything up to here was in the copy; nil while it has shown no cursor.
        package var position: Int64?
        /// The newest seq in its audiences at that time.
        package var head: Int64?
    }

    private struct State {
        var known: [Identifier<Token>: Sighting] = [:]
        var changed: Set<Identifier<Token>> = []

        mutating func change(_ token: Identifier<Token>) -> Bool {
            defer { changed.insert(token) }
            return changed.isEmpty
        }
    }

    private let state = Mutex(State())

    package init() {}

    package func of(_ token: Identifier<Token>) -> Sighting? { state.withLock { $0.known[token] } }

    /// - Returns: whether nothing was waiting to be stored before.
    fileprivate func note(_ token: Identifier<Token>, at now: Timestamp) -> Bool {
        state.withLock { state in
            // Every request comes by here: within a second there is nothing new to say.
            if let known = state.known[token]?.at, known <= now, now.milliseconds - known.milliseconds < 1000 { return false }
            state.known[token, default: Sighting(at: now)].at = now
            return state.change(token)
        }
    }

    /// The same with a cursor.
    fileprivate func note(_ token: Identifier<Token>, _ sighting: Sighting) -> Bool {
        state.withLock { state in
            if var known = state.known[token], known.at <= sighting.at, sighting.at.milliseconds - known.at.milliseconds < 1000 {
                known.at = sighting.at
                if known == sighting { return false }
            }
            state.known[token] = sighting
            return state.change(token)
        }
    }

    func load(from connection: Connection) throws(DatabaseError) {
        let stored = try connection.all("SELECT token_id, seen_ms, app, position, head FROM sighting") { row in
            Identifier<Token>(row.text(0)).map { id in
                (
                    id,
                    Sighting(
                        at: Timestamp(milliseconds: row.integer(1)), app: row.optionalText(2), position: row.optionalInteger(3), head: row.optionalInteger(4))
                )
            }
        }
        state.withLock { state in
            for case let (id, sighting)? in stored { state.known[id] = sighting }
        }
    }

    /// How long a device that is not seen again is remembered.
    static let termDays: Int64 = 365

    static func forget(before time: Timestamp, in connection: Connection) throws(DatabaseError) {
        try connection.run("DELETE FROM sighting WHERE seen_ms < ?", [.integer(time.milliseconds)])
    }

    func forget(before time: Timestamp) {
        state.withLock { state in
            for (token, sighting) in state.known where sighting.at < time { state.known[token] = nil }
        }
    }

    /// Those that have changed since the last time.
    fileprivate func takeChanged() -> [(Identifier<Token>, Sighting)] {
        state.withLock { state in
            defer { state.changed.removeAll() }
            return state.changed.compactMap { id in state.known[id].map { (id, $0) } }
        }
    }

    fileprivate func giveBack(_ sightings: [(Identifier<Token>, Sighting)]) {
        state.withLock { state in state.changed.formUnion(sightings.map(\.0)) }
    }
}

extension Federation {
    /// A request with this token.
    package func note(_ token: Identifier<Token>, at now: Timestamp) {
        if sightings.note(token, at: now) { storeSightingsSoon() }
    }

    /// A pull with this cursor, while the newest seq in the token's audiences was `head`.
    package func note(_ token: Identifier<Token>, cursor: Cursor, head: Int64, app: String?) {
        let position = cursor.places.values.map(\.pos).min() ?? 0
        if sightings.note(token, .init(at: now(), app: app, position: position, head: head)) { storeSightingsSoon() }
    }

    private func storeSightingsSoon() {
        _ = alarm.set(.now.advanced(by: .seconds(60))) { [weak self] in self?.storeSightings() }
    }

    func storeSightings() {
        let changed = sightings.takeChanged()
        guard !changed.isEmpty else { return }
        write({ (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                for (id, sighting) in changed {
                    try tx.connection.run(
                        """
                        INSERT INTO sighting (token_id, seen_ms, app, position, head) VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT (token_id) DO UPDATE SET seen_ms = excluded.seen_ms, app = excluded.app, position = excluded.position, head = excluded.head
                        """,
                        [
                            id.value, .integer(sighting.at.milliseconds), sighting.app.map { .text($0) } ?? .null,
                            sighting.position.map { .integer($0) } ?? .null, sighting.head.map { .integer($0) } ?? .null,
                        ])
                }
            }
        }) { [weak self] result in
            guard case .failure = result, let self else { return }
            sightings.giveBack(changed)
            storeSightingsSoon()
        }
    }
}
