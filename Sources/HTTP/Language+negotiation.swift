import Text

extension Language {
    /// The language of texts for a client that states no preference, or none that we speak.
    package static let fallback = Language.fr

    /// The language that an `Accept-Language` value prefers (RFC 9110 section 12.5.4); nil stands for a missing field.
    ///
    /// Only the first 20 ranges count, so that a thousand of them cost nothing.
    package init(accepting value: String?) {
        var best = Language.fallback
        var bestWeight = 0
        for range in (value ?? "").utf8.prefix(1024).split(separator: 0x2C).prefix(20) {
            let parts = range.split(separator: 0x3B)
            guard let tag = parts.first else { continue }
            let weight = parts.dropFirst().lazy.compactMap(Language.weight).first ?? 1000
            guard weight > bestWeight, let language = Language(tag: tag) else { continue }
            (best, bestWeight) = (language, weight)
        }
        self = best
    }

    private init?(tag: Substring.UTF8View) {
        let primary = tag.lazy.filter { $0 != 0x20 && $0 != 0x09 }.prefix { $0 != 0x2D }.map { $0 | 0x20 }
        if primary.elementsEqual("fr".utf8) {
            self = .fr
        } else if primary.elementsEqual("en".utf8) {
            self = .en
        } else {
            return nil
        }
    }

    /// `q=0.8` as 800; nil for another parameter or a malformed weight.
    private static func weight(_ parameter: Substring.UTF8View) -> Int? {
        let text = parameter.filter { $0 != 0x20 && $0 != 0x09 }
        guard text.starts(with: "q=".utf8) || text.starts(with: "Q=".utf8) else { return nil }
        let digits = text.dropFirst(2).filter { $0 != 0x2E }
        guard (1...4).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        var weight = 0
        for place in 0..<4 {
            let index = digits.startIndex + place
            weight = weight * 10 + (index < digits.endIndex ? Int(digits[index]) - 0x30 : 0)
        }
        return min(weight, 1000)
    }
}
