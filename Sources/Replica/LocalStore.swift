import Crypto
import JSON
import SQLite

/// The device's file: the server's documents as they were pulled, the outbox, and where the next pull goes on.
///
/// Used by one thread at a time; another process may have it open as well.
package final class LocalStore {
    let connection: Connection

    private static let schema = """
        -- The server's documents, exactly as pulled: what the device did itself lies over them, in the outbox.
        CREATE TABLE record (
            type  TEXT    NOT NULL,
            id    TEXT    NOT NULL,
            rev   INTEGER NOT NULL,
            layer TEXT    NOT NULL,
            doc   TEXT    NOT NULL,
            PRIMARY KEY (type, id)
        ) STRICT, WITHOUT ROWID;
        -- What was done on this device, in order.
        CREATE TABLE outbox (
            number     INTEGER PRIMARY KEY,
            mid        TEXT    NOT NULL UNIQUE,
            type       TEXT    NOT NULL,
            id         TEXT    NOT NULL,
            mutation   TEXT    NOT NULL,           -- JSON, sent byte for byte the same each time
            result     TEXT,                       -- the server's, once there is one
            checkpoint INTEGER,                    -- the seq from which a complete pull shows the effect
            lies_over  INTEGER NOT NULL DEFAULT 1, -- whether the copy is shown with this on top
            is_heard   INTEGER NOT NULL DEFAULT 0  -- whether the person knows what became of it
        ) STRICT;
        CREATE INDEX outbox_by_record ON outbox (type, id);
        CREATE TABLE place (
            one    INTEGER PRIMARY KEY CHECK (one = 1),
            epoch  TEXT    NOT NULL DEFAULT '',
            cursor TEXT,                           -- NULL: nothing was pulled yet
            seq    INTEGER NOT NULL DEFAULT 0,
            traces INTEGER NOT NULL DEFAULT 0       -- whether the file may still hold bytes of what was erased
        ) STRICT;
        INSERT INTO place (one) VALUES (1);
        PRAGMA user_version = 1;
        """
    /// Marks the file as a replica's: "vrep".
    private static let mark: Int64 = 0x7672_6570

    /// Opens the file, or makes it.
    package init(path: String) throws {
        connection = try Connection(path: path, mode: .readWrite)
        // Before anything is written: it may be somebody else's.
        let (mark, version, tables) = try Self.look(into: connection)
        guard tables == 0 || mark == Self.mark && version == 1 else {
            throw ReplicaError.foreignStore("\(path) is not a replica's file, or that of a newer version")
        }
        // An answer that was stored is on disk before the next request says so; what is deleted is overwritten.
        for pragma in ["journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"] { try connection.script("PRAGMA \(pragma)") }
        try transaction {
            // Another process may have been first.
            guard try Self.look(into: connection).tables == 0 else { return }
            try connection.script(Self.schema)
            try connection.script("PRAGMA application_id = \(Self.mark)")
        }
        try removeTraces()
    }

    private static func look(into connection: Connection) throws -> (mark: Int64, version: Int64, tables: Int64) {
        func number(_ sql: String) throws -> Int64 { try connection.first(sql) { $0.integer(0) } ?? 0 }
        return (try number("PRAGMA application_id"), try number("PRAGMA user_version"), try number("SELECT count(*) FROM sqlite_schema"))
    }

    /// Everything in `body` becomes true at once, or nothing.
    func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        try connection.script("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try connection.script("COMMIT")
            return result
        } catch {
            if !connection.isAutocommit { try connection.script("ROLLBACK") }
            throw error
        }
    }

    /// Forgets everything, as a revoked device has to.
    func wipe() throws {
        try transaction { try connection.script("DELETE FROM record; DELETE FROM outbox; UPDATE place SET epoch = '', cursor = NULL, seq = 0, traces = 1") }
        try removeTraces()
    }

    /// Writes the file anew where something was erased, and empties its log: deleted rows leave bytes in both.
    func removeTraces() throws {
        guard try connection.first("SELECT traces FROM place", [], { $0.integer(0) }) == 1 else { return }
        try connection.script("VACUUM; UPDATE place SET traces = 0; PRAGMA wal_checkpoint(TRUNCATE)")
    }

    // MARK: Where it stands

    struct Place: Equatable {
        var epoch: String
        var cursor: String?
        var seq: Int64
    }

    func place() throws -> Place {
        try connection.first("SELECT epoch, cursor, seq FROM place") { Place(epoch: $0.text(0), cursor: $0.optionalText(1), seq: $0.integer(2)) }
            ?? Place(epoch: "", cursor: nil, seq: 0)
    }

    /// - Parameter kept: the server was restored where the epoch is a new one; it has then lost nothing of what was acknowledged up to
    ///   this seq. The rest waits again: the mids make it safe to send what was not lost.
    func move(to place: Place, kept: Int64) throws {
        let former = try self.place()
        if !former.epoch.isEmpty, former.epoch != place.epoch { try reoffer(after: kept) }
        try connection.run("UPDATE place SET epoch = ?, cursor = ?, seq = ?", [.text(place.epoch), place.cursor.map { .text($0) } ?? .null, .integer(place.seq)])
    }

    /// What the file holds, in figures.
    package struct Status {
        package let counts: [(type: String, count: Int64)]
        package let seq: Int64
        package let waiting: Int
    }

    package func status() throws -> Status {
        Status(
            counts: try connection.all("SELECT type, count(*) FROM record GROUP BY type ORDER BY type") { ($0.text(0), $0.integer(1)) },
            seq: try place().seq, waiting: try waitingCount())
    }

    // MARK: The copy

    /// One line of an answer: a record as it is now, or none.
    func take(_ entry: Entry) throws {
        switch entry.what {
        case .put(let rev, let layer, let doc):
            try connection.run(
                """
                INSERT INTO record (type, id, rev, layer, doc) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (type, id) DO UPDATE SET rev = excluded.rev, layer = excluded.layer, doc = excluded.doc
                """, [.text(entry.type), .text(entry.id), .integer(rev), .text(layer), .text(doc)])
        case .remove(let reason):
            try connection.run("DELETE FROM record WHERE type = ? AND id = ?", [.text(entry.type), .text(entry.id)])
            if reason == "erased" { try forget(entry.type, entry.id) }
        }
    }

    /// Erased means every trace, also of what this device has written about it and not sent yet.
    func forget(_ type: String, _ id: String) throws {
        try connection.run("DELETE FROM outbox WHERE type = ? AND id = ?", [.text(type), .text(id)])
        try connection.run("UPDATE place SET traces = 1")
    }

    func record(_ type: String, _ id: String) throws -> (rev: Int64, doc: JSON)? {
        try connection.first("SELECT rev, doc FROM record WHERE type = ? AND id = ?", [.text(type), .text(id)]) { ($0.integer(0), $0.text(1)) }
            .map { ($0, try JSON.parse(Array($1.utf8))) }
    }

    func ids(of type: String) throws -> [String] {
        try connection.all("SELECT id FROM record WHERE type = ? ORDER BY id", [.text(type)]) { $0.text(0) }
    }

    /// Type, id and version of everything held.
    func holdings() throws -> [Holding] {
        try connection.all("SELECT type, id, rev, layer FROM record") { Holding(type: $0.text(0), id: $0.text(1), version: "\($0.integer(2)).\($0.text(3))") }
    }
}

/// A record of the copy, as digest and repair name it.
struct Holding {
    let type: String
    let id: String
    /// `rev.layer`
    let version: String

    /// The first hex digit of SHA-256(type, NUL, id).
    var bucket: UInt8 { Crypto.sha256(Array(type.utf8) + [0] + Array(id.utf8))[0] >> 4 }

    /// The first 8 bytes of SHA-256(type, NUL, id, NUL, version).
    var mark: UInt64 {
        Crypto.sha256(Array(type.utf8) + [0] + Array(id.utf8) + [0] + Array(version.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
