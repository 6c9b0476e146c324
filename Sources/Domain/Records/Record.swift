import JSON

/// The types that clients see, by the name they have in paths, in the feed and in the schema.
package enum RecordType: String, Sendable, CaseIterable {
    case coop, site, referent, theme, question, resource, prize, idea, mooc, module, activity, endorsement, adoption, facilitator, session, registration, answer
    case pairing, meeting, round, nomination, appointment
}

/// What every record carries, whatever its type.
package struct Meta: Sendable, Equatable {
    package var id = Identifier<Void>(high: 0, low: 0)
    /// The seq of the last change of the document; the number in its ETag.
    package var rev: Int64 = 0
    /// The seq of the last change of the record's own fields, which `If-Match` is compared with.
    package var ownRev: Int64 = 0
    package var created = Timestamp(milliseconds: 0)
    package var updated = Timestamp(milliseconds: 0)
}

/// An entity with a table and documents of its own. A type declares its fields once; parsing, SQL, documents, filters, CSV
/// and the contract's test read them from here.
package protocol Record: Sendable {
    static var type: RecordType { get }
    static var store: Store<Self> { get }
    static var fields: [Field<Self>] { get }
    init()
    var meta: Meta { get set }

    /// The text that `q` searches in, not yet folded; nil for types without search.
    var searchText: String? { get }
    /// The one place that says who sees what.
    var readers: [Reader] { get }

    /// What those hear who no longer see the record.
    var absence: Feed.Gone { get }
    /// The record that has taken this one's place by a merge, and the column that names it in types that can be merged.
    var replacement: Identifier<Self>? { get }
    static var replacementColumn: String? { get }

    /// The co-ops whose managers may write this record; none: the federation's alone.
    var owners: [Identifier<Coop>] { get }
    /// Who may do this at all, whoever owns the record.
    static func roles(for action: Action) -> Set<Role>
    /// The same of a caller, for types that take something from callers without a token.
    static func admits(_ caller: Caller, to action: Action) -> Bool
    /// The fields that a role may set; nil: all that clients may.
    static func fields(for role: Role) -> Set<String>?

    /// The session whose seats and queue a write of this record may touch.
    var queuedIn: Identifier<Session>? { get }

    /// Rules before the row is written: derives fields, checks what one field alone cannot tell.
    mutating func prepare(_ change: Change<Self>, in tx: Transaction) throws(DomainError)
    /// Rules after it: rows that hang on this one.
    func stored(_ change: Change<Self>, in tx: Transaction) throws(DomainError)
    /// What was scheduled for this record by `Due.set` is due.
    static func fallDue(_ id: Identifier<Self>, _ what: String, in tx: Transaction) throws(DomainError)
    /// Whether the rules after the write may change the record itself once more.
    static var settlesAfterwards: Bool { get }
    /// Why this record can't be deleted by this caller; nothing to do where it can.
    func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError)
    /// Rules after it is gone: what others tell of it.
    func removed(in tx: Transaction) throws(DomainError)
}

package enum Action: String, Sendable, Hashable { case create, change, delete, transition, merge }

/// A write as the rules see it.
package struct Change<R: Record>: Sendable {
    package let caller: Caller
    package let action: Action
    /// The record before; nil at creation.
    package let old: R?
    /// Names of the fields that the caller gave.
    package let given: Set<String>
    /// Brought about by the change of another record, or by the clock.
    package var isConsequence = false
}

/// Fields that a document leaves out. Made once, since every write asks for them.
package struct Redaction: Sendable {
    package let names: Set<String>
    /// For each field that documents show, in their order; empty where none is left out.
    let isHidden: [Bool]

    static let none = Redaction()

    private init() { (names, isHidden) = ([], []) }

    /// - Precondition: the type has fields of these names; a slip of the pen would show what it is to hide.
    init<R: Record>(_ names: Set<String>, of type: R.Type) {
        precondition(names.isSubset(of: R.fields.map(\.name)), "\(names) are not all fields of \(R.type)")
        self.names = names
        isHidden = R.shownFields.map { names.contains($0.name) }
    }
}

/// An audience that sees a record, and what its document leaves out.
package struct Reader: Sendable {
    package let audience: Audience
    package let hidden: Redaction

    package init(_ audience: Audience, hiding hidden: Redaction = .none) {
        self.audience = audience
        self.hidden = hidden
    }
}

extension Record {
    package var id: Identifier<Self> { Identifier(meta.id) }
    /// The fields that documents show.
    package static var shownFields: [Field<Self>] { fields.filter { $0.access != .hidden } }
    package var searchText: String? { nil }
    package var absence: Feed.Gone { .scope }
    package var replacement: Identifier<Self>? { nil }
    package static var replacementColumn: String? { nil }
    package var owners: [Identifier<Coop>] { [] }
    package var queuedIn: Identifier<Session>? { nil }
    package static func roles(for action: Action) -> Set<Role> { [.federationAdmin] }
    package static func admits(_ caller: Caller, to action: Action) -> Bool { caller.role.map { roles(for: action).contains($0) } ?? false }
    package static func fields(for role: Role) -> Set<String>? { nil }
    package static func fallDue(_ id: Identifier<Self>, _ what: String, in tx: Transaction) throws(DomainError) {}
    package static var settlesAfterwards: Bool { false }
    package mutating func prepare(_ change: Change<Self>, in tx: Transaction) throws(DomainError) {}
    package func stored(_ change: Change<Self>, in tx: Transaction) throws(DomainError) {}
    package func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError) {}
    package func removed(in tx: Transaction) throws(DomainError) {}
}

extension Array where Element: Record {
    /// The ids as a JSON list, for a problem that names records.
    var jsonIDs: String { "[" + map { "\"\($0.id)\"" }.joined(separator: ",") + "]" }
}
