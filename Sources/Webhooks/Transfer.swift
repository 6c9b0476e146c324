import CCurl
import Domain
import Glibc
import SQLite

/// One request of libcurl's, from its start to its last byte. Used again for the next one, since a handle is dear to make.
///
/// libcurl calls back into it while it is under way, which is why it stays where it is until then.
final class Transfer {
    struct Job {
        let webhook: Webhook
        let event: Event
        /// Made before this one.
        let attempts: Int
        /// From the log of deliveries, not from behind the webhook's position.
        let isRetry: Bool
    }

    struct Limits: Sendable {
        var seconds = 15
        var answerBytes = 65_536
    }

    private static let excerptBytes = 1024

    let handle: UnsafeMutableRawPointer
    private(set) var job: Job?
    private let addressGuard: AddressGuard
    private let limits: Limits
    private var fields: UnsafeMutablePointer<curl_slist>?
    private var names: UnsafeMutablePointer<curl_slist>?
    private var isPlain = false
    private var received = 0
    private var excerpt: [UInt8] = []
    private var wasRefused = false
    private var at = Timestamp(milliseconds: 0)
    private var start = MonotonicInstant.now

    /// - Returns: nil where libcurl has no memory.
    init?(_ addressGuard: AddressGuard, _ limits: Limits) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.addressGuard = addressGuard
        self.limits = limits
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(fields)
        curl_slist_free_all(names)
    }

    // MARK: Before

    /// Makes everything ready for libcurl.
    ///
    /// - Parameter resolve: what names stand for, in the form of CURLOPT_RESOLVE; empty where the system knows.
    func prepare(_ job: Job, at now: Timestamp, resolve: [String]) {
        self.job = job
        (at, start, received, excerpt, wasRefused) = (now, .now, 0, [], false)
        isPlain = job.webhook.url.lowercased().hasPrefix("http://")
        curl_easy_reset(handle)
        let seconds = now.milliseconds / 1000
        let body = job.event.body
        let signature = Signature.header(id: job.event.id, timestamp: seconds, body: body, keys: job.webhook.secrets.keys(at: now))
        curl_slist_free_all(fields)
        fields = Self.list([
            "Content-Type: application/json", "webhook-id: \(job.event.id)", "webhook-timestamp: \(seconds)", "webhook-signature: \(signature)", "Expect:",
        ])
        curl_slist_free_all(names)
        names = Self.list(resolve)
        _ = CCurl_setopt_string(handle, CURLOPT_URL, job.webhook.url)
        _ = CCurl_setopt_pointer(handle, CURLOPT_HTTPHEADER, fields)
        _ = CCurl_setopt_long(handle, CURLOPT_POSTFIELDSIZE, body.count)
        body.withUnsafeBytes { _ = CCurl_setopt_pointer(handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: $0.baseAddress)) }
        if names != nil { _ = CCurl_setopt_pointer(handle, CURLOPT_RESOLVE, names) }
        confine()
        listen()
    }

    private static func list(_ lines: [String]) -> UnsafeMutablePointer<curl_slist>? {
        lines.reduce(nil) { curl_slist_append($0, $1) }
    }

    /// Nothing but what was asked for: no other protocol, place, proxy, file of passwords or length of time.
    private func confine() {
        _ = CCurl_setopt_string(handle, CURLOPT_PROTOCOLS_STR, isPlain ? "http" : "https")
        _ = CCurl_setopt_string(handle, CURLOPT_PROXY, "")
        _ = CCurl_setopt_long(handle, CURLOPT_FOLLOWLOCATION, 0)
        _ = CCurl_setopt_long(handle, CURLOPT_NETRC, 0)
        _ = CCurl_setopt_long(handle, CURLOPT_SSL_VERIFYPEER, 1)
        _ = CCurl_setopt_long(handle, CURLOPT_SSL_VERIFYHOST, 2)
        _ = CCurl_setopt_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        _ = CCurl_setopt_string(handle, CURLOPT_USERAGENT, "viecoop")
        _ = CCurl_setopt_long(handle, CURLOPT_TIMEOUT, limits.seconds)
        _ = CCurl_setopt_long(handle, CURLOPT_NOSIGNAL, 1)
        // A resolver that hangs must not hold up the thread when the time is over.
        _ = CCurl_setopt_long(handle, CURLOPT_QUICK_EXIT, 1)
        _ = CCurl_setopt_long(handle, CURLOPT_MAXAGE_CONN, 60)
    }

    // MARK: Meanwhile

    private func listen() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        _ = CCurl_setopt_write(
            handle,
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().take(UnsafeRawBufferPointer(start: bytes, count: size * count), isBody: true)
            }, context)
        _ = CCurl_setopt_header(
            handle,
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().take(UnsafeRawBufferPointer(start: bytes, count: size * count), isBody: false)
            }, context)
        _ = CCurl_setopt_open(
            handle,
            { context, _, address in
                guard let context, let address else { return CURL_SOCKET_BAD }
                return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().open(address)
            }, context)
    }

    /// - Returns: less than it was given once the answer is too long, which ends the transfer.
    private func take(_ bytes: UnsafeRawBufferPointer, isBody: Bool) -> Int {
        received += bytes.count
        if isBody, excerpt.count < Self.excerptBytes { excerpt += bytes.prefix(Self.excerptBytes - excerpt.count) }
        return received > limits.answerBytes ? 0 : bytes.count
    }

    /// The one place where a socket is made, when the name has become an address.
    private func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        guard let target = CCurl_sockaddr(address), let (ip, port) = IPAddress.read(target, length: Int(address.pointee.addrlen)),
            addressGuard.permits(ip, port: port, isPlain: isPlain)
        else {
            wasRefused = true
            return CURL_SOCKET_BAD
        }
        return socket(address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
    }

    // MARK: Afterwards

    struct Result {
        let verdict: RetryPolicy.Verdict
        let attempt: Delivery.Attempt
        /// Seconds that the receiver asks for.
        let retryAfter: Int?
    }

    func finish(_ code: CURLcode) -> Result {
        var status = 0
        _ = CCurl_getinfo_long(handle, CURLINFO_RESPONSE_CODE, &status)
        var retryAfter: curl_off_t = 0
        _ = CCurl_getinfo_offset(handle, CURLINFO_RETRY_AFTER, &retryAfter)
        let known = status == 0 ? nil : status
        let verdict = RetryPolicy.verdict(status: known, isWhole: code == CURLE_OK)
        let spent = (MonotonicInstant.now.nanoseconds - start.nanoseconds) / 1_000_000
        let answer = known.map { _ in String(decoding: excerpt, as: UTF8.self).replacing("\0", with: "\u{FFFD}") }
        job = nil
        return Result(
            verdict: verdict,
            attempt: Delivery.Attempt(
                at: at, milliseconds: Int(spent), status: known, error: verdict == .delivered ? nil : reason(code, status), answer: answer),
            retryAfter: retryAfter > 0 ? Int(clamping: retryAfter) : nil)
    }

    /// Why it failed, as the log of deliveries names it.
    private func reason(_ code: CURLcode, _ status: Int) -> String {
        switch code {
        case CURLE_OK: (300..<400).contains(status) ? "redirect" : "status"
        case _ where received > limits.answerBytes: "answer.too-large"
        case _ where wasRefused: "address.forbidden"
        case CURLE_OPERATION_TIMEDOUT: "timeout"
        case CURLE_COULDNT_RESOLVE_HOST: "name.unknown"
        case CURLE_COULDNT_CONNECT: "connection.refused"
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER: "tls"
        default: "connection.lost"
        }
    }
}
