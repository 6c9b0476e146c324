import Domain
import SQLite

/// A live row of the feed, found without any of the pull's rules.
package struct ShownRow: Sendable {
    package let type: String
    package let id: String
    package let rev: Int64
    package let document: [UInt8]

    /// All that an audience sees.
    package static func all(of audience: Audience, in connection: Connection) throws(DatabaseError) -> [ShownRow] {
        let statement = try connection.statement(
            """
            SELECT feed.type, feed.id, seq, \(FeedEntry.columns) FROM \(FeedEntry.join)
            WHERE audience = (SELECT number FROM audience WHERE name = ?) AND feed.entry IS NOT NULL
            """)
        defer { statement.reset() }
        try statement.bind(1, .text(audience.name))
        var rows: [ShownRow] = []
        while try statement.step() {
            rows.append(ShownRow(type: statement.text(0), id: statement.text(1), rev: statement.integer(2), document: try FeedEntry.document(statement, 3)))
        }
        return rows
    }
}
