import Synchronization

/// Cursors that were found genuine: a device that has everything shows the same one until something happens.
final class KnownCursors: Sendable {
    private struct Key: Hashable {
        let text: String
        let holder: Identifier<Token>?
    }

    /// As many devices as may wait at a time, and some; where there are more, everything is forgotten.
    private static let limit = 8192

    private let known = Mutex<[Key: Cursor]>([:])

    func find(_ text: String, of holder: Identifier<Token>?) -> Cursor? { known.withLock { $0[Key(text: text, holder: holder)] } }

    func keep(_ cursor: Cursor, _ text: String, of holder: Identifier<Token>?) {
        guard text.utf8.count <= 512 else { return }
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[Key(text: text, holder: holder)] = cursor
        }
    }
}
