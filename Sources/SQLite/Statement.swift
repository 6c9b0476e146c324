import CSQLite

/// A prepared statement of one connection. Parameters are set by position, 1 the first, in the order in which their names
/// first appear in the SQL; columns are read by position, 0 the first.
package final class Statement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer
    private let underWay: UnderWay
    private var isUnderWay = false
    package let sql: String

    /// How many statements of a connection stand at a row.
    final class UnderWay { var count = 0 }

    init(_ sql: String, on connection: OpaquePointer, _ underWay: UnderWay) throws(DatabaseError) {
        var prepared: OpaquePointer?
        var isWhole = true
        let code = sql.withCString { start in
            var rest: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v3(connection, start, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, &rest)
            isWhole = rest.map { $0.pointee == 0 } ?? true
            return code
        }
        guard code == SQLITE_OK else { throw DatabaseError(code: code, message: String(cString: sqlite3_errmsg(connection)), sql: sql) }
        guard let prepared, isWhole else {
            // SQLite prepares the first and says nothing of the others.
            sqlite3_finalize(prepared)
            throw DatabaseError(code: SQLITE_MISUSE, message: "not one statement", sql: sql)
        }
        handle = prepared
        self.connection = connection
        self.underWay = underWay
        self.sql = sql
    }

    deinit {
        reset()
        sqlite3_finalize(handle)
    }

    /// Binds every parameter anew, in order.
    ///
    /// - Throws: SQLITE_RANGE for another number of values: one left out would keep the value of the former run.
    package func bind(_ values: [Value]) throws(DatabaseError) {
        let count = Int(sqlite3_bind_parameter_count(handle))
        guard values.count == count else {
            throw DatabaseError(code: SQLITE_RANGE, message: "\(values.count) values for \(count) parameters", sql: sql)
        }
        for (offset, value) in values.enumerated() { try bind(offset + 1, value) }
    }

    package func bind(_ index: Int, _ value: Value) throws(DatabaseError) {
        let index = Int32(truncatingIfNeeded: index)
        switch value {
        case .null: try check(sqlite3_bind_null(handle, index))
        case .integer(let integer): try check(sqlite3_bind_int64(handle, index, integer))
        case .text(var text):
            let code = text.withUTF8 { utf8 in
                utf8.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text64(handle, index, $0.baseAddress, UInt64($0.count), CSQLite_transient(), UInt8(SQLITE_UTF8))
                }
            }
            // An empty string may have no address, which SQLite would take for NULL.
            try check(text.isEmpty ? sqlite3_bind_text(handle, index, "", 0, CSQLite_transient()) : code)
        case .blob(let bytes):
            let code = bytes.withUnsafeBytes {
                sqlite3_bind_blob64(handle, index, $0.baseAddress, UInt64($0.count), CSQLite_transient())
            }
            try check(bytes.isEmpty ? sqlite3_bind_zeroblob(handle, index, 0) : code)
        }
    }

    /// Binds bytes that are UTF-8 text already.
    package func bind(_ index: Int, utf8 bytes: [UInt8]) throws(DatabaseError) {
        let index = Int32(truncatingIfNeeded: index)
        let code = bytes.withUnsafeBytes { raw in
            raw.withMemoryRebound(to: CChar.self) {
                sqlite3_bind_text64(handle, index, $0.baseAddress, UInt64($0.count), CSQLite_transient(), UInt8(SQLITE_UTF8))
            }
        }
        try check(code)
    }

    /// Binds a text of this many bytes, made in place: ASCII.
    package func bind(_ index: Int, textOfLength length: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Void) throws(DatabaseError) {
        let code = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: length) { buffer in
            fill(buffer)
            return buffer.withMemoryRebound(to: CChar.self) {
                sqlite3_bind_text64(handle, Int32(truncatingIfNeeded: index), $0.baseAddress, UInt64(length), CSQLite_transient(), UInt8(SQLITE_UTF8))
            }
        }
        try check(code)
    }

    /// - Returns: true when a row can be read, false at the end, after which the statement is reset.
    package func step() throws(DatabaseError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW:
            if !isUnderWay {
                isUnderWay = true
                underWay.count += 1
            }
            return true
        case SQLITE_DONE:
            reset()
            return false
        default:
            // The extended code is the connection's, and reset would overwrite the message.
            let error = DatabaseError(
                code: sqlite3_extended_errcode(connection), message: String(cString: sqlite3_errmsg(connection)), sql: sql)
            reset()
            throw error
        }
    }

    /// Ends a read before its last row, so that it holds no snapshot.
    package func reset() {
        sqlite3_reset(handle)
        guard isUnderWay else { return }
        isUnderWay = false
        underWay.count -= 1
    }

    package func isBlob(_ column: Int) -> Bool { sqlite3_column_type(handle, Int32(column)) == SQLITE_BLOB }
    package func isNull(_ column: Int) -> Bool { sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL }
    package func integer(_ column: Int) -> Int64 { sqlite3_column_int64(handle, Int32(column)) }
    package func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }

    package func text(_ column: Int) -> String {
        withBytes(column) { String(decoding: $0, as: UTF8.self) }
    }
    package func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

    package func blob(_ column: Int) -> [UInt8] { withBytes(column) { Array($0) } }

    /// The column's bytes in place; the pointer dies with the call.
    package func withBytes<Result>(_ column: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let start = sqlite3_column_blob(handle, Int32(column))
        return body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, Int32(column)))))
    }

    package func withUTF8<Result>(_ column: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        withBytes(column) { $0.withMemoryRebound(to: UInt8.self, body) }
    }

    /// Appends the column's bytes without a stop on the way.
    package func append(_ column: Int, to bytes: inout [UInt8]) {
        guard let start = sqlite3_column_blob(handle, Int32(truncatingIfNeeded: column)) else { return }
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, Int32(truncatingIfNeeded: column)))))
    }

    package func value(_ column: Int) -> Value {
        switch sqlite3_column_type(handle, Int32(column)) {
        case SQLITE_NULL: .null
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_BLOB: .blob(blob(column))
        default: .text(text(column))
        }
    }

    /// That a column of the row holds what no version of this program has written there.
    package func damage(_ column: Int, _ expected: String) -> DatabaseError {
        let name = sqlite3_column_name(handle, Int32(column)).map { String(cString: $0) } ?? "column \(column)"
        return DatabaseError(code: SQLITE_CORRUPT, message: "\(name) holds no \(expected)", sql: sql)
    }

    private func check(_ code: Int32) throws(DatabaseError) {
        guard code == SQLITE_OK else {
            throw DatabaseError(code: code, message: String(cString: sqlite3_errmsg(connection)), sql: sql)
        }
    }
}
