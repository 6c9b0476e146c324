enum Import: Command {
    static let name = "import"
    static let summary = "Loads the federation's data from JSON or CSV files."
    static let help = "viecoop import FILE…"
    static func run(_ arguments: inout Arguments) throws {}
}
enum Export: Command {
    static let name = "export"
    static let summary = "Writes all records of a type as CSV or NDJSON."
    static let help = "viecoop export TYPE"
    static func run(_ arguments: inout Arguments) throws {}
}
