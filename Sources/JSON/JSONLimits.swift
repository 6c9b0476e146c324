/// How much one JSON text may hold.
package struct JSONLimits: Sendable {
    /// Arrays and objects inside each other. The reader has no stack of calls to overflow, but whoever walks or frees the
    /// value has, so keep it to tens.
    package let depth: Int
    /// Members of all objects and elements of all arrays, together.
    package let members: Int

    package init(depth: Int = 32, members: Int = 10_000) {
        self.depth = depth
        self.members = members
    }

    /// What a request's body may hold.
    package static let standard = JSONLimits()
}
