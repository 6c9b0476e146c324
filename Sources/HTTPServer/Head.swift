import CMicroHTTPD
import Glibc
import HTTP

/// Walks all header lines of a request where the library found them, and notices what its reading hides.
///
/// libmicrohttpd 0.9.75 parses in place: name, value and line ends stay where they arrived, the ends overwritten with NUL.
/// If each line starts exactly where the one before ended, then no value was cut at a NUL, no line ended with a bare LF, and
/// none was folded (it would be glued to the *name* of the line before). The same holds for the parts of the request line.
/// Version 1.0 and later refuse these by themselves and need not parse in place, so there the comparison is left out.
struct Head {
    static let parsesInPlace = String(cString: MHD_get_version()).hasPrefix("0.9.")

    private(set) var headers = Headers()
    private(set) var framing = Framing()
    private(set) var lines = 0
    private(set) var refusal: Refusal?
    private var next: UnsafePointer<CChar>

    /// - Parameters: as the library hands them to its handler; `target` is where it found the target, of `targetBytes` bytes.
    init(
        _ connection: OpaquePointer, method: UnsafePointer<CChar>, target: UnsafePointer<CChar>, targetBytes: Int,
        version: UnsafePointer<CChar>, lineLimit: Int, byteLimit: Int
    ) {
        next = version + 10  // `HTTP/1.1` CR LF
        let bytes = CMicroHTTPD_headBytes(connection)
        if Head.parsesInPlace, method + strlen(method) + 1 != target || target + targetBytes + 1 != version {
            refusal = .requestLine
        }
        headers.reserve(8)
        withUnsafeMutablePointer(to: &self) {
            _ = MHD_get_connection_values_n(connection, .HEADER_KIND, takeLine, $0)
        }
        if lines > lineLimit || bytes > byteLimit + targetBytes {
            refusal = .headersSize
        } else if Head.parsesInPlace, refusal == nil, next + 2 != method + bytes {
            refusal = .headerLine
        }
    }

    fileprivate mutating func take(
        _ name: UnsafePointer<CChar>, _ nameCount: Int, _ value: UnsafePointer<CChar>, _ valueCount: Int
    ) {
        lines += 1
        let nameBytes = bytes(name, nameCount)
        var valueBytes = bytes(value, valueCount)[...]
        if Head.parsesInPlace, name != next || value <= name + nameCount { refuse(.headerLine) }
        next = value + valueCount + 2
        if nameBytes.isEmpty || !nameBytes.allSatisfy(isToken) { refuse(.headerName) }
        // RFC 9110 section 5.5: visible ASCII, space, tab and bytes above 0x7F.
        if !valueBytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) { refuse(.headerValue) }
        while let last = valueBytes.last, last == 0x20 || last == 0x09 { valueBytes = valueBytes.dropLast() }
        let field = (String(decoding: nameBytes, as: UTF8.self), String(decoding: valueBytes, as: UTF8.self))
        framing.note(field.0, field.1)
        headers.add(field.0, field.1)
    }

    private mutating func refuse(_ fault: Refusal) { refusal = refusal ?? fault }

    private func bytes(_ start: UnsafePointer<CChar>, _ count: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: count)
    }
}

private let takeLine: MHD_KeyValueIteratorN = { context, _, name, nameCount, value, valueCount in
    guard let context, let name, let value else { return .YES }
    context.assumingMemoryBound(to: Head.self).pointee.take(name, nameCount, value, valueCount)
    return .YES
}

/// A character of a token (RFC 9110 section 5.6.2).
private func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
    case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2A, 0x2B, 0x2E, 0x5E, 0x60, 0x7C, 0x7E: true
    default: false
    }
}
