import CMicroHTTPD
import Glibc
import HTTP

/// A response in the library's form, freed with this object unless the library still sends it.
struct Outgoing: ~Copyable {
    let handle: OpaquePointer
    let stream: Stream?

    /// nil when there is no memory left for it.
    init?(_ response: Response, id: String, closes: Bool, for connection: Connection) {
        let created: OpaquePointer?
        switch response.body {
        case .bytes(let bytes):
            stream = nil
            created = bytes.withUnsafeBytes {
                // Copied, because a Swift array promises no address beyond this call. The library does not write to it.
                MHD_create_response_from_buffer(
                    $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
            }
        case .stream(let pull):
            let source = Stream { pull().map { .bytes($0) } ?? .end }
            (stream, created) = (source, Outgoing.response(of: source))
        case .live(let pull):
            let nap = connection.nap()
            let bell = Response.Bell { [weak connection] in connection?.ring(nap) }
            let source = Stream({ pull(bell) }, sleep: { [weak connection] in connection?.sleep(nap) ?? .over })
            (stream, created) = (source, Outgoing.response(of: source))
        }
        guard let created else { return nil }
        handle = created
        for field in response.headers.fields { Self.add(field.name, field.value, to: created) }
        Self.add("Request-Id", id, to: created)
        Self.add("X-Content-Type-Options", "nosniff", to: created)
        if closes { Self.add("Connection", "close", to: created) }
    }

    /// A string passed to C as it is would be copied first.
    private static func add(_ name: String, _ value: String, to response: OpaquePointer) {
        name.withCString { name in value.withCString { _ = MHD_add_response_header(response, name, $0) } }
    }

    private static func response(of source: Stream) -> OpaquePointer? {
        MHD_create_response_from_callback(
            UInt64.max, Stream.blockBytes, pullPiece, Unmanaged.passRetained(source).toOpaque(), freeStream)
    }

    deinit { MHD_destroy_response(handle) }
}

/// Cuts the pieces of a stream to what the library has room for.
///
/// Used by the library's thread, or by the sender's while the connection sleeps.
final class Stream {
    static let blockBytes = 32 << 10
    private(set) var bytesRead = 0
    private let pull: () -> Response.Piece
    private let sleep: () -> Connection.Sleep
    private var piece: ArraySlice<UInt8> = []
    private var hasEnded = false

    init(_ pull: @escaping () -> Response.Piece, sleep: @escaping () -> Connection.Sleep = { .over }) {
        self.pull = pull
        self.sleep = sleep
    }

    /// - Returns: 0 with the connection suspended: otherwise it would mean "ask again at once, for ever".
    func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        let end = -1  // MHD_CONTENT_READER_END_OF_STREAM
        while piece.isEmpty {
            if hasEnded { return end }
            switch pull() {
            case .bytes(let more): piece = more[...]
            case .end: hasEnded = true
            case .notYet:
                switch sleep() {
                case .asleep: return 0
                case .woken: continue
                case .over: hasEnded = true
                }
            }
        }
        let part = piece.prefix(room.count)
        part.withUnsafeBytes { room.copyMemory(from: $0) }
        piece = piece.dropFirst(part.count)
        bytesRead += part.count
        return part.count
    }

    /// Sends what there is past the library, while the connection is suspended.
    ///
    /// - Returns: false where there is something left for the library to do, true where there is nothing to say yet.
    func sendChunks(to descriptor: Int32) -> Bool {
        // A source that has more to say all the time must not keep the others waiting.
        for _ in 0..<16 {
            switch pull() {
            case .notYet: return true
            case .end:
                hasEnded = true
                return false
            case .bytes(let more):
                guard !more.isEmpty else { continue }
                guard Socket.sendChunk(more, to: descriptor) else {
                    piece = more[...]
                    return false
                }
                bytesRead += more.count
            }
        }
        return false
    }
}

private let pullPiece: MHD_ContentReaderCallback = { context, _, room, count in
    guard let context, let room else { return -1 }
    let stream = Unmanaged<Stream>.fromOpaque(context).takeUnretainedValue()
    return stream.read(into: UnsafeMutableRawBufferPointer(start: room, count: count))
}

private let freeStream: MHD_ContentReaderFreeCallback = { context in
    if let context { Unmanaged<Stream>.fromOpaque(context).release() }
}
