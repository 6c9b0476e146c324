import Glibc

/// An IPv4 or IPv6 address; one that only wraps an IPv4 address (`::ffff:127.0.0.1`) is that address.
package struct IPAddress: Hashable, Sendable {
    /// 4 or 16 bytes, in network order.
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        let wrapping: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        self.bytes = bytes.count == 16 && bytes.starts(with: wrapping) ? Array(bytes.suffix(4)) : bytes
    }

    /// - Returns: nil for what is no address as its standard writes it: `127.1`, `0177.0.0.1` and `fe80::1%eth0` are none.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            // glibc takes 010.0.0.1 as well, which others read as octal.
            let parts = text.split(separator: ".")
            guard !parts.contains(where: { $0.count > 1 && $0.hasPrefix("0") }) else { return nil }
            self.init(bytes: withUnsafeBytes(of: &four) { Array($0) })
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: withUnsafeBytes(of: &six) { Array($0) })
        } else {
            return nil
        }
    }

    /// The address and port of a socket; nil for families other than IP.
    static func read(_ address: UnsafePointer<sockaddr>, length: Int) -> (address: IPAddress, port: UInt16)? {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            var socket = raw.loadUnaligned(as: sockaddr_in.self)
            return (IPAddress(bytes: withUnsafeBytes(of: &socket.sin_addr) { Array($0) }), UInt16(bigEndian: socket.sin_port))
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            var socket = raw.loadUnaligned(as: sockaddr_in6.self)
            return (IPAddress(bytes: withUnsafeBytes(of: &socket.sin6_addr) { Array($0) }), UInt16(bigEndian: socket.sin6_port))
        default: return nil
        }
    }
}

/// All addresses that begin with the same bits: `10.1.0.0/16`.
struct Network: Sendable {
    private let start: IPAddress
    private let bits: Int

    /// - Returns: nil for what is no network; an address alone is a network of one.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let start = IPAddress(parts[0]) else { return nil }
        let most = start.bytes.count * 8
        guard let bits = parts.count == 1 ? most : Int(parts[1]), (0...most).contains(bits) else { return nil }
        (self.start, self.bits) = (start, bits)
    }

    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == start.bytes.count else { return false }
        for (index, (left, right)) in zip(address.bytes, start.bytes).enumerated() {
            let rest = bits - index * 8
            if rest <= 0 { return true }
            let mask: UInt8 = rest >= 8 ? 0xFF : ~(0xFF >> UInt8(rest))
            if left & mask != right & mask { return false }
        }
        return true
    }
}
