import SQLite

/// What happened to each record: who, when, which step, which fields by name. Written in the transaction of the change.
package enum History {
    package struct Entry: Sendable, Equatable {
        package let rev: Int64
        package let at: Timestamp
        /// A role, `operator` or `clock`.
        package let actor: String
        package let coop: Identifier<Coop>?
        /// The token's label: which device; nil where it has none, or where the reader is not of the same co-op.
        package let label: String?
        package let action: Action
        package let from: String?
        package let to: String?
        package let fields: [String]
    }

    private enum SQL {
        static let insert = """
            INSERT INTO history (type, id, seq, at_ms, actor, coop_id, token_id, action, from_status, to_status, fields)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        static let page = """
            SELECT seq, at_ms, actor, history.coop_id, label, action, from_status, to_status, fields
            FROM history LEFT JOIN token ON token.id = token_id
            WHERE type = ? AND history.id = ? AND seq > ? ORDER BY seq LIMIT ?
            """
    }

    static func note<R: Record>(_ change: Change<R>, rev: Int64, of record: R, in tx: Transaction) throws(DatabaseError) {
        var from = Value.null
        var to = Value.null
        if let index = R.store.statusIndex, change.action != .delete {
            let status = R.fields[index]
            if change.old.map({ !status.isEqual($0, record) }) ?? true {
                from = change.old.map { status.column($0) } ?? .null
                to = status.column(record)
            }
        }
        var fields = ""
        if let old = change.old, change.action != .delete {
            for field in R.fields where field.access != .hidden && !field.isEqual(old, record) { fields += (fields.isEmpty ? "" : ",") + field.name }
        }
        let caller = change.caller
        try tx.update(SQL.insert, expecting: 1) { (statement) throws(DatabaseError) in
            try statement.bind(1, .text(R.type.rawValue))
            try statement.bind(2, record.meta.id)
            try statement.bind(3, .integer(rev))
            try statement.bind(4, .integer(tx.now.milliseconds))
            try statement.bind(5, .text(caller.actor))
            try statement.bind(6, caller.coop)
            try statement.bind(7, caller.token)
            try statement.bind(8, .text(change.action.rawValue))
            try statement.bind(9, from)
            try statement.bind(10, to)
            try statement.bind(11, .text(fields))
        }
        try Outbox.note(change, rev: rev, of: record, from: from, to: to, in: tx)
    }

    /// What happened to a record after `rev`, in that order, as its co-ops' managers and the federation may read it.
    ///
    /// - Parameter shown: the fields that the caller's document has; the others are not named either.
    package static func page<R: Record>(
        of id: Identifier<R>, after rev: Int64, limit: Int, shown: Set<String>, for caller: Caller, in connection: Connection
    ) throws(DatabaseError) -> [Entry] {
        try connection.all(SQL.page, [.text(R.type.rawValue), id.value, .integer(rev), .integer(Int64(limit))]) { row in
            let coop = row.optionalText(3).flatMap { Identifier<Coop>($0) }
            let mayKnowDevice = caller.role == .federationAdmin || (coop != nil && coop == caller.coop)
            return Entry(
                rev: row.integer(0), at: Timestamp(milliseconds: row.integer(1)), actor: row.text(2), coop: coop,
                label: mayKnowDevice ? row.optionalText(4) : nil, action: Action(rawValue: row.text(5)) ?? .change, from: row.optionalText(6),
                to: row.optionalText(7), fields: row.text(8).split(separator: ",").map(String.init).filter(shown.contains))
        }
    }
}

extension Federation {
    /// - Throws: `.notFound` where the caller does not see the record, `.forbidden` where it sees another's.
    package func history<R: Record>(of id: Identifier<R>, after rev: Int64, limit: Int, for caller: Caller) throws(DomainError) -> [History.Entry] {
        _ = try document(of: id, for: caller)
        return try read { (connection) throws(DomainError) in
            let record = try R.store.require(id, in: connection)
            guard caller.role == .federationAdmin || caller.role == .coopManager else { throw .scopeMissing }
            if caller.role == .coopManager {
                guard let coop = caller.coop, record.owners.contains(coop) else { throw .scopeNotYours }
            }
            let layer = caller.layers.first { layer in record.readers.contains { $0.audience == layer } }
            let hidden = record.readers.first { $0.audience == layer }?.hidden.names ?? []
            let shown = Set(R.shownFields.map { $0.name }).subtracting(hidden)
            return try storing { () throws(DatabaseError) in
                try History.page(of: id, after: rev, limit: limit, shown: shown, for: caller, in: connection)
            }
        }
    }
}
