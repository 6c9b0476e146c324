import SQLite
import Text

extension Record {
    /// Refuses to write to a record whose place another has taken, if the caller may know that other.
    ///
    /// - Throws: `.conflict` (`idea.merged`, `coop.merged`) with `canonical_id`.
    func checkNotReplaced(for caller: Caller, in tx: Transaction) throws(DomainError) {
        guard let replacement, let canonical = try Self.store.find(replacement, in: tx.connection),
            canonical.isVisible(to: caller)
        else { return }
        throw .conflict(
            code: "\(Self.type.rawValue).merged",
            Bilingual(
                en: "This \(Self.type.rawValue) was merged into \(replacement); use that one.",
                fr: "Cet enregistrement a fusionné avec \(replacement) ; utilisez celui-ci."),
            members: [("canonical_id", "\"\(replacement)\"")])
    }
}

extension Federation {
    /// The record that has taken this one's place, as far as the caller sees it, and what a reader is told who asks for the
    /// former one all the same; nil for a record in its own place.
    package func replacement<R: Record>(of id: Identifier<R>, for caller: Caller) throws(DomainError) -> (id: Identifier<R>, rev: Int64)? {
        guard let column = R.replacementColumn else { return nil }
        let found = try read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                try connection.first("SELECT \(column), rev FROM \(R.type.rawValue) WHERE id = ?", [id.value]) { ($0.optionalText(0), $0.integer(1)) }
            }
        }
        guard let found, let target = found.0.flatMap({ Identifier<R>($0) }), try findDocument(of: target, for: caller) != nil else { return nil }
        return (target, found.1)
    }
}
