import CZlib

/// gzip for answers (RFC 1952), by zlib.
final class Gzip {
    /// Fast rather than small: an answer is sent once, and level 1 is three times as fast as the default for 10 % more bytes.
    private static let level: Int32 = 1
    private var stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() {
        stream.initialize(to: z_stream())
        precondition(CZlib_deflate_init_gzip(stream, Self.level) == Z_OK, "no memory for a compressor")
    }

    deinit {
        deflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// - Parameter isLast: ends the gzip member; otherwise what came so far is flushed, so that a reader can use it.
    func compress(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        var input = bytes
        var output: [UInt8] = []
        input.withUnsafeMutableBufferPointer { buffer in
            stream.pointee.next_in = buffer.baseAddress
            stream.pointee.avail_in = UInt32(buffer.count)
            repeat {
                let piece = [UInt8](unsafeUninitializedCapacity: 32_768) { space, count in
                    stream.pointee.next_out = space.baseAddress
                    stream.pointee.avail_out = UInt32(space.count)
                    deflate(stream, isLast ? Z_FINISH : Z_SYNC_FLUSH)
                    count = space.count - Int(stream.pointee.avail_out)
                }
                output += piece
            } while stream.pointee.avail_out == 0
        }
        return output
    }
}
