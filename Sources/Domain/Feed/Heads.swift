import Synchronization

/// What the readers know of the feed without asking SQLite: each audience's number and head, as of the last commit.
///
/// A head is the seq of the audience's newest row, so while it stands still, nothing in the audience has changed.
package final class Heads: Sendable {
    package struct Entry: Sendable {
        package let number: Int64
        package var head: Int64
    }

    package struct Snapshot: Sendable {
        package fileprivate(set) var head: Int64 = 0
        /// Tombstones up to this seq may be gone.
        package fileprivate(set) var floor: Int64 = 0
        package fileprivate(set) var entries: [Audience: Entry] = [:]
        package fileprivate(set) var names: [Int64: Audience] = [:]
        /// The seq of each type's last change since the server began, and the head when it did.
        fileprivate var types: [RecordType: Int64] = [:]
        fileprivate var begin: Int64 = 0

        /// Of these audiences, those that something was ever published to.
        package func entries(of audiences: [Audience]) -> [Entry] { audiences.compactMap { entries[$0] } }

        /// A number a type that stands still for as long as its records do.
        func versions(of types: [RecordType]) -> [Int64] { types.map { self.types[$0] ?? begin } }
    }

    private let state = Mutex(Snapshot())

    package init() {}

    package var snapshot: Snapshot { state.withLock { $0 } }

    /// The audience's number; nil while nothing was ever published to it.
    package func number(of audience: Audience) -> Int64? { state.withLock { $0.entries[audience]?.number } }

    /// The newest seq of the history.
    package var head: Int64 { state.withLock { $0.head } }

    func raiseFloor(to floor: Int64) { state.withLock { $0.floor = max($0.floor, floor) } }

    func begin(at head: Int64) { state.withLock { $0.begin = head } }

    func advance(to head: Int64, _ changed: [Audience: Entry], of types: Set<RecordType> = []) {
        state.withLock { state in
            state.head = max(state.head, head)
            for type in types { state.types[type] = head }
            for (audience, entry) in changed {
                state.entries[audience] = entry
                state.names[entry.number] = audience
            }
        }
    }
}
