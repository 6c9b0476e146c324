import Domain
import HTTP
import JSON
import Text

/// A request on its way through the API: matched, and its caller known.
package struct Call: Sendable {
    package let request: Request
    package let caller: Caller
    package let template: String
    /// What stood at the segments in braces, in order, as sent.
    let parameters: [Substring]
    /// The query's names and values, decoded, in order.
    package let query: [(name: String, value: String)]

    /// The caller's address, as limits count it.
    let remote: String
    /// Whether the caller's address counts against limits.
    let isLimited: Bool

    init(_ request: Request, caller: Caller, template: String, parameters: [Substring], remote: String = "", isLimited: Bool = false) throws(Problem) {
        guard let query = Query.parse(request.query) else {
            throw .parameter("query", en: "The query has a broken percent escape.", fr: "La requête contient un échappement (%) incorrect.")
        }
        // A token in an address ends in logs and histories; it is not even looked at.
        if query.contains(where: { $0.name == "token" || $0.name == "access_token" }) { throw .unauthorized() }
        self.request = request
        self.caller = caller
        self.template = template
        self.parameters = parameters
        self.remote = remote
        self.isLimited = isLimited
        self.query = query
    }

    /// The id in the path.
    ///
    /// - Throws: 400 `id.format`.
    func id<R>(of type: R.Type, at index: Int = 0) throws(Problem) -> Identifier<R> {
        guard parameters.indices.contains(index), let id = Identifier<R>(parameters[index]) else { throw .idFormat }
        return id
    }

    /// Refuses a query where the endpoint has none.
    func takesNoQuery() throws(Problem) {
        guard let first = query.first else { return }
        throw .parameter(first.name, en: "This address takes no query.", fr: "Cette adresse n'accepte aucun paramètre.")
    }

    /// Refuses a parameter that stands twice, of which one would be ignored.
    func takesEachParameterOnce() throws(Problem) {
        guard query.count > 1 else { return }
        var seen: Set<String> = []
        guard let double = query.first(where: { !seen.insert($0.name).inserted }) else { return }
        throw .parameter(double.name, en: "`\(double.name)` stands twice.", fr: "`\(double.name)` figure deux fois.")
    }

    /// Whether the caller wants to be led to the record that another was merged into; the only question that a read may ask.
    func follows() throws(Problem) -> Bool {
        if let other = query.first(where: { $0.name != "follow" }) {
            throw .parameter(other.name, en: "This address takes no query but `follow`.", fr: "Cette adresse n'accepte que le paramètre `follow`.")
        }
        guard query.count <= 1, query.first.map({ $0.value == "true" || $0.value == "false" }) ?? true else {
            throw .parameter("follow", en: "`follow` must be true or false.", fr: "`follow` doit valoir true ou false.")
        }
        return query.first?.value != "false"
    }

    /// The body as JSON.
    ///
    /// - Throws: 415 for another type or a charset other than UTF-8, 400 for an empty body or what is no JSON.
    func json(_ mediaType: String = "application/json", limits: JSONLimits = .standard) throws(Problem) -> JSON {
        let types = request.headers.all("Content-Type")
        guard types.count == 1, let type = types.first, MediaType.matches(type, mediaType) else {
            let field = mediaType.contains("merge-patch") ? "Accept-Patch" : "Accept-Post"
            throw Problem(
                415, "media-type.unsupported", title: Bilingual(en: "Unsupported media type", fr: "Type de contenu non pris en charge"),
                detail: Bilingual(en: "Send the body as \(mediaType), in UTF-8.", fr: "Envoyez le contenu en \(mediaType), en UTF-8."),
                headers: [field: mediaType])
        }
        do throws(JSONError) {
            return try JSON.parse(request.body, limits: limits)
        } catch {
            throw Problem(error)
        }
    }

    /// Refuses a body where the operation needs none; an empty object says nothing either.
    func takesNoBody() throws(Problem) {
        guard !request.body.isEmpty else { return }
        guard try json() != .object([]) else { return }
        throw Problem(
            422, "body.unexpected", title: Bilingual(en: "No body belongs here", fr: "Aucun contenu attendu"),
            detail: Bilingual(en: "Send this request without a body.", fr: "Envoyez cette requête sans contenu."))
    }

    /// What `If-Match` asks (RFC 9110 section 13.1.1).
    ///
    /// - Throws: 400 for a value that is no list of entity tags, or has more than 20.
    func expectation() throws(Problem) -> Expectation {
        let fields = request.headers.all("If-Match")
        guard !fields.isEmpty else { return .none }
        guard let tags = EntityTags(fields.joined(separator: ",")) else {
            throw .header("If-Match", en: "must be entity tags as they were sent, such as \"4190.c\", at most 20", fr: "doit contenir des ETag tels que reçus, comme \"4190.c\", 20 au plus")
        }
        switch tags {
        case .any: return .any
        // A weak tag never matches strongly.
        case .list(let tags): return .oneOf(tags.filter { !$0.isWeak }.compactMap { ETag(opaque: $0.opaque) })
        }
    }

    /// Whether the client has this version already (RFC 9110 section 13.1.2).
    func clientHas(_ etag: String) -> Bool {
        let fields = request.headers.all("If-None-Match")
        guard !fields.isEmpty, let tags = EntityTags(fields.joined(separator: ",")) else { return false }
        switch tags {
        case .any: return true
        case .list(let tags): return tags.contains { "\"\($0.opaque)\"" == etag }
        }
    }
}

