import Foundation

/// What the command line asks for.
struct Options {
    var records = 100_000
    var rounds = 3
    var seconds = 3
    var clients = 64
    var large = false
    var polls = false
    var indicators = false
    var webhooks = false
    var sync = false
    /// The server's executable: by default the one that was built beside this one.
    var server = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("viecoop").path
    /// Where the server's log goes.
    var log = "/dev/null"

    static let help = """
        Measures the server next to nginx on this machine and prints a table.

        usage: viecoop-bench [options]          example: viecoop-bench --seconds 1 --rounds 1

          --records N    referents in the database (100000)
          --rounds N     measurements of each row, of which the median is printed (3)
          --seconds N    length of one measurement (3)
          --clients N    connections (64)
          --large        also a page's cost with 1,000,000 records against 10,000; takes minutes
          --polls        also memory with 5,000 waiting long-polls
          --indicators   the federation's figures over five made-up years, and nothing else; takes a minute
          --sync         also how fast devices push, and how soon they hear of news
          --webhooks     also what webhooks cost, and how fast they are told
          --server FILE  the viecoop to measure (the one beside this program)
          --log FILE     where its log goes (/dev/null)
        """

    /// - Throws: what is wrong with the arguments.
    init(_ arguments: ArraySlice<String>) throws(BenchError) {
        var rest = arguments
        while let option = rest.popFirst() {
            switch option {
            case "--large": large = true
            case "--polls": polls = true
            case "--indicators": indicators = true
            case "--webhooks": webhooks = true
            case "--sync": sync = true
            case "--records": records = try Options.number(option, &rest)
            case "--rounds": rounds = try Options.number(option, &rest)
            case "--seconds": seconds = try Options.number(option, &rest)
            case "--clients": clients = try Options.number(option, &rest)
            case "--server": server = try Options.value(option, &rest)
            case "--log": log = try Options.value(option, &rest)
            default: throw BenchError("There is no option \(option). --help lists them.")
            }
        }
    }

    private static func value(_ option: String, _ rest: inout ArraySlice<String>) throws(BenchError) -> String {
        guard let value = rest.popFirst() else { throw BenchError("\(option) needs a value.") }
        return value
    }

    private static func number(_ option: String, _ rest: inout ArraySlice<String>) throws(BenchError) -> Int {
        let text = try value(option, &rest)
        guard let number = Int(text), (1...10_000_000).contains(number) else {
            throw BenchError("\(option) needs a number from 1, not \(text).")
        }
        return number
    }
}

/// Why nothing could be measured, for a person.
struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
