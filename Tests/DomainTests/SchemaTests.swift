@testable import Domain
import SQLite
import TestSupport
import Testing

@Suite("The schema")
struct SchemaTests {
    /// SQLite 3.40.1's quick_check calls such a table damaged as soon as it has a row.
    @Test("has the primary key first in every table without rowid")
    func keysFirst() throws {
        let test = try TestFederation()
        let wrong = try test.rows(
            """
            SELECT list.name FROM pragma_table_list AS list JOIN pragma_table_info(list.name) AS info
            WHERE list.schema = 'main' AND list.wr = 1 AND info.cid = 0 AND info.pk = 0
            """)
        #expect(wrong == [])
    }

    @Test("is strict in every table, and has an index for every foreign key")
    func strictAndIndexed() throws {
        let test = try TestFederation()
        #expect(try test.rows("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'") == [])
        let unindexed = try test.rows(
            """
            SELECT list.name || '.' || key."from" FROM pragma_table_list AS list JOIN pragma_foreign_key_list(list.name) AS key
            WHERE list.schema = 'main' AND list.name <> 'epoch' AND NOT EXISTS (  -- a handful of rows
                SELECT 1 FROM pragma_index_list(list.name) AS i JOIN pragma_index_info(i.name) AS c WHERE c.seqno = 0 AND c.name = key."from")
            """)
        #expect(unindexed == [])
    }
}
