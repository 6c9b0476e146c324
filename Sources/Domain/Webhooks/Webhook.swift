import Crypto
import JSON
import SQLite
import Text

/// Another system's address that is told what happens: everything that the federation sees, or one co-op's own records.
package struct Webhook: Sendable {
    package enum Status: String, Sendable, CaseIterable {
        case active
        /// By its owner: what happens meanwhile waits.
        case paused
        /// By the server, which says why.
        case disabled
    }

    package enum DisabledReason: String, Sendable {
        /// It answered 410.
        case gone
        /// No attempt succeeded for days.
        case failing
    }

    package let id: Identifier<Webhook>
    /// nil: the federation's own.
    package let coop: Identifier<Coop>?
    package var url: String
    /// `pairing.signed`, `pairing.*`, `*`.
    package var events: [String]
    package var description: String
    /// Whether events of one record come one after the other, each when the one before has come through or is given up.
    package var isOrdered: Bool
    package var status = Status.active
    package var disabledReason: DisabledReason?
    package var secrets: WebhookSecrets
    /// Rises with each replay.
    package var run: Int64 = 1
    package var failingSince: Timestamp?
    package var delivered: Timestamp?
    package var meta: Meta

    /// Whether it is told of an event.
    package func hears(_ event: Event) -> Bool {
        let mayHear = coop.map { event.hearers.contains(.owners) && event.coops.contains($0) } ?? event.hearers.contains(.federation)
        return mayHear && events.contains { Self.pattern($0, matches: event.type) }
    }

    static func pattern(_ pattern: String, matches type: String) -> Bool {
        pattern == "*" || pattern == type || (pattern.hasSuffix(".*") && type.hasPrefix(pattern.dropLast()))
    }

    /// Whether the caller may see and change it.
    func belongs(to caller: Caller) -> Bool {
        caller.role == .federationAdmin || (caller.role == .coopManager && coop != nil && coop == caller.coop)
    }

    package var etag: ETag { ETag(rev: meta.rev, layer: (coop.map { Audience.office($0) } ?? .federation).letter) }
}

/// What a webhook's messages are signed with: the bytes, of which people see base64 behind `whsec_`.
package struct WebhookSecrets: Sendable {
    package private(set) var current: [UInt8]
    private var old: (key: [UInt8], until: Timestamp)?

    init() { current = Crypto.randomBytes(32) }

    init(current: [UInt8], old: [UInt8]?, until: Timestamp?) {
        self.current = current
        if let old, let until { self.old = (old, until) }
    }

    /// The keys that sign now, the newest first.
    package func keys(at now: Timestamp) -> [[UInt8]] {
        guard let old, old.until > now else { return [current] }
        return [current, old.key]
    }

    /// Makes a new one; the old one goes on signing until `time`, or not at all.
    mutating func rotate(keepingOldUntil time: Timestamp?) {
        old = time.map { (current, $0) }
        current = Crypto.randomBytes(32)
    }

    var stored: [Value] { [.blob(current), old.map { .blob($0.key) } ?? .null, old.map { .integer($0.until.milliseconds) } ?? .null] }

    package var text: String { "whsec_" + Crypto.base64(current) }
}

extension Webhook {
    /// What a client sends to make one, or to change one: nil stands for what is left as it is. The address has been checked.
    package struct Draft: Sendable {
        package var url: String?
        package var events: [String]?
        package var description: String?
        package var isOrdered: Bool?
        /// `active` or `paused`.
        package var status: Status?
        package init() {}
    }

    /// At most so many of one owner.
    static let limit = 20

    mutating func apply(_ draft: Draft) {
        url = draft.url ?? url
        events = draft.events ?? events
        description = draft.description ?? description
        isOrdered = draft.isOrdered ?? isOrdered
        guard let status = draft.status, status != self.status else { return }
        (self.status, disabledReason, failingSince) = (status, nil, nil)
    }
}

extension Codec where Value == String {
    /// The name of an event, or of several at once.
    package static let eventPattern: Codec = {
        let patterns = Set(EventType.all + EventType.all.compactMap { $0.split(separator: ".").first.map { "\($0).*" } } + ["*"])
        return .member(
            of: patterns, "event.unknown", en: "names no event; openapi.yaml lists them under webhooks; pairing.* and * take several",
            fr: "ne désigne aucun événement ; openapi.yaml les énumère sous webhooks ; pairing.* et * en prennent plusieurs")
    }()
}
