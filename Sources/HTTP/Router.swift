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
        /// Parameters with something behind them: `{id}.ics`.
        var suffixed: [(suffix: String, index: Int)] = []
        var endpoints: [(method: String, endpoint: Endpoint)] = []
        var template = ""
    }

    private var nodes = [Node()]
    /// The nodes of templates without a parameter, which need no walk.
    private var literals: [String: Int] = [:]
    /// Every method and template, in the order added.
    package private(set) var routes: [(method: String, template: String)] = []

    package init() {}

    /// - Parameter template: `/v1/coops/{id}`.
    package mutating func add(_ method: String, _ template: String, _ endpoint: Endpoint) {
        var index = 0
        for segment in Self.segments(template[...]) {
            index = child(of: index, at: segment)
        }
        precondition(!nodes[index].endpoints.contains { $0.method == method }, "\(method) \(template) stands twice")
        nodes[index].endpoints.append((method, endpoint))
        nodes[index].template = template
        if !template.contains("{") { literals[template] = index }
        routes.append((method, template))
    }

    /// The node behind a segment of a template, made where there is none.
    private mutating func child(of index: Int, at segment: Substring) -> Int {
        let brace = segment.lastIndex(of: "}")
        let suffix = brace.map { String(segment[segment.index(after: $0)...]) } ?? ""
        let known = brace == nil ? nodes[index].literals[segment] : suffix.isEmpty ? nodes[index].parameter : nodes[index].suffixed.first { $0.suffix == suffix }?.index
        if let known { return known }
        nodes.append(Node())
        let new = nodes.count - 1
        if brace == nil {
            nodes[index].literals[segment] = new
        } else if suffix.isEmpty {
            nodes[index].parameter = new
        } else {
            nodes[index].suffixed.append((suffix, new))
        }
        return new
    }

    /// HEAD finds what GET does: its answer differs in nothing but the body.
    package func match(_ method: String, _ path: String) -> Match {
        var parameters: [Substring] = []
        guard let index = literals[path] ?? walk(path, &parameters) else { return .unknown }
        let wanted = method == "HEAD" ? "GET" : method
        for endpoint in nodes[index].endpoints where endpoint.method == wanted {
            return .found(endpoint.endpoint, template: nodes[index].template, parameters: parameters)
        }
        var allowed = nodes[index].endpoints.map { $0.method }
        if allowed.contains("GET") { allowed.append("HEAD") }
        return .otherMethod(template: nodes[index].template, allowed: (allowed + ["OPTIONS"]).sorted())
    }

    private func walk(_ path: String, _ parameters: inout [Substring]) -> Int? {
        walk(Self.segments(path[...])[...], from: 0, &parameters)
    }

    /// A literal segment goes before one in braces, which is tried where the literal leads nowhere.
    private func walk(_ segments: ArraySlice<Substring>, from index: Int, _ parameters: inout [Substring]) -> Int? {
        guard let segment = segments.first else { return nodes[index].endpoints.isEmpty ? nil : index }
        if let next = nodes[index].literals[segment], let found = walk(segments.dropFirst(), from: next, &parameters) { return found }
        let count = parameters.count
        for (suffix, next) in nodes[index].suffixed where segment.hasSuffix(suffix) {
            parameters.append(segment.dropLast(suffix.count))
            if let found = walk(segments.dropFirst(), from: next, &parameters) { return found }
            parameters.removeSubrange(count...)
        }
        guard let next = nodes[index].parameter else { return nil }
        parameters.append(segment)
        if let found = walk(segments.dropFirst(), from: next, &parameters) { return found }
        parameters.removeSubrange(count...)
        return nil
    }

    /// A trailing or doubled slash gives an empty segment, which no template has.
    private static func segments(_ path: Substring) -> [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }
}
