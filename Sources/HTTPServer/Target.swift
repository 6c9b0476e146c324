import HTTP

/// A request's target as it came, before the library takes it apart: split into path and query, and checked.
struct Target {
    private(set) var path = ""
    private(set) var query = ""
    /// Of an absolute target (`http://authority/path`), which a server has to accept (RFC 9112 section 3.2.2).
    private(set) var authority: String?
    private(set) var refusal: Refusal?
    let count: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, limit: Int) {
        count = bytes.count
        guard count <= limit else {
            refusal = .targetLength
            return
        }
        refusal = Target.check(bytes)
        var rest = bytes[...]
        if rest.first != 0x2F { authority = Target.takeAuthority(&rest) }
        let mark = rest.firstIndex(of: 0x3F) ?? rest.endIndex
        path = String(decoding: rest[..<mark], as: UTF8.self)
        query = String(decoding: rest[mark...].dropFirst(), as: UTF8.self)
        if authority != nil, path.isEmpty { path = "/" }
    }

    /// Whether the target's form suits the method (RFC 9112 section 3.2).
    func suits(_ method: String) -> Bool {
        switch method {
        case "CONNECT": true  // `host:port`; the application answers 405
        case "OPTIONS" where path == "*": true
        default: path.utf8.first == 0x2F
        }
    }

    private static func check(_ bytes: UnsafeBufferPointer<UInt8>) -> Refusal? {
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case 0x25:
                guard index + 2 < bytes.count, isHex(bytes[index + 1]), isHex(bytes[index + 2]) else { return .targetEscape }
                // The library, like any C program behind us, would end the text at a NUL.
                if bytes[index + 1] == 0x30, bytes[index + 2] == 0x30 { return .targetEscape }
                index += 3
            case 0x21...0x7E where bytes[index] != 0x23: index += 1
            default: return .targetCharacter
            }
        }
        return nil
    }

    private static func takeAuthority(_ rest: inout Slice<UnsafeBufferPointer<UInt8>>) -> String? {
        for scheme in ["http://", "https://"] where rest.count > scheme.utf8.count {
            let length = scheme.utf8.count
            guard Headers.same(String(decoding: rest.prefix(length), as: UTF8.self), scheme) else { continue }
            let after = rest.dropFirst(length)
            let end = after.firstIndex { $0 == 0x2F || $0 == 0x3F } ?? after.endIndex
            rest = after[end...]
            return String(decoding: after[..<end], as: UTF8.self)
        }
        return nil
    }
}
