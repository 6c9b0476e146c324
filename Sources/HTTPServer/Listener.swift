import CMicroHTTPD
import Glibc

/// A bound socket that listens, and the file behind it if it is a Unix socket.
package final class Listener: Sendable {
    let descriptor: Int32
    /// 0 on a Unix socket.
    let port: UInt16
    private let path: String?

    /// - Throws: with advice, if the address is taken, forbidden, unknown or malformed.
    package init(_ listener: ServerSettings.Listener) throws(ServerError) {
        switch listener {
        case .tcp(let host, let port):
            (descriptor, path) = (try Listener.bind(host: host, port: port), nil)
            self.port = Listener.port(of: descriptor)
        case .unix(let path):
            (descriptor, port, self.path) = (try Listener.bind(path: path), 0, path)
        }
        guard listen(descriptor, 4096) == 0 else {
            let reason = errno
            Glibc.close(descriptor)
            throw ServerError(description: "Cannot listen: \(text(of: reason)).")
        }
    }

    /// Refuses those who come from now on.
    package func close() {
        Glibc.close(descriptor)
        if let path { unlink(path) }
    }

    private static func bind(host: String, port: UInt16) throws(ServerError) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(CMicroHTTPD_SOCK_STREAM)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &found)
        guard result == 0, let address = found?.pointee else {
            throw ServerError(
                description: "Cannot listen on \(host): \(String(cString: gai_strerror(result))). "
                    + "Give an address of this machine, as in 127.0.0.1:8080.")
        }
        defer { freeaddrinfo(found) }
        let descriptor = try open(address.ai_family)
        // A restarted server must get its port back at once, in spite of the old connections' remains.
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard Glibc.bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 else {
            let reason = errno
            Glibc.close(descriptor)
            throw ServerError(description: "Cannot listen on \(host):\(port): \(advice(reason, port: port))")
        }
        return descriptor
    }

    private static func bind(path: String) throws(ServerError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard (1..<room).contains(path.utf8.count), !path.utf8.contains(0) else {
            throw ServerError(description: "The socket's path \(path) has to have 1 to \(room - 1) bytes: use a shorter folder.")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = try open(AF_UNIX)
        // Linux gives the file this mode, so there is no moment at which others may connect.
        fchmod(descriptor, 0o600)
        func call(_ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32, _ socket: Int32) -> Int32 {
            withUnsafePointer(to: address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    function(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 ? 0 : errno
                }
            }
        }
        var result = call(Glibc.bind, descriptor)
        if result == EADDRINUSE {
            // Left behind by a process that died, unless somebody answers.
            let probe = try open(AF_UNIX)
            if call(connect, probe) == ECONNREFUSED {
                unlink(path)
                result = call(Glibc.bind, descriptor)
            }
            Glibc.close(probe)
        }
        guard result == 0 else {
            Glibc.close(descriptor)
            throw ServerError(description: "Cannot listen on \(path): \(advice(result, port: nil))")
        }
        return descriptor
    }

    private static func open(_ family: Int32) throws(ServerError) -> Int32 {
        let descriptor = CMicroHTTPD_streamSocket(family)
        guard descriptor >= 0 else { throw ServerError(description: "Cannot open a socket: \(text(of: errno)).") }
        return descriptor
    }

    private static func port(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { storage in
            let result = storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            guard result == 0 else { return 0 }
            // The port has the same place in sockaddr_in and sockaddr_in6.
            return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin_port) }
        }
    }

    private static func advice(_ reason: Int32, port: UInt16?) -> String {
        switch reason {
        case EADDRINUSE:
            port == nil
                ? "another server answers there. Stop it, or choose another data folder."
                : "the port is in use. Stop the program that holds it (`ss -ltnp` shows it), or choose another port with --listen."
        case EACCES: port == nil ? "permission denied." : "permission denied. Choose a port above 1023."
        case EADDRNOTAVAIL: "this machine has no such address. 127.0.0.1 and 0.0.0.0 always work."
        default: "\(text(of: reason))."
        }
    }
}

func text(of reason: Int32) -> String { String(cString: strerror(reason)) }
