import CCrypto

/// libcrypto's hashes and randomness as plain functions.
package enum Crypto {
    /// Looked up once, since `SHA256()` does so at each call, which costs more than to hash a token. libcrypto never
    /// changes a fetched algorithm, so threads may share it (EVP_MD_fetch(3)).
    nonisolated(unsafe) private static let sha256Algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    /// SHA-256 (FIPS 180-4), 32 bytes.
    package static func sha256(_ bytes: some Collection<UInt8>) -> [UInt8] {
        bytes.withContiguousStorageIfAvailable(sha256(of:)) ?? Array(bytes).withUnsafeBufferPointer(sha256(of:))
    }

    private static func sha256(of bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            let result = EVP_Digest(bytes.baseAddress, bytes.count, digest.baseAddress, nil, sha256Algorithm, nil)
            precondition(result == 1, "SHA-256 is part of every libcrypto")
            count = 32
        }
    }

    /// HMAC-SHA256 (RFC 2104), 32 bytes.
    package static func hmacSHA256(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let result = HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, &digest, &count)
        precondition(result != nil && count == 32, "HMAC-SHA256 is part of every libcrypto")
        return digest
    }

    /// Base64 with padding (RFC 4648 section 4).
    package static func base64(_ bytes: [UInt8]) -> String {
        // The encoder adds a NUL.
        var encoded = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&encoded, bytes, Int32(bytes.count))
        return String(decoding: encoded.prefix(Int(count)), as: UTF8.self)
    }

    /// Bytes fit for keys, from the operating system's generator.
    package static func randomBytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        precondition(RAND_bytes(&bytes, Int32(count)) == 1, "the operating system gave no random bytes")
        return bytes
    }

    /// Compares without telling by its duration where the first difference is.
    package static func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}
