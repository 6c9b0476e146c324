/// Finds which route answers a path, by its segments; a segment in braces takes any one.
package struct Router: Sendable {
    package enum Match: Sendable, Equatable {
        /// The route's place in the list, and what stood at the segments in braces, in order, as sent.
        case found(Int, parameters: [Substring])
        /// The path is known, but not with this method.
        case otherMethod(template: String, allowed: [String])
        case unknown
    }

    private struct Node: Sendable {
        var literals: [Substring: Int] = [:]
        var parameter: Int?
        /// Parameters with something behind them: `{id}.ics`.
        var suffixed: [(suffix: String, index: Int)] = []
        /// By method, the route's place in the list.
        var routes: [(method: String, place: Int)] = []
        var template = ""
    }

    private var nodes = [Node()]
    /// The nodes of templates without a parameter, which need no walk.
    private var literals: [String: Int] = [:]

    /// - Parameter routes: each method and template, as `/v1/coops/{id}`, once.
    package init(_ routes: [(method: String, template: String)]) {
        for (place, (method, template)) in routes.enumerated() {
            let index = Self.segments(template).reduce(0) { child(of: $0, at: $1) }
            precondition(!nodes[index].routes.contains { $0.method == method }, "\(method) \(template) stands twice")
            nodes[index].routes.append((method, place))
            nodes[index].template = template
            if !template.contains("{") { literals[template] = index }
        }
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
        guard path.utf8.first == UInt8(ascii: "/"), let index = literals[path] ?? walk(Self.segments(path), 0, from: 0, &parameters) else { return .unknown }
        let wanted = method == "HEAD" ? "GET" : method
        for route in nodes[index].routes where route.method == wanted { return .found(route.place, parameters: parameters) }
        var allowed = nodes[index].routes.map { $0.method }
        if allowed.contains("GET") { allowed.append("HEAD") }
        return .otherMethod(template: nodes[index].template, allowed: (allowed + ["OPTIONS"]).sorted())
    }

    /// A literal segment goes before one in braces, which is tried where the literal leads nowhere.
    private func walk(_ segments: [Substring], _ depth: Int, from index: Int, _ parameters: inout [Substring]) -> Int? {
        guard depth < segments.count else { return nodes[index].routes.isEmpty ? nil : index }
        let segment = segments[depth]
        if let next = nodes[index].literals[segment], let found = walk(segments, depth + 1, from: next, &parameters) { return found }
        let count = parameters.count
        for (suffix, next) in nodes[index].suffixed where segment.hasSuffix(suffix) {
            parameters.append(segment.dropLast(suffix.count))
            if let found = walk(segments, depth + 1, from: next, &parameters) { return found }
            parameters.removeSubrange(count...)
        }
        guard let next = nodes[index].parameter else { return nil }
        parameters.append(segment)
        if let found = walk(segments, depth + 1, from: next, &parameters) { return found }
        parameters.removeSubrange(count...)
        return nil
    }

    /// A trailing or doubled slash gives an empty segment, which no template has.
    private static func segments(_ path: String) -> [Substring] {
        var segments: [Substring] = []
        segments.reserveCapacity(8)
        var rest = path.utf8.dropFirst()
        while let slash = rest.firstIndex(of: UInt8(ascii: "/")) {
            segments.append(Substring(rest[..<slash]))
            rest = rest[rest.index(after: slash)...]
        }
        segments.append(Substring(rest))
        return segments
    }
}
