@testable import Domain
import JSON
import SQLite
import Synchronization
import TestSupport
import Testing
import Text

@Suite struct TransactionTests {
    private static let refusal = DomainError.conflict(code: "no", Bilingual(en: "No.", fr: "Non."))

    private func theme(_ slug: String, in tx: Transaction) throws(DomainError) {
        _ = try Theme.store.create(Draft<Theme>(.object([JSON.Member("slug", .string(slug)), JSON.Member("title", .string(slug))]), for: .create), by: .operatorItself, in: tx)
    }

    private func slugs(_ test: TestFederation) throws -> [String] {
        try test.federation.read { (connection) throws(DomainError) in try Theme.store.all(in: connection).map(\.slug).sorted() }
    }

    /// Three parts, of which the second is refused, before or after it has written.
    private func parts(_ test: TestFederation, afterWriting: Bool) throws -> (outcomes: [Bool], runs: Int) {
        let runs = Mutex(0)
        let outcomes = try test.federation.perform { (tx) throws(DomainError) in
            runs.withLock { $0 += 1 }
            var outcomes: [Bool] = []
            for slug in ["a", "b", "c"] {
                let outcome = try tx.attempt { () throws(DomainError) in
                    if slug == "b", !afterWriting { throw Self.refusal }
                    try theme(slug, in: tx)
                    if slug == "b" { throw Self.refusal }
                }
                if case .success = outcome { outcomes.append(true) } else { outcomes.append(false) }
            }
            return outcomes
        }
        return (outcomes, runs.withLock { $0 })
    }

    @Test("a part that is refused leaves nothing, not even a number in the feed, and the others stand", arguments: [false, true])
    func parts(_ afterWriting: Bool) throws {
        let test = try TestFederation()
        let (outcomes, runs) = try parts(test, afterWriting: afterWriting)
        #expect(outcomes == [true, false, true])
        // Without savepoints a part that has written can only be taken back with all the rest.
        #expect(runs == (afterWriting ? 2 : 1))
        #expect(try slugs(test) == ["a", "c"])
        #expect(test.federation.heads.head == 2)
        #expect(try test.federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) } == [])
    }

    @Test("who writes beside it is not touched by what is taken back")
    func others() throws {
        let test = try TestFederation()
        let gate = Monitor(false)
        test.federation.write({ (tx) throws(DomainError) in gate.when({ $0 }) { _ in } }) { _ in }
        let done = Monitor<[String]>([])
        for slug in ["x", "y", "z"] {
            test.federation.write({ (tx) throws(DomainError) in
                try theme(slug, in: tx)
                if slug == "y" { throw Self.refusal }
            }) { result in
                if case .success = result { done.change { $0.append(slug) } } else { done.change { $0.append("no " + slug) } }
            }
        }
        gate.change { $0 = true }
        #expect(done.when({ $0.count == 3 }) { $0 } == ["x", "no y", "z"])
        #expect(try slugs(test) == ["x", "z"])
        #expect(test.federation.heads.head == 2)
        #expect(try test.federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) } == [])
    }
}