/// A list of entity tags, or `*`.
enum EntityTags {
    case any
    case list([(isWeak: Bool, opaque: Substring)])

    /// - Returns: nil for what is no such list, or one of more than 20.
    init?(_ text: String) {
        var rest = text[...]
        func skipBlanks() { rest = rest.drop { $0 == " " || $0 == "\t" } }
        skipBlanks()
        if rest.hasPrefix("*") {
            rest = rest.dropFirst()
            skipBlanks()
            guard rest.isEmpty else { return nil }
            self = .any
            return
        }
        var tags: [(isWeak: Bool, opaque: Substring)] = []
        while true {
            skipBlanks()
            let isWeak = rest.hasPrefix("W/")
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\""), tags.count < 20 else { return nil }
            tags.append((isWeak, rest[rest.index(after: rest.startIndex)..<end]))
            rest = rest[rest.index(after: end)...]
            skipBlanks()
            if rest.isEmpty { break }
            guard rest.first == "," else { return nil }
            rest = rest.dropFirst()
        }
        self = .list(tags)
    }
}

/// Media types as far as we need them (RFC 9110 sections 8.3 and 12.5.1).
enum MediaType {
    /// Whether a Content-Type is this type, with no charset or UTF-8.
    static func matches(_ value: String, _ type: String) -> Bool {
        if value == type { return true }
        let parts = value.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
        guard parts.first == type else { return false }
        return parts.dropFirst().allSatisfy { !$0.hasPrefix("charset=") || $0 == "charset=utf-8" || $0 == "charset=\"utf-8\"" }
    }

    /// The first of our types that the Accept field takes, by its weights; nil where it takes none. Only 20 ranges count.
    static func choose(_ accept: String?, from offers: [String]) -> String? {
        // What most clients send is quickly told.
        guard let accept, !accept.isEmpty, accept != "*/*" else { return offers.first }
        if offers.contains(accept) { return accept }
        var best: (offer: String, weight: Double, exactness: Int)?
        for offer in offers {
            var match: (weight: Double, exactness: Int)?
            for range in accept.lowercased().split(separator: ",").prefix(20) {
                let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
                guard let name = parts.first else { continue }
                let exactness = name == offer ? 2 : name == "*/*" ? 0 : name.hasSuffix("/*") && offer.hasPrefix(name.dropLast()) ? 1 : -1
                guard exactness >= 0, exactness > match?.exactness ?? -1 else { continue }
                let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
                match = (weight, exactness)
            }
            guard let match, match.weight > 0 else { continue }
            if best.map({ match.weight > $0.weight }) ?? true { best = (offer, match.weight, match.exactness) }
        }
        return best?.offer
    }
}
