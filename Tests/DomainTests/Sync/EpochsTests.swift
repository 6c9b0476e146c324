@testable import Domain
import SQLite
import TestSupport
import Testing

@Suite struct EpochsTests {
    /// Where a lineage `a`, restored at 100 to `b`, restored at 1250 to `c`, restored at 1220 to `d` leaves a cursor; `s` was
    /// another restore of `a` at 60, which nobody goes on from, and `x` comes from another server.
    static let standings: [(String, Int64, Epochs.Standing)] = [
        ("d", 0, .current), ("d", 999, .current),
        ("c", 1220, .carriedOver), ("c", 1221, .forked(at: 1220)), ("c", 2001, .forked(at: 1220)),
        ("b", 1220, .carriedOver), ("b", 1221, .forked(at: 1220)), ("b", 1251, .forked(at: 1220)),
        ("a", 100, .carriedOver), ("a", 101, .forked(at: 100)), ("a", 300, .forked(at: 100)),
        ("s", 60, .carriedOver), ("s", 61, .forked(at: 60)), ("s", 601, .forked(at: 60)), ("x", 0, .unknown), ("e", 0, .unknown), ("", 0, .unknown),
    ]

    @Test("a cursor stands where every fork since lies behind what it has seen", arguments: standings)
    func standing(epoch: String, seen: Int64, expected: Epochs.Standing) {
        let rows: [(String, String?, Int64, Int64)] = [
            ("x", nil, 0, 1), ("a", nil, 0, 1), ("s", "a", 60, 501), ("b", "a", 100, 1001), ("c", "b", 1250, 2001), ("d", "c", 1220, 3001),
        ]
        let epochs = Epochs(rows.map { Epochs.Row(name: $0.0, parent: $0.1, fork: $0.2, first: $0.3) })
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
