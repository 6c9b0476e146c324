import Domain
import SQLite
import TestSupport

/// A record as a device holds it.
struct HeldRecord: Equatable {
    let rev: Int64
    let layer: UInt8
    let document: [UInt8]
}

/// One entry of a page, read by the letter of the wire protocol.
struct PullEntry {
    let type: String
    let id: String
    let rev: Int64
    /// Nil for a removal.
    let held: HeldRecord?
    let reason: String?

    /// - Returns: nil for a line that is no entry.
    init?(line: ArraySlice<UInt8>) {
        var rest = line
        func take(_ literal: String) -> Bool {
            guard rest.starts(with: literal.utf8) else { return false }
            rest = rest.dropFirst(literal.utf8.count)
            return true
        }
        func take(until byte: Unicode.Scalar) -> String? {
            guard let end = rest.firstIndex(of: UInt8(ascii: byte)) else { return nil }
            defer { rest = rest[end...] }
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        guard take(#"{"type":""#), let type = take(until: "\""), take(#"","id":""#), let id = take(until: "\""), take(#"","op":""#), let op = take(until: "\""),
            take(#"","rev":"#), let rev = take(until: ",").flatMap({ Int64($0) })
        else { return nil }
        (self.type, self.id, self.rev) = (type, id, rev)
        switch op {
        case "put":
            guard take(#","layer":""#), let layer = take(until: "\"")?.utf8.first, take(#"","doc":"#), rest.first == 0x7B, rest.suffix(2) == [0x7D, 0x7D] else { return nil }
            held = HeldRecord(rev: rev, layer: layer, document: Array(rest.dropLast()))
            reason = nil
        case "remove":
            guard take(#","reason":""#), let reason = take(until: "\""), take(#""}"#), rest.isEmpty else { return nil }
            held = nil
            self.reason = reason
        default: return nil
        }
    }
}

/// A phone that pulls: its copy, and where it stands.
struct PullDevice {
    var copy: [String: HeldRecord] = [:]
    var cursor: String?
    /// The seq of the last page.
    var seq: Int64 = 0

    mutating func apply(_ entries: [PullEntry]) {
        for entry in entries { copy[entry.id] = entry.held }
    }
}

/// What layers show, found without any of the pull's rules: for every record, the most specific live row.
enum PullOracle {
    static func visible(to layers: [Audience], types: [RecordType], in connection: Connection) throws(DatabaseError) -> [String: HeldRecord] {
        var shown: [String: HeldRecord] = [:]
        let names = Set(types.map(\.rawValue))
        for layer in layers.reversed() {
            for row in try ShownRow.all(of: layer, in: connection) where names.isEmpty || names.contains(row.type) {
                shown[row.id] = HeldRecord(rev: row.rev, layer: layer.letter, document: row.document)
            }
        }
        return shown
    }

    /// The rows of all audiences that came after `seq`.
    static func rows(after seq: Int64, in connection: Connection) throws(DatabaseError) -> [(audience: String, id: String)] {
        try connection.all(
            "SELECT name, id FROM feed JOIN audience ON number = audience WHERE seq > ?", [.integer(seq)]
        ) { ($0.text(0), $0.text(1)) }
    }
}
