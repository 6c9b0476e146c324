import SQLite
import Synchronization

/// Writes down what the writer tells its observer.
package final class RecordingObserver: TransactionObserver {
    private let told = Mutex<[String]>([])
    private let failure = Mutex<DatabaseError?>(nil)

    package init() {}

    package var events: [String] { told.withLock { $0 } }
    package func forget() { told.withLock { $0.removeAll() } }
    /// Lets the next transaction fail as it is about to commit.
    package func failNextCommit(with error: DatabaseError) { failure.withLock { $0 = error } }

    package func began(_ connection: Connection) { note("began") }
    package func closureBegan(_ connection: Connection) { note("closure") }
    package func closureTakenBack(_ connection: Connection) { note("closure taken back") }
    package func committed() { note("committed") }
    package func rolledBack() { note("rolled back") }
    package func rests() { note("rests") }

    package func willCommit(_ connection: Connection) throws(DatabaseError) {
        note("will commit")
        let error = failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
        if let error { throw error }
    }

    private func note(_ event: String) { told.withLock { $0.append(event) } }
}

/// A database of one table, `item (name, size)`, in a folder of its own. Closed and removed with the object.
package final class TestDatabase: Sendable {
    package static let migration = Migration(
        name: "0001-item",
        sql: """
            CREATE TABLE item (name TEXT NOT NULL PRIMARY KEY, size INTEGER CHECK (size >= 0), data BLOB) STRICT;
            CREATE TABLE part (item TEXT NOT NULL REFERENCES item (name)) STRICT;
            """)

    package let directory: TestFolder
    package let database: Database
    package let observer: RecordingObserver
    package var path: String { database.path }

    package init(
        in directory: TestFolder = TestFolder(), migrations: [Migration] = [migration], configure: (inout Database.Settings) -> Void = { _ in }
    ) throws(OpenError) {
        var settings = Database.Settings()
        settings.cacheKiB = 2048
        settings.readerCacheKiB = 1024
        configure(&settings)
        observer = RecordingObserver()
        self.directory = directory
        database = try Database(path: directory.file("test.db"), settings: settings, migrations: migrations, observer: observer)
    }

    deinit { database.close() }

    package func add(_ name: String, size: Int64 = 0) throws {
        try database.writer.perform { try $0.run("INSERT INTO item (name, size) VALUES (?, ?)", [.text(name), .integer(size)]) }
    }

    /// The names of the items, in order, as a reader sees them.
    package func names() throws -> [String] { try database.read { try $0.all("SELECT name FROM item ORDER BY name") { $0.text(0) } } }
}
