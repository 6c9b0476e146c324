/// A parsed JSON text (RFC 8259, restricted to I-JSON, RFC 7493). Numbers stay text, so that nothing is rounded.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The number's characters as sent: `12`, `-0.5e3`.
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    package struct Member: Sendable, Equatable {
        package let name: String
        package let value: JSON
        package init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }
}
