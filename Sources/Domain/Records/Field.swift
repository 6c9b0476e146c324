import JSON
import SQLite
import Text

/// One field of a record: the same name in JSON, in its column and in CSV.
///
/// A class, because a copy of so many closures costs more than most of them do.
package final class Field<R: Sendable>: Sendable {
    /// Who sets the field, and when.
    package enum Access: Sendable {
        /// The client, at creation and afterwards.
        case client
        /// The client at creation only.
        case creation
        /// Rules and transitions only; an import of the federation's own data may bring it along.
        case server
        /// Rules only: a column that says who sees the record, and that no document shows.
        case hidden
    }

    package let name: String
    /// The name as a member's in JSON.
    let key: [UInt8]
    package let access: Access
    package let isRequired: Bool
    package let isNullable: Bool
    package let cell: Cell
    /// The type of the record, or of each record of the list, that the field names.
    package let target: RecordType?
    /// Checks a value and gives what sets it; nil when it will not do.
    package let parse: @Sendable (JSON, _ pointer: String, inout Faults) -> Assignment<R>?
    package let column: @Sendable (R) -> Value
    let bind: @Sendable (R, Statement, Int) throws(DatabaseError) -> Void
    package let load: @Sendable (inout R, Statement, Int) throws(DatabaseError) -> Void
    package let write: @Sendable (R, inout JSONWriter) -> Void
    package let isEqual: @Sendable (R, R) -> Bool
    /// Sets the field of the second to what it is in the first.
    package let copy: @Sendable (R, inout R) -> Void

    package init<Value: Sendable & Equatable>(
        _ name: String, _ path: WritableKeyPath<R, Value> & Sendable, _ codec: Codec<Value>, _ access: Access = .client, required: Bool = false
    ) {
        self.name = name
        key = Array("\"\(name)\":".utf8)
        self.access = access
        isRequired = required
        isNullable = codec.isNullable
        cell = codec.cell
        target = codec.target
        let place = Place(path)
        parse = { json, pointer, faults in
            codec.parse(json, pointer, &faults).map { value in Assignment(field: name) { place.set(value, in: &$0) } }
        }
        column = { codec.column(place.value(in: $0)) }
        bind = { (record, statement, index) throws(DatabaseError) in try codec.bind(place.value(in: record), statement, index) }
        load = { (record, statement, column) throws(DatabaseError) in place.set(try codec.load(statement, column), in: &record) }
        write = { codec.write(place.value(in: $0), &$1) }
        isEqual = { place.value(in: $0) == place.value(in: $1) }
        copy = { place.set(place.value(in: $0), in: &$1) }
    }
}

/// Where a field lies in a record. A stored property is reached by its offset: each use of a key path looks up the types on its way,
/// which for the hundred fields of a write adds up to a tenth of it.
private struct Place<R, Value>: Sendable {
    private let path: WritableKeyPath<R, Value> & Sendable
    /// Nil for a computed property.
    private let offset: Int?

    init(_ path: WritableKeyPath<R, Value> & Sendable) { (self.path, offset) = (path, MemoryLayout<R>.offset(of: path)) }

    @inline(__always)
    func value(in record: R) -> Value {
        guard let offset else { return record[keyPath: path] }
        return withUnsafePointer(to: record) { (UnsafeRawPointer($0) + offset).assumingMemoryBound(to: Value.self).pointee }
    }

    @inline(__always)
    func set(_ value: Value, in record: inout R) {
        guard let offset else { return record[keyPath: path] = value }
        withUnsafeMutablePointer(to: &record) { (UnsafeMutableRawPointer($0) + offset).assumingMemoryBound(to: Value.self).pointee = value }
    }
}

/// A checked value on its way into a record.
package struct Assignment<R: Sendable>: Sendable {
    package let field: String
    package let apply: @Sendable (inout R) -> Void
}
