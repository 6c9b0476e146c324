import SQLite

/// NULL rows are dropped when they are so old that a device that has not heard of them has to repair its store anyway.
enum Tombstones {
    /// Keeps the head of each day, and drops what lies at or below the head of the day that is `days` ago.
    static func drop(olderThan days: Int, in tx: Transaction) throws(DatabaseError) {
        let today = tx.now.day
        try tx.connection.run(
            "INSERT INTO feed_day (day, seq) SELECT ?, seq FROM history_head WHERE true ON CONFLICT (day) DO UPDATE SET seq = excluded.seq", [.text(today.text)])
        let limit = Day(daysSince1970: today.daysSince1970 - Int64(days)).text
        guard let floor = try tx.connection.first("SELECT max(seq) FROM feed_day WHERE day <= ?", [.text(limit)], { $0.optionalInteger(0) }) ?? nil else { return }
        try drop(upTo: floor, in: tx)
        try tx.connection.run("DELETE FROM feed_day WHERE day < ?", [.text(limit)])
    }

    static func drop(upTo floor: Int64, in tx: Transaction) throws(DatabaseError) {
        tx.feed.raiseFloor(to: floor)
        try tx.connection.run("DELETE FROM feed WHERE entry IS NULL AND seq <= ?", [.integer(floor)])
        try tx.connection.run("UPDATE feed_floor SET seq = max(seq, ?)", [.integer(floor)])
    }
}
