import JSON
import SQLite
import Synchronization

/// All records of a type as its reader sees them, in the order of their ids, piece by piece: the memory is one page's, whatever
/// the number of records. Each page is a snapshot of its own.
package final class Export: Sendable {
    package enum Format: String, Sendable, CaseIterable { case csv, ndjson }

    private static let pageSize = 500

    private struct State {
        var last = ""
        var isFirst = true
        var isDone = false
    }

    private let type: any Record.Type
    private let format: Format
    private let caller: Caller
    private let federation: Federation
    private let bom: Bool
    private let state = Mutex(State())

    /// - Parameter bom: a byte order mark in front, which some spreadsheets need to know UTF-8; CSV only.
    package init(_ type: RecordType, as format: Format, for caller: Caller = .operatorItself, in federation: Federation, bom: Bool = false) {
        self.type = type.record
        self.format = format
        self.caller = caller
        self.federation = federation
        self.bom = bom
    }

    /// - Returns: the next piece, whole lines of it; nil at the end.
    package func next() throws(DomainError) -> [UInt8]? {
        try state.withLock { (state) throws(DomainError) in
            while !state.isDone {
                let isFirst = state.isFirst
                let documents = try page(&state)
                state.isFirst = false
                let bytes: [UInt8] = switch format {
                case .csv: (isFirst ? type.csvHeader(bom: bom) : []) + type.csv(documents)
                case .ndjson: documents.reduce(into: []) { $0 += $1 + [UInt8(ascii: "\n")] }
                }
                // A page may hold nothing that the caller sees.
                if !bytes.isEmpty { return bytes }
            }
            return nil
        }
    }

    private func page(_ state: inout State) throws(DomainError) -> [[UInt8]] {
        let numbers = federation.heads.snapshot
        let sql = "SELECT id, rev FROM \(type.type.rawValue) WHERE id > ? ORDER BY id LIMIT \(Self.pageSize)"
        let last = state.last
        let (documents, end) = try federation.read { (connection) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                let rows = try connection.all(sql, [.text(last)]) { ($0.text(0), $0.integer(1)) }
                var documents: [[UInt8]] = []
                for (_, rev) in rows {
                    let shown = try Feed.document(rev: rev, layers: caller.layers, number: { numbers.entries[$0]?.number }, in: connection)
                    if let shown { documents.append(shown.bytes) }
                }
                return (documents, rows.count < Self.pageSize ? nil : rows.last?.0)
            }
        }
        if let end { state.last = end } else { state.isDone = true }
        return documents
    }
}

/// Documents as CSV (RFC 4180): UTF-8, commas, CRLF, the fields' names in the first line, in the order of a document.
extension Record {
    private static var columns: [String] { ["id", "rev"] + shownFields.map(\.name) + ["created_at", "updated_at"] }

    /// - Parameter bom: a byte order mark in front, which some spreadsheets need to know UTF-8.
    package static func csvHeader(bom: Bool = false) -> [UInt8] {
        (bom ? [0xEF, 0xBB, 0xBF] : []) + Array(columns.joined(separator: ",").utf8) + [0x0D, 0x0A]
    }

    /// A row for each document; a cell stays empty where a document hides the field.
    package static func csv(_ documents: [[UInt8]]) -> [UInt8] {
        let columns = columns
        var bytes: [UInt8] = []
        for document in documents {
            let json = (try? JSON.parse(document)) ?? .null
            for (index, column) in columns.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                CSVCell.append(json[column], to: &bytes)
            }
            bytes += [0x0D, 0x0A]
        }
        return bytes
    }
}
