import Foundation
import JSON
import TestSupport
import Testing

/// The whole protocol under all faults: the real federation, API and replica, with the network, the clock and everybody else simulated.
@Suite("Sync, by random histories")
struct SimulationTests {
    private static let environment = ProcessInfo.processInfo.environment
    /// `make simulate SEEDS=10000` looks further, `make simulate SEED=17` tells one history.
    private static let seeds = environment["VIECOOP_SEEDS"].flatMap { Int($0) } ?? 200
    private static let one = environment["VIECOOP_SEED"].flatMap { UInt64($0) }
    private static let blocks = 2
    private static let steps = 40

    @Test("every promise holds in every history, and each was put to the test", arguments: one == nil ? 0..<blocks : 0..<1)
    func holds(block: Int) throws {
        let template = try Template()
        if let seed = Self.one { return try Self.replay(seed, from: template) }
        var shown: [Check: Int] = [:]
        for seed in stride(from: block, to: Self.seeds, by: Self.blocks) {
            do {
                let world = try World(seed: UInt64(seed), from: template)
                try world.run(steps: Self.steps)
                shown.merge(world.shown) { $0 + $1 }
            } catch {
                try Self.replay(UInt64(seed), from: template)
                throw error
            }
            if Self.seeds > 1000, seed > 0, seed % 100 == 0 { FileHandle.standardError.write(Data("\(seed) of \(Self.seeds) seeds\n".utf8)) }
        }
        for check in Check.allCases { #expect(shown[check, default: 0] > 0, "never put to the test: \(check.rawValue)") }
    }

    /// Runs a history once more, to tell how it failed.
    private static func replay(_ seed: UInt64, from template: Template) throws {
        try World(seed: seed, from: template, isLogging: true).run(steps: steps)
    }

    @Test("a planted flaw is found", arguments: Flaw.allCases)
    func finds(_ flaw: Flaw) throws {
        let template = try Template()
        for seed in 0..<UInt64(60) {
            do {
                try World(seed: seed, from: template, flaw: flaw).run(steps: Self.steps)
            } catch let found as Divergence {
                #expect(flaw.checks.contains(found.check), "\(found)")
                return
            }
        }
        Issue.record("nobody noticed that \(flaw.rawValue)")
    }

    @Test("the same history with clocks that stand still ends with the same copies", arguments: [3, 14, 15] as [UInt64])
    func ignoresClocks(seed: UInt64) throws {
        let template = try Template()
        let outcomes = try [true, false].map { jumps in
            let world = try World(seed: seed, from: template, clockJumps: jumps)
            try world.run(steps: Self.steps)
            return try world.outcome()
        }
        #expect(outcomes[0] == outcomes[1])
    }
}
