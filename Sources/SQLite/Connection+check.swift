extension Connection {
    /// What `PRAGMA quick_check` finds first, as it words it; nil in a sound database.
    ///
    /// SQLite 3.40.1 takes the first column of a table WITHOUT ROWID for NULL in every row where it is not of the primary key.
    /// Older schemas have such a table, so that what it says of one is believed only where the row says it too.
    package func firstDamage() throws(DatabaseError) -> String? {
        // More findings than any database has rows of that kind: the last one may be the true one.
        let findings = try statement("PRAGMA quick_check(1000000)")
        defer { findings.reset() }
        while try findings.step() {
            let finding = findings.text(0)
            if finding == "ok" { return nil }
            if try !isUnfounded(finding) { return finding }
        }
        return nil
    }

    private func isUnfounded(_ finding: String) throws(DatabaseError) -> Bool {
        let words = "NULL value in "
        guard finding.hasPrefix(words), let dot = finding.lastIndex(of: ".") else { return false }
        let table = finding[..<dot].dropFirst(words.count)
        let column = finding[finding.index(after: dot)...]
        let isSuspect = try first(
            """
            SELECT 1 FROM pragma_table_list(?1) AS list JOIN pragma_table_info(?1) AS info
            WHERE list.wr = 1 AND info.cid = 0 AND info.pk = 0 AND info.name = ?2
            """, [.text(String(table)), .text(String(column))], { _ in true }) ?? false
        guard isSuspect else { return false }
        // Not "IS NULL", which SQLite knows to be false without looking where the column is NOT NULL.
        return try first("SELECT 1 FROM \"\(table)\" WHERE typeof(\"\(column)\") = 'null' LIMIT 1", [], { _ in true }) == nil
    }
}
