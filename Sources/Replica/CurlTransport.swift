import CCurl

/// Reaches the server by libcurl, over one connection that is kept.
package final class CurlTransport: Transport {
    private let server: String
    private let token: String?
    private let app: String
    private let handle: OpaquePointer?
    /// An answer is a page of 1,000 records, or the difference to 10,000.
    private static let most = 256 << 20

    /// - Parameters:
    ///   - server: `https://…`, without a path.
    ///   - app: what the co-op's manager sees as this device's app.
    package init(server: String, token: String?, app: String = "viecoop-replica") {
        self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
        self.token = token
        self.app = app
        handle = curl_easy_init().map { OpaquePointer($0) }
    }

    deinit { if let handle { curl_easy_cleanup(UnsafeMutableRawPointer(handle)) } }

    package func send(_ request: ReplicaRequest) throws -> ReplicaAnswer {
        guard let handle = handle.map({ UnsafeMutableRawPointer($0) }) else { throw ReplicaError.unreachable("libcurl has no memory") }
        // Settings of the request before; the connection stays.
        curl_easy_reset(handle)
        var headers: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(headers) }
        var lines = ["Accept: application/json", "Accept-Language: en", "Expect:", "Viecoop-App: \(app)", "Request-Id: \(request.id)"]
        if let token { lines.append("Authorization: Bearer \(token)") }
        if request.body != nil { lines.append("Content-Type: application/json") }
        for line in lines { headers = curl_slist_append(headers, line) }
        let received = Received(most: Self.most)
        _ = CCurl_setopt_string(handle, CURLOPT_URL, server + request.path)
        _ = CCurl_setopt_string(handle, CURLOPT_CUSTOMREQUEST, request.method)
        _ = CCurl_setopt_string(handle, CURLOPT_PROTOCOLS_STR, "https,http")
        _ = CCurl_setopt_string(handle, CURLOPT_ACCEPT_ENCODING, "gzip")
        _ = CCurl_setopt_pointer(handle, CURLOPT_HTTPHEADER, headers)
        _ = CCurl_setopt_long(handle, CURLOPT_NOSIGNAL, 1)
        _ = CCurl_setopt_long(handle, CURLOPT_CONNECTTIMEOUT, 15)
        // Less than 1 byte a second for a minute: also longer than the server holds a request that waits for news.
        _ = CCurl_setopt_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
        _ = CCurl_setopt_long(handle, CURLOPT_LOW_SPEED_TIME, 60)
        _ = CCurl_setopt_write(
            handle,
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return Unmanaged<Received>.fromOpaque(context).takeUnretainedValue().take(piece) ? size * count : 0
            }, Unmanaged.passUnretained(received).toOpaque())
        let code = (request.body ?? []).withUnsafeBytes { body in
            if request.body != nil {
                _ = CCurl_setopt_long(handle, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
                _ = CCurl_setopt_pointer(handle, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: body.baseAddress))
            }
            return withExtendedLifetime(received) { curl_easy_perform(handle) }
        }
        guard code == CURLE_OK else { throw ReplicaError.unreachable(String(cString: curl_easy_strerror(code))) }
        var (status, wait) = (0, 0)
        _ = CCurl_getinfo_long(handle, CURLINFO_RESPONSE_CODE, &status)
        _ = CCurl_getinfo_long(handle, CURLINFO_RETRY_AFTER, &wait)
        return ReplicaAnswer(status: status, body: received.bytes, retryAfter: wait > 0 ? wait : nil, requestID: Self.header("Request-Id", of: handle))
    }

    /// Of the last answer.
    private static func header(_ name: String, of handle: UnsafeMutableRawPointer) -> String? {
        var found: UnsafeMutablePointer<curl_header>?
        guard curl_easy_header(handle, name, 0, UInt32(CURLH_HEADER), -1, &found) == CURLHE_OK else { return nil }
        return found.map { String(cString: $0.pointee.value) }
    }

    private final class Received {
        private(set) var bytes: [UInt8] = []
        private let most: Int
        init(most: Int) { self.most = most }

        /// False ends the transfer.
        func take(_ piece: UnsafeRawBufferPointer) -> Bool {
            guard bytes.count + piece.count <= most else { return false }
            bytes.append(contentsOf: piece)
            return true
        }
    }
}
