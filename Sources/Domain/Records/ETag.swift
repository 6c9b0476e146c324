/// A record's version as a client holds it: `"4190.n"`, the rev and the letter of the layer whose document it has.
package struct ETag: Hashable, Sendable {
    package let rev: Int64
    package let layer: UInt8

    package init(rev: Int64, layer: UInt8) {
        self.rev = rev
        self.layer = layer
    }

    /// Reads the part between the quotes.
    package init?(opaque text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let rev = Int64(parts[0]), rev > 0, String(rev) == parts[0],
            let layer = parts[1].utf8.first, parts[1].utf8.count == 1, Audience.letters.contains(layer)
        else { return nil }
        self.init(rev: rev, layer: layer)
    }

    package var text: String { "\"\(rev).\(Unicode.Scalar(layer))\"" }
}

/// What `If-Match` asks of a record before it is changed.
package enum Expectation: Sendable {
    /// The header is missing.
    case none
    /// `*`: any version.
    case any
    /// One of these. Tags that this server never made stand for nothing.
    case oneOf([ETag])

    /// A tag holds when the record's own fields did not change since: a derived count does not make an edit stale.
    func check(_ meta: Meta, seenAs layer: Audience) throws(DomainError) {
        switch self {
        case .none: throw .preconditionRequired
        case .any: return
        case .oneOf(let tags):
            guard tags.contains(where: { $0.rev >= meta.ownRev && $0.rev <= meta.rev }) else {
                throw .stale(etag: ETag(rev: meta.rev, layer: layer.letter).text)
            }
        }
    }
}
