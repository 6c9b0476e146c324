import SQLite

/// A type whose records are about a person, who may ask to be forgotten.
package protocol Erasable: Record {
    var isErased: Bool { get }
    /// Takes everything away that tells who the person is. Whoever has seen the person must see the record no more, and
    /// `absence` must be `.erased` from now on, so that devices wipe it.
    mutating func erase(at now: Timestamp)
    /// The same for what hangs on the record.
    func erased(by caller: Caller, in tx: Transaction) throws(DomainError)
}

extension Erasable {
    package func erased(by caller: Caller, in tx: Transaction) throws(DomainError) {}
}

extension RecordType {
    package var erasable: (any Erasable.Type)? { record as? any Erasable.Type }
}
