/// What one server listens on, and the bounds it holds its clients to (api.md, "Bad input and attacks").
package struct ServerSettings: Sendable {
    package enum Listener: Sendable {
        /// A name or address, without brackets for IPv6; port 0 asks for any free one.
        case tcp(host: String, port: UInt16)
        /// A socket file that only its owner may open (mode 0600).
        case unix(path: String)
    }

    package var listener: Listener
    /// Threads that parse, answer and send. nil: one a core, which is what measured best.
    package var threads: Int?
    package var bodyLimit = 1 << 20
    /// What all bodies at work may take together, beyond the first `smallBody` bytes of each: a client may take a quarter of an
    /// hour to send one, and need not show a token before.
    package var bodyMemory = 256 << 20
    package var smallBody = 16 << 10
    package var uriLimit = 8 << 10
    /// Of all header lines together.
    package var headerBytes = 16 << 10
    package var headerLines = 64
    /// Memory that the library keeps for each connection, also for one that waits: 5,000 of these are 80 MB. A request's head
    /// has to fit into it, with 56 bytes more for each line and query parameter, and then the answer's head; a greater one
    /// gets the library's own 414 or 431, in HTML, whatever the limits above say.
    package var poolBytes = 16 << 10
    /// From the connection, or the request line of a later request, to the end of the headers.
    package var headerDeadline = 10.0
    /// A body has to have arrived after `bodyGrace` seconds and one more for each `bodyRate` bytes of it so far.
    package var bodyGrace = 5.0
    package var bodyRate = 1024.0
    /// An answer of which the client acknowledges nothing for so long is given up.
    package var writeStall = 30.0
    /// Between two requests.
    package var idle = 15.0
    /// How long a refused client may go on sending, so that it finds the time to read why (RFC 9112 section 9.6).
    package var linger = 2.0
    /// At `stop`, a connection without a request for so long is closed; one that is busier hears `Connection: close` first.
    package var quietAtStop = 0.25
    /// More than these wait in the kernel's backlog until one closes. nil: what the limit on open files allows.
    package var connectionLimit: Int?

    package init(listener: Listener) { self.listener = listener }

    /// How often deadlines are looked at: a quarter of the shortest, so that none is overrun by more.
    var tick: Double { min(1, max(0.005, [headerDeadline, bodyGrace, writeStall, idle, linger].min().map { $0 / 4 } ?? 1)) }
}

/// Why a server could not start, for whoever started it: what happened and what to try.
package struct ServerError: Error, CustomStringConvertible, Equatable {
    package let description: String
}
