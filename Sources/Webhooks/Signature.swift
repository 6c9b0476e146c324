import Crypto

/// How a message proves where it comes from (Standard Webhooks 1.0.0).
package enum Signature {
    /// The value of `webhook-signature`: one signature for each key, by spaces.
    ///
    /// - Parameters:
    ///   - timestamp: Unix seconds of this attempt.
    ///   - body: the very bytes that are sent.
    package static func header(id: String, timestamp: Int64, body: [UInt8], keys: [[UInt8]]) -> String {
        let signed = Array("\(id).\(timestamp).".utf8) + body
        return keys.map { "v1," + Crypto.base64(Crypto.hmacSHA256(key: $0, signed)) }.joined(separator: " ")
    }
}
