import Glibc

/// The words behind a command's name: options with and without value, and the rest in order.
///
/// An option that is not given is taken from its environment variable: `--data` from `VIECOOP_DATA`.
struct Arguments {
    private var words: [String]

    init(_ words: [String]) { self.words = words }

    var wantsHelp: Bool { words.contains("--help") || words.contains("-h") }

    /// The value of `--name VALUE` or `--name=VALUE`, else of the environment; nil where neither has it.
    mutating func value(_ name: String) throws -> String? {
        if let index = words.firstIndex(where: { $0.hasPrefix(name + "=") }) {
            let value = String(words.remove(at: index).dropFirst(name.count + 1))
            // An empty folder would be the root folder.
            guard !value.isEmpty else { throw Misuse("\(name) needs a value") }
            return value
        }
        guard let index = words.firstIndex(of: name) else { return environment(name) }
        guard index + 1 < words.count, !words[index + 1].isEmpty, !words[index + 1].hasPrefix("--") else { throw Misuse("\(name) needs a value") }
        words.remove(at: index)
        return words.remove(at: index)
    }

    /// Whether `--name` is there; in the environment, `1` or `true`.
    mutating func flag(_ name: String) -> Bool {
        guard let index = words.firstIndex(of: name) else { return ["1", "true"].contains(environment(name)) }
        words.remove(at: index)
        return true
    }

    /// The next word that is no option.
    mutating func word() -> String? {
        guard let index = words.firstIndex(where: { !$0.hasPrefix("--") }) else { return nil }
        return words.remove(at: index)
    }

    /// Everything else has to be gone by now.
    func end() throws {
        if let word = words.first { throw Misuse("`\(word)` is not known here") }
    }

    /// The folder that holds the database.
    mutating func dataFolder() throws -> String { try value("--data") ?? "data" }

    private func environment(_ name: String) -> String? {
        let variable = "VIECOOP_" + name.dropFirst(2).uppercased().replacing("-", with: "_")
        guard let value = getenv(variable) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}
