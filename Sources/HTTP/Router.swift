/// Finds what answers a path, by its segments; a segment in braces takes any one.
package struct Router<Endpoint: Sendable>: Sendable {
    package enum Match: Sendable {
        /// The endpoint, its template, and what stood at the segments in braces, in order, as sent.
        case found(Endpoint, template: String, parameters: [Substring])
        /// The path is known, but not with this method.
        case otherMethod(template: String, allowed: [String])
        case unknown
    }

    private struct Node: Sendable {
        var literals: [Substring: Int] = [:]
        var parameter: Int?
        var endpoints: [(method: String, endpoint: Endpoint)] = []
        var template = ""
    }

    private var nodes = [Node()]
    /// Every method and template, in the order added.
    package private(set) var routes: [(method: String, template: String)] = []

    package init() {}

    /// - Parameter template: `/v1/coops/{id}`.
    package mutating func add(_ method: String, _ template: String, _ endpoint: Endpoint) {
        var index = 0
        for segment in Self.segments(template[...]) {
            let isParameter = segment.hasPrefix("{")
            if let next = isParameter ? nodes[index].parameter : nodes[index].literals[segment] {
                index = next
                continue
            }
            nodes.append(Node())
            if isParameter { nodes[index].parameter = nodes.count - 1 } else { nodes[index].literals[segment] = nodes.count - 1 }
            index = nodes.count - 1
        }
        precondition(!nodes[index].endpoints.contains { $0.method == method }, "\(method) \(template) stands twice")
        nodes[index].endpoints.append((method, endpoint))
        nodes[index].template = template
        routes.append((method, template))
    }

    /// HEAD finds what GET does: its answer differs in nothing but the body.
    package func match(_ method: String, _ path: String) -> Match {
        var index = 0
        var parameters: [Substring] = []
        for segment in Self.segments(path[...]) {
            if let next = nodes[index].literals[segment] {
                index = next
            } else if let next = nodes[index].parameter {
                parameters.append(segment)
                index = next
            } else {
                return .unknown
            }
        }
        let node = nodes[index]
        guard !node.endpoints.isEmpty else { return .unknown }
        let wanted = method == "HEAD" ? "GET" : method
        if let endpoint = node.endpoints.first(where: { $0.method == wanted })?.endpoint {
            return .found(endpoint, template: node.template, parameters: parameters)
        }
        var allowed = node.endpoints.map(\.method)
        if allowed.contains("GET") { allowed.append("HEAD") }
        return .otherMethod(template: node.template, allowed: (allowed + ["OPTIONS"]).sorted())
    }

    /// A trailing or doubled slash gives an empty segment, which no template has.
    private static func segments(_ path: Substring) -> [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }
}
