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
                let names = Referent.shownFields.map(\.name).filter { !reader.hidden.names.contains($0) }
                #expect(document?.members?.map(\.name) == ["id", "rev"] + names + ["created_at", "updated_at"], "\(reader.audience.name)")
                #expect(shown.document == entry.document(hiding: reader.hidden))
            }
        }
    }

    @Test("a damaged row is an error, or the right document: nobody is shown what is cut out for them")
    func damage() throws {
        let test = try TestFederation()
        let referent = try test.addReferent(of: try test.addCoop())
        let observer = Audience.observer
        let read = { try test.federation.database.read { try ShownRow.all(of: observer, in: $0).first { $0.id == referent.id.text }?.document } }
        let right = try #require(try read())
        let place = "place = (SELECT number << 44 | \(referent.meta.rev) FROM audience WHERE name = 'observer')"
        guard case .blob(let good) = try test.rows("SELECT entry FROM feed WHERE \(place)").first else { throw Unexpected() }
        #expect(good.count > 4, "something is cut out")
        var damaged: [[UInt8]] = good.indices.map { Array(good[..<$0]) }
        for index in good.indices {
            for byte in UInt8.min...UInt8.max where byte != good[index] {
                var bytes = good
                bytes[index] = byte
                damaged.append(bytes)
            }
        }
        damaged += [[0], [0, 0x80], [0xFF, 0xFF, 0xFF, 0x7F, 1], [0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [9, 1, 0xFF, 0x7F, 0]].map { good + $0 }
        var errors = 0
        for bytes in damaged {
            try test.federation.perform { (tx) throws(DomainError) in
                try storing { () throws(DatabaseError) in try tx.connection.run("UPDATE feed SET entry = ? WHERE \(place)", [.blob(bytes)]) }
            }
            do { #expect(try read() == right, "\(bytes)") } catch { errors += 1 }
        }
        // Only another letter for the layer leaves the document as it is.
        #expect(errors == damaged.count - 255)
    }

    private struct Unexpected: Error {}
}
