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
    }

    private let state = Mutex(State())

    package init() {}

    package func of(_ token: Identifier<Token>) -> Sighting? { state.withLock { $0.known[token] } }

    package func note(_ token: Identifier<Token>, at now: Timestamp) {
        state.withLock { state in
            // Every request comes by here: within a second there is nothing new to say.
            if let known = state.known[token]?.at, now.milliseconds - known.milliseconds < 1000, known <= now { return }
            state.known[token, default: Sighting(at: now)].at = now
            state.changed.insert(token)
        }
    }

    /// A pull.
    package func note(_ token: Identifier<Token>, at now: Timestamp, cursor: Cursor, head: Int64, app: String?) {
        let position = cursor.places.values.map(\.pos).min() ?? 0
        state.withLock { state in
            if let known = state.known[token], known.position == position, known.head == head, known.app == app, now.milliseconds - known.at.milliseconds < 1000 { return }
            state.known[token] = Sighting(at: now, app: app, position: position, head: head)
            state.changed.insert(token)
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
    private static let flushSeconds = 60

    /// Stores what has changed, now and every minute.
    func flushSightings() {
        storeSightings { [weak self] in
            guard let self else { return }
            _ = alarm.set(.now.advanced(by: .seconds(Self.flushSeconds))) { [weak self] in self?.flushSightings() }
        }
    }

    func storeSightings(then next: @escaping @Sendable () -> Void) {
        let changed = sightings.takeChanged()
        guard !changed.isEmpty else { return next() }
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
            if case .failure = result { self?.sightings.giveBack(changed) }
            next()
        }
    }
}
