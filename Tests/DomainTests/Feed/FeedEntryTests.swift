@testable import Domain
import JSON
import SQLite
import TestSupport
import Testing

@Suite struct FeedEntryTests {
    @Test("an audience's entry is its record's, without what it does not see")
    func cuts() throws {
        let test = try TestFederation()
        let referent = try test.addReferent(of: try test.addCoop())
        try test.federation.database.read { connection in
            let entry = RecordEntry(of: referent)
            for reader in referent.readers {
                let shown = try #require(try ShownRow.all(of: reader.audience, in: connection).first { $0.id == referent.id.text })
                let document = try? JSON.parse(shown.document)
                let names = Referent.shownFields.map(\.name).filter { !reader.hidden.contains($0) }
                #expect(document?.members?.map(\.name) == ["id", "rev"] + names + ["created_at", "updated_at"], "\(reader.audience.name)")
                #expect(shown.document == entry.document(hiding: reader.hidden))
            }
        }
    }

    @Test("a damaged row is an error or another document, and never a crash")
    func damage() throws {
        let test = try TestFederation()
        try test.addTheme()
        let row = try #require(try test.rows("SELECT entry FROM feed WHERE audience = (SELECT number FROM audience WHERE name = 'network')").first)
        guard case .blob(let good) = row else { throw Unexpected() }
        var damaged: [[UInt8]] = good.indices.map { Array(good[..<$0]) }
        for index in good.indices {
            for byte: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var bytes = good
                bytes[index] = byte
                damaged.append(bytes)
            }
        }
        damaged += [good + [0], good + [0, 0x80], good + [0xFF, 0xFF, 0xFF, 0x7F, 1], good + [0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], good + [9, 1, 0xFF, 0x7F, 0]]
        var errors = 0
        for bytes in damaged {
            try test.federation.perform { (tx) throws(DomainError) in
                try storing { () throws(DatabaseError) in try tx.connection.run("UPDATE feed SET entry = ?", [.blob(bytes)]) }
            }
            // Not by way of the federation, which knows the document from before.
            do { _ = try test.federation.database.read { try ShownRow.all(of: .network, in: $0) } } catch { errors += 1 }
        }
        #expect(errors > good.count && errors < damaged.count)
    }

    private struct Unexpected: Error {}
}
