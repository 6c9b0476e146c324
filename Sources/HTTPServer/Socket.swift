import Glibc

/// What the server asks of a client's socket beside the library.
enum Socket {
    /// Sends what the kernel takes at once; a client that reads so little that this is not all has no claim to the rest.
    ///
    /// - Returns: how many bytes it took, -1 for none.
    @discardableResult
    static func send(_ bytes: [UInt8], to descriptor: Int32) -> Int {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
    }

    /// Sends a short piece of a chunked answer, all or nothing. In the rare case that the kernel takes a part the connection is
    /// ended, because the library cannot send the rest of a chunk that it did not begin.
    ///
    /// - Returns: whether it was sent.
    static func sendChunk(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        guard bytes.count <= 1024 else { return false }
        let chunk = Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [0x0D, 0x0A]
        let sent = send(chunk, to: descriptor)
        if sent > 0, sent < chunk.count { end(descriptor) }
        return sent == chunk.count
    }

    /// Ends our side; the client may go on sending.
    static func finish(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends both sides. The library, which owns the descriptor, hears of it by epoll and closes it.
    static func end(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Whether the client has ended its side and all that it sent was read.
    static func hasEnded(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 0
    }

    /// Bytes that the client acknowledged since it connected. On a Unix socket the bytes that it has not read yet, which
    /// change as well when it reads.
    static func progress(_ descriptor: Int32) -> UInt64 {
        if let bytes = info(descriptor, at: 120) { return bytes }
        var waiting: Int32 = 0
        _ = ioctl(descriptor, UInt(TIOCOUTQ), &waiting)
        return UInt64(UInt32(bitPattern: waiting))
    }

    /// Whether the client ever sent a byte; no on a Unix socket.
    static func heard(_ descriptor: Int32) -> Bool { (info(descriptor, at: 128) ?? 0) > 0 }

    /// A 64-bit counter of Linux's `struct tcp_info`, of which glibc's header knows only the beginning:
    /// `tcpi_bytes_acked` is at 120, `tcpi_bytes_received` at 128, since Linux 4.1.
    private static func info(_ descriptor: Int32, at offset: Int) -> UInt64? {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { bytes in
            var length = socklen_t(bytes.count)
            guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, bytes.baseAddress, &length) == 0,
                Int(length) >= offset + 8
            else { return nil }
            return bytes.load(fromByteOffset: offset, as: UInt64.self)
        }
    }

    /// `127.0.0.1`, `::1`, or `unix`. An IPv4 client of an IPv6 socket is written as IPv4.
    static func name(_ peer: UnsafePointer<sockaddr>?) -> String {
        guard let peer, [AF_INET, AF_INET6].contains(Int32(peer.pointee.sa_family)) else { return "unix" }
        let six = Int32(peer.pointee.sa_family) == AF_INET6
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
            let raw = UnsafeRawPointer(peer)
            // The address lies behind family and port, and in IPv6 behind the flow label.
            let written = inet_ntop(six ? AF_INET6 : AF_INET, raw + (six ? 8 : 4), text.baseAddress, socklen_t(text.count))
            return written.map { String(cString: $0) } ?? "unknown"
        }
        return text.hasPrefix("::ffff:") && text.contains(".") ? String(text.dropFirst(7)) : text
    }

    /// Lets the process open as many files as it may, and says how many that is.
    static func raiseFileLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return Int(clamping: limit.rlim_cur)
    }
}

/// Nanoseconds of the monotonic clock.
func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

func seconds(from start: UInt64, to end: UInt64) -> Double { end > start ? Double(end - start) / 1e9 : 0 }
