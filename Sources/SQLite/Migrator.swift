import CSQLite
import Crypto

/// One step of the schema, forward only.
package struct Migration: Sendable {
    /// `0001-registry`; names sort in the order in which they run.
    package let name: String
    /// May hold several statements, but no BEGIN or COMMIT: it runs in a transaction of its own.
    package let sql: String

    package init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }

    var digest: String {
        Crypto.sha256(sql.utf8).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

/// Brings a database's schema to the binary's. Each migration is one transaction together with its row in `migration`, so
/// that a process killed at any point leaves the schema before it or after it.
struct Migrator {
    private enum SQL {
        static let table = """
            CREATE TABLE IF NOT EXISTS migration (  -- what made this schema, in order; an edited file is known by its digest
                name       TEXT NOT NULL PRIMARY KEY,
                digest     TEXT NOT NULL,           -- SHA-256 of the file, hexadecimal
                applied_at TEXT NOT NULL            -- UTC
            ) STRICT, WITHOUT ROWID
            """
        static let exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'"
        static let applied = "SELECT name, digest FROM migration ORDER BY name"
        static let insert = "INSERT INTO migration (name, digest, applied_at) VALUES (:name, :digest, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))"
    }

    let connection: Connection
    let path: String

    /// - Returns: the names of the migrations that were applied now, in order.
    /// - Throws: `.newerSchema`, `.editedMigration` and `.missingMigration` before anything is changed; `.failedMigration`
    ///   with the migrations before it in place.
    func run(_ migrations: [Migration]) throws(OpenError) -> [String] {
        do {
            let missing = try missing(of: migrations)
            guard !missing.isEmpty else { return [] }
            // sqlite.org/lang_altertable.html#otheralter: a table can only be rebuilt with foreign keys off, and the
            // setting is ignored inside a transaction.
            try connection.script("PRAGMA foreign_keys = OFF")
            for migration in missing { try apply(migration) }
            try connection.script("PRAGMA foreign_keys = ON")
            return missing.map(\.name)
        } catch let error as OpenError {
            throw error
        } catch let error as DatabaseError {
            throw OpenError(error, path: path)
        } catch {
            throw .storage(path: path, detail: "\(error)")
        }
    }

    private func missing(of migrations: [Migration]) throws -> [Migration] {
        precondition(zip(migrations, migrations.dropFirst()).allSatisfy { $0.name < $1.name }, "migrations run in the order of their names")
        guard try connection.first(SQL.exists, [], { _ in true }) != nil else { return migrations }
        let applied = try connection.all(SQL.applied) { (name: $0.text(0), digest: $0.text(1)) }
        for (name, digest) in applied {
            guard let known = migrations.first(where: { $0.name == name }) else { throw OpenError.newerSchema(migration: name) }
            guard known.digest == digest else { throw OpenError.editedMigration(name) }
        }
        let missing = migrations.filter { migration in !applied.contains { $0.name == migration.name } }
        if let first = missing.first, let last = applied.last, first.name < last.name { throw OpenError.missingMigration(first.name) }
        return missing
    }

    private func apply(_ migration: Migration) throws(OpenError) {
        do throws(DatabaseError) {
            try connection.script("BEGIN IMMEDIATE")
            try connection.script(SQL.table)
            try connection.script(migration.sql)
            guard !connection.isAutocommit else {
                throw DatabaseError(code: SQLITE_MISUSE, message: "it ends its own transaction", sql: nil)
            }
            if let table = try connection.first("PRAGMA foreign_key_check", [], { $0.text(0) }) {
                throw DatabaseError(code: SQLITE_CONSTRAINT, message: "a row of \(table) refers to a row that is not there", sql: nil)
            }
            try connection.run(SQL.insert, [.text(migration.name), .text(migration.digest)])
            try connection.script("COMMIT")
        } catch {
            if !connection.isAutocommit { try? connection.script("ROLLBACK") }
            throw .failedMigration(migration.name, detail: error.message)
        }
    }
}
