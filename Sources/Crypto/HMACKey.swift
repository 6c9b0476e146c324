import CCrypto

/// A key of HMAC-SHA256 (RFC 2104) for many codes. What libcrypto makes of key and algorithm, it makes once; each code begins with a copy,
/// at a third of the cost of `Crypto.hmacSHA256`.
// Unchecked: a context is only copied from once it has its key.
package final class HMACKey: @unchecked Sendable {
    private let context: OpaquePointer

    package init(_ key: [UInt8]) {
        let algorithm = EVP_MAC_fetch(nil, "HMAC", nil)
        defer { EVP_MAC_free(algorithm) }
        var name = Array("SHA256".utf8CString)
        let made = name.withUnsafeMutableBufferPointer { name -> OpaquePointer? in
            let context = EVP_MAC_CTX_new(algorithm)
            var parameters = [OSSL_PARAM_construct_utf8_string("digest", name.baseAddress, 0), OSSL_PARAM_construct_end()]
            return EVP_MAC_init(context, key, key.count, &parameters) == 1 ? context : nil
        }
        guard let made else { preconditionFailure("HMAC-SHA256 is part of every libcrypto") }
        context = made
    }

    deinit { EVP_MAC_CTX_free(context) }

    /// The code of a message, 32 bytes.
    package func code(of message: [UInt8]) -> [UInt8] {
        let own = EVP_MAC_CTX_dup(context)
        defer { EVP_MAC_CTX_free(own) }
        return [UInt8](unsafeUninitializedCapacity: 32) { code, count in
            let isDone = EVP_MAC_update(own, message, message.count) == 1 && EVP_MAC_final(own, code.baseAddress, &count, 32) == 1
            precondition(isDone && count == 32, "HMAC-SHA256 is part of every libcrypto")
        }
    }
}
