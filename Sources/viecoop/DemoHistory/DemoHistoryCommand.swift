import Domain
import Embedded

enum DemoHistoryCommand: Command {
    static let name = "demo-history"
    static let summary = "Makes up five years of history for the sample data's invented co-ops."
    static let help = """
        viecoop demo-history [--seed N] [--years N] [--until DATE] [--coops N] [--data DIR]

          --seed   another number makes another history, the same one the same (default: 1)
          --years  how many (default: 5)
          --until  the last day (default: today)
          --coops  invents further co-ops until there are so many, to try the server with (default: none)
          --data   the server's folder (VIECOOP_DATA, default: data); no server may run on it

        Loads the sample data where it is missing. Real co-ops stay as they are: nothing is made up about them.

        Example: viecoop demo-history --data data && viecoop serve --demo --data data
        """

    static func run(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        let seed = try arguments.number("--seed", in: 0...Int.max) ?? 1
        let years = try arguments.number("--years", in: 1...10) ?? 5
        let until = try arguments.value("--until")
        guard until == nil || until.flatMap({ Day($0) }) != nil else { throw Misuse("--until must be a date such as 2026-03-02") }
        let coops = try arguments.number("--coops", in: 0...1000) ?? 0
        try arguments.end()
        let lock = try Federation.lock(directory: data)
        defer { withExtendedLifetime(lock) {} }
        let count = try DemoHistory.make(in: data, seed: UInt64(seed), years: years, coops: coops, end: until.flatMap { Day($0) })
        Terminal.print("\(count) records, made up; viecoop serve --demo --data \(data) shows them at /dashboard")
    }
}

extension Arguments {
    fileprivate mutating func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = try value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else { throw Misuse("\(name) must be a number from \(range.lowerBound) to \(range.upperBound)") }
        return number
    }
}
