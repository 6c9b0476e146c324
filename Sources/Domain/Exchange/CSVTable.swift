import JSON

/// A table for spreadsheets (RFC 4180) that is no list of records; cells are quoted and guarded as in exports.
package enum CSVTable {
    package static func write(_ columns: [String], _ rows: [[String]]) -> [UInt8] {
        ([columns] + rows).reduce(into: []) { bytes, row in
            for (index, cell) in row.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                CSVCell.append(.string(cell), to: &bytes)
            }
            bytes += [0x0D, 0x0A]
        }
    }
}
