import JSON
import SQLite
import Text

extension Idea {
    /// An idea that is near another in its title or summary.
    package struct Similar: Sendable {
        package let id: Identifier<Idea>
        package let title: String
    }
}

extension Federation {
    /// The ideas that the caller sees and that are near this title or summary, nearest first, at most five. Blind to case and
    /// accents: a hint to people, so that they find what is there already.
    package func similarIdeas(title: String, summary: String, for caller: Caller) throws(DomainError) -> [Idea.Similar] {
        let (title, summary) = (Trigrams(title), Trigrams(summary))
        let found = try read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                let isFederation: Int64 = caller.role == .federationAdmin ? 1 : 0
                return try connection.all(
                    """
                    SELECT id, title, aliases, merged_titles, summary FROM idea
                    WHERE status <> 'merged' AND ((status = 'published' AND scope = 'network') OR author_coop_id = ? OR ?) ORDER BY id DESC LIMIT 5000
                    """, [caller.coop?.value ?? .null, .integer(isFederation)]
                ) { row in
                    let nearest = ([row.text(1)] + row.list(2) + row.list(3)).map { title.likeness(to: Trigrams($0)) }.max() ?? 0
                    // Two words in common make a short title look near; a summary has to share more of its wording.
                    let isNear = nearest >= 0.5
                    let score = isNear ? nearest : summary.likeness(to: Trigrams(row.text(4)))
                    guard isNear || score >= 0.6, let id = Identifier<Idea>(row.text(0)) else { return nil as (Double, Idea.Similar)? }
                    return (score, Idea.Similar(id: id, title: row.text(1)))
                }
            }
        }
        return found.compactMap { $0 }.sorted { $0.0 > $1.0 }.prefix(5).map(\.1)
    }
}

extension Statement {
    /// The texts of a column that holds a JSON list of texts.
    fileprivate func list(_ column: Int) -> [String] {
        guard let json = try? JSON.parse(blob(column)), case .array(let elements) = json else { return [] }
        return elements.compactMap(\.stringValue)
    }
}

/// The groups of three letters in a text without case, accents and signs; how many two texts share says how near they are.
struct Trigrams {
    private let groups: Set<UInt32>

    init(_ text: String) {
        var groups: Set<UInt32> = []
        var window: UInt32 = 0x20
        func push(_ byte: UInt8) {
            window = (window << 8 | UInt32(byte)) & 0xFF_FFFF
            if window >> 16 != 0 { groups.insert(window) }
        }
        for byte in text.folded.utf8 {
            let isSign = byte < 0x80 && !(0x30...0x39).contains(byte) && !(0x61...0x7A).contains(byte)
            if !isSign { push(byte) } else if window & 0xFF != 0x20 { push(0x20) }
        }
        if window & 0xFF != 0x20 { push(0x20) }
        self.groups = groups
    }

    /// Dice's coefficient: 1 for the same groups, 0 for none in common, or none at all.
    func likeness(to other: Trigrams) -> Double {
        let count = groups.count + other.groups.count
        return count == 0 ? 0 : 2 * Double(groups.intersection(other.groups).count) / Double(count)
    }
}
