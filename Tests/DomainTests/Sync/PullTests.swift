import Foundation
import TestSupport
import Testing

/// The pull's rules on the real feed, by random histories against a naive oracle.
@Suite struct PullTests {
    private static let blocks = 16
    /// `VIECOOP_PULL_SEEDS=5000 swift test --filter PullTests` looks further.
    private static let seeds = ProcessInfo.processInfo.environment["VIECOOP_PULL_SEEDS"].flatMap { Int($0) } ?? 200

    @Test("whenever a pull is complete, the device holds exactly what its layers show", arguments: 0..<blocks)
    func converges(block: Int) throws {
        var completes = 0
        for seed in stride(from: block, to: Self.seeds, by: Self.blocks) {
            do {
                var simulation = try PullSimulation(seed: UInt64(seed))
                try simulation.run(steps: 120)
                completes += simulation.statistics.completes
            } catch is PullSimulation.Divergence {
                try replay(seed)
                return
            }
        }
        // A simulation that does nothing proves nothing.
        #expect(completes > 10 * Self.seeds / Self.blocks)
    }

    /// Runs a history that failed once more, to tell how.
    private func replay(_ seed: Int) throws {
        do {
            var simulation = try PullSimulation(seed: UInt64(seed), isLogging: true)
            try simulation.run(steps: 120)
            Issue.record("seed \(seed) failed once, but not again")
        } catch let divergence as PullSimulation.Divergence {
            Issue.record("seed \(seed): \(divergence)")
        }
    }
}
