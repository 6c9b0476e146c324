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
    private static let steps = 40
    private static let blocks = 8

    @Test("every promise holds in every history, and each was put to the test")
    func holds() throws {
        if let seed = Self.one { return try replay(seed, from: Template()) }
        let shown = try Concurrently.map(Array(0..<2)) { half in try Self.run(half) }.reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
        for check in Check.allCases { #expect(shown[check, default: 0] > 0, "never put to the test: \(check.rawValue)") }
    }

    private static func run(_ half: Int) throws -> [Check: Int] {
        let template = try Template()
        var shown: [Check: Int] = [:]
        for seed in stride(from: half, to: seeds, by: 2) {
            do {
                let world = try World(seed: UInt64(seed), from: template)
                try world.run(steps: steps)
                shown.merge(world.shown) { $0 + $1 }
            } catch {
                try replay(UInt64(seed), from: template)
                Issue.record("seed \(seed) failed once, but not again: \(error)")
                return shown
            }
            if seeds > 1000, seed % 100 == 0 { FileHandle.standardError.write(Data("\(seed) of \(seeds) seeds\n".utf8)) }
        }
        return shown
    }

    /// Runs a history once more, to tell how it failed.
    private static func replay(_ seed: UInt64, from template: Template) throws {
        do {
            try World(seed: seed, from: template, isLogging: true).run(steps: steps)
        } catch {
            Issue.record("seed \(seed): \(error)\nagain: make simulate SEED=\(seed)")
            throw error
        }
    }

    private func replay(_ seed: UInt64, from template: Template) throws { try Self.replay(seed, from: template) }

    @Test("a planted flaw is found", arguments: Flaw.allCases)
    func finds(_ flaw: Flaw) throws {
        let template = try Template()
        for seed in 0..<UInt64(60) {
            do { try World(seed: seed, from: template, flaw: flaw).run(steps: Self.steps) } catch is Divergence { return }
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
