@testable import Domain
import SQLite
import TestSupport
import Testing

@Suite struct EpochsTests {
    /// Where a lineage `a`, restored at 100 to `b`, restored at 250 to `c`, restored at 220 to `d` leaves a cursor.
    static let standings: [(String, Int64, Epochs.Standing)] = [
        ("d", 0, .current), ("d", 999, .current),
        ("c", 220, .carriedOver), ("c", 221, .forked(at: 220)),
        ("b", 220, .carriedOver), ("b", 221, .forked(at: 220)), ("b", 251, .forked(at: 220)),
        ("a", 100, .carriedOver), ("a", 101, .forked(at: 100)), ("a", 300, .forked(at: 100)),
        ("e", 0, .unknown), ("", 0, .unknown),
    ]

    @Test("a cursor stands where every fork since lies behind what it has seen", arguments: standings)
    func standing(epoch: String, seen: Int64, expected: Epochs.Standing) throws {
        let test = try TestFederation()
        let epochs = try test.federation.perform { (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                try tx.connection.run("DELETE FROM epoch")
                for (name, parent, fork) in [("a", nil, 0), ("b", "a", 100), ("c", "b", 250), ("d", "c", 220)] as [(String, String?, Int64)] {
                    try tx.connection.run(
                        "INSERT INTO epoch (name, parent, fork_seq, first_seq) VALUES (?, ?, ?, ?)",
                        [.text(name), parent.map { .text($0) } ?? .null, .integer(fork), .integer(fork + 1)])
                }
                return try Epochs.load(from: tx.connection)
            }
        }
        #expect(epochs.current == "d")
        #expect(epochs.standing(of: epoch, seen: seen) == expected)
    }

    @Test("a new database begins an epoch, and keeps it")
    func firstEpoch() throws {
        let directory = TestFolder()
        var names: Set<String> = []
        for _ in 0..<2 {
            let federation = try Federation(directory: directory.path)
            names.insert(federation.epochs.current)
            federation.close()
        }
        #expect(names.count == 1 && names.first?.isEmpty == false)
    }
}
