import CSQLite

/// What SQLite refused, by extended result code (sqlite.org/rescode.html); never holds a bound value.
package struct DatabaseError: Error, Sendable {
    package let code: Int32
    package let message: String
    package let sql: String?

    package init(code: Int32, message: String, sql: String?) {
        self.code = code
        self.message = message
        self.sql = sql
    }

    /// What the caller can do about it.
    package enum Kind: Sendable {
        /// A UNIQUE or PRIMARY KEY rule.
        case unique
        case foreignKey
        /// CHECK, NOT NULL or a STRICT type.
        case check
        /// No room or no permission to write: SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY.
        case storage
        case busy
        /// The query used up its step budget.
        case interrupted
        /// Not a database, or a damaged one.
        case corrupt
        case other
    }

    package var kind: Kind {
        switch code {
        case SQLITE_CONSTRAINT_UNIQUE_, SQLITE_CONSTRAINT_PRIMARYKEY_: return .unique
        case SQLITE_CONSTRAINT_FOREIGNKEY_: return .foreignKey
        default: break
        }
        switch code & 0xFF {
        case SQLITE_CONSTRAINT: return .check
        case SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY: return .storage
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy
        case SQLITE_INTERRUPT: return .interrupted
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .corrupt
        default: return .other
        }
    }
}

// Extended codes are macros of an expression, which Swift does not import (sqlite.org/rescode.html).
private let SQLITE_CONSTRAINT_FOREIGNKEY_ = SQLITE_CONSTRAINT | (3 << 8)
private let SQLITE_CONSTRAINT_PRIMARYKEY_ = SQLITE_CONSTRAINT | (6 << 8)
private let SQLITE_CONSTRAINT_UNIQUE_ = SQLITE_CONSTRAINT | (8 << 8)
