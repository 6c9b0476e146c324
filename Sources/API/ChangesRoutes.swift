import Domain
import HTTP
import JSON
import SQLite
import Text

/// The pull: `GET /v1/changes`.
struct ChangesRoutes: Sendable {
    let federation: Federation

    var routes: [Route] { [.wait("/v1/changes", offers: ["application/json", "application/x-ndjson"], changes)] }

    /// What a pull asks.
    private struct Pull: Sendable {
        var cursor: (text: String, value: Cursor)?
        var types: [RecordType] = []
        var limit = 500
        var waitSeconds = 0

        func limited(to limit: Int) -> Pull {
            var pull = self
            pull.limit = limit
            return pull
        }
    }

    private func changes(_ call: Call) throws -> Answer {
        let pull = try pull(call)
        let heads = federation.heads.snapshot
        let held = heads.entries(of: call.caller.layers)
        note(pull, call, held)
        let etag = etag(of: held, pull)
        let isKnown = call.clientHas(etag)
        if let accept = call.request.headers["Accept"],
            MediaType.choose(accept, from: ["application/json", "application/x-ndjson"]) == "application/x-ndjson"
        {
            return try .now(isKnown ? response(304, etag, []) : stream(pull, call, etag))
        }
        if isKnown, pull.waitSeconds > 0 { return wait(pull, call, since: etag) { .now(response(304, etag, [])) } }
        if isKnown { return .now(response(304, etag, [])) }
        if let body = emptyPage(pull, call.caller, heads, held) {
            if pull.waitSeconds > 0 { return wait(pull, call, since: etag) { .now(response(200, etag, body)) } }
            return .now(response(200, etag, body))
        }
        let page = try sharedPage(pull, call.caller, heads)
        let body = closed(page, for: call.caller)
        if page.count == 0, page.isComplete, pull.waitSeconds > 0 { return wait(pull, call, since: etag) { .now(response(200, etag, body)) } }
        return .now(response(200, etag, body))
    }

    /// What the device's manager may know: how far its copy has come, and which app it runs.
    private func note(_ pull: Pull, _ call: Call, _ held: [Heads.Entry]) {
        guard let token = call.caller.token, let cursor = pull.cursor?.value else { return }
        let newest = held.reduce(0) { max($0, $1.head) }
        let app = call.request.headers["Viecoop-App"] ?? call.request.headers["User-Agent"]
        federation.note(token, cursor: cursor, head: newest, app: app.map { String($0.prefix(100)) })
    }

    // MARK: What was asked

    private func pull(_ call: Call) throws -> Pull {
        try call.takesEachParameterOnce()
        var pull = Pull()
        var types: [RecordType]?
        for (name, value) in call.query {
            switch name {
            case "cursor":
                do throws(Cursor.Failure) {
                    pull.cursor = (value, try federation.unseal(value, for: call.caller))
                } catch { throw Problem.cursor }
            case "types":
                types = try value.split(separator: ",", omittingEmptySubsequences: false).map { name in
                    guard let type = RecordType(rawValue: String(name)) else {
                        throw Problem.parameter("types", en: "`\(name)` is no type; types are \(Self.names).", fr: "`\(name)` n'est pas un type ; les types sont \(Self.names).")
                    }
                    return type
                }
            case "limit": pull.limit = try number(value, 1...1000, name)
            case "wait": pull.waitSeconds = try number(value, 0...30, name)
            default:
                throw Problem.parameter(
                    name, code: "parameter.unknown", en: "`\(name)` is not known here; known are cursor, types, limit, wait.",
                    fr: "`\(name)` est inconnu ici ; sont connus cursor, types, limit, wait.")
            }
        }
        pull.types = Set(types ?? pull.cursor?.value.types ?? []).sorted { $0.rawValue < $1.rawValue }
        if let cursor = pull.cursor, cursor.value.types != pull.types { throw Problem.cursor }
        return pull
    }

    private static var names: String { RecordType.allCases.map(\.rawValue).joined(separator: ", ") }

    private func number(_ text: String, _ range: ClosedRange<Int>, _ name: String) throws(Problem) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw .parameter(
                name, en: "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound).",
                fr: "`\(name)` doit être un nombre entier de \(range.lowerBound) à \(range.upperBound).")
        }
        return number
    }

    // MARK: Answers

    /// The page of a device that has everything, without SQLite: all its audiences' heads are where it stands, and it has
    /// no audience to join or to leave. Nil where there may be something to say.
    private func emptyPage(_ pull: Pull, _ caller: Caller, _ heads: Heads.Snapshot, _ held: [Heads.Entry]) -> [UInt8]? {
        guard let (text, cursor) = pull.cursor, cursor.epoch == federation.epochs.current, held.count == cursor.places.count else { return nil }
        for entry in held {
            guard let place = cursor.places[entry.number], place.had == nil, place.pos >= entry.head, place.pos >= heads.floor else { return nil }
        }
        if cursor.seen == heads.head { return document(seq: heads.head, cursor: text) }
        return document(seq: heads.head, cursor: federation.seal(cursor.moved(to: heads.head), for: caller))
    }

    /// The page as JSON has it, read once for all who stand at the same place.
    private func sharedPage(_ pull: Pull, _ caller: Caller, _ heads: Heads.Snapshot) throws -> ChangesPage {
        let place = ChangesPage.Place(after: pull.cursor?.value, types: pull.types, layers: caller.layers, limit: pull.limit)
        if let known = federation.pages.value(for: place, at: heads) { return known }
        let page = try page(pull, caller, heads, separator: 0x2C)
        federation.pages.keep(page.compact, bytes: page.entries.count, for: place, at: heads)
        return page
    }

    private func page(_ pull: Pull, _ caller: Caller, _ heads: Heads.Snapshot, separator: UInt8) throws -> ChangesPage {
        do {
            return try federation.database.read { connection in
                try ChangesPage(
                    after: pull.cursor?.value, types: pull.types, layers: Feed.numbered(caller.layers, by: heads, in: connection),
                    epochs: federation.epochs, limit: pull.limit, separator: separator, in: connection)
            }
        } catch let failure as ChangesPage.Failure {
            switch failure {
            case .belowFloor: throw Problem.belowFloor
            case .forked(let seq): throw Problem.epochForked(reofferAfter: seq)
            case .storage(let error): throw error
            }
        }
    }

    private func closed(_ page: ChangesPage, for caller: Caller) -> [UInt8] {
        document(page.entries, isComplete: page.isComplete, seq: page.seq, cursor: federation.seal(page.cursor, for: caller))
    }

    private func document(_ entries: [UInt8] = [], isComplete: Bool = true, seq: Int64, cursor: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.count + cursor.utf8.count + 160)
        bytes.append(literal: #"{"changes":["#)
        bytes.append(contentsOf: entries)
        bytes.append(literal: #"],"#)
        appendEnd(&bytes, isComplete: isComplete, seq: seq, cursor: cursor)
        return bytes
    }

    private func appendEnd(_ bytes: inout [UInt8], isComplete: Bool, seq: Int64, cursor: String) {
        bytes.append(literal: #""epoch":""#)
        bytes.append(contentsOf: federation.epochs.current.utf8)
        bytes.append(literal: #"","seq":"#)
        bytes.append(decimal: seq)
        bytes.append(literal: #","cursor":""#)
        bytes.append(contentsOf: cursor.utf8)
        bytes.append(literal: #"","complete":"#)
        bytes.append(contentsOf: isComplete ? "true".utf8 : "false".utf8)
        bytes.append(literal: #","next_poll_seconds":60}"#)
    }

    private func response(_ status: Int, _ etag: String, _ body: [UInt8]) -> Response {
        var response = Response(status: status, body: body)
        if status == 200 { response.headers.add("Content-Type", "application/json") }
        response.headers.add("ETag", etag)
        response.headers.add("Cache-Control", "private, no-cache")
        return response
    }

    /// Stands still while the heads of the caller's audiences do, so that 304 needs no SQLite.
    /// The end of the cursor, which is its authentication code, keeps a client that sends one address's tag to another from
    /// hearing that it has everything.
    private func etag(of held: [Heads.Entry], _ pull: Pull) -> String {
        var tag: [UInt8] = []
        tag.reserveCapacity(64 + 24 * held.count)
        tag.append(UInt8(ascii: "\""))
        tag.append(contentsOf: federation.epochs.current.utf8)
        if let cursor = pull.cursor?.text {
            tag.append(UInt8(ascii: "-"))
            tag.append(contentsOf: cursor.utf8.suffix(8))
        }
        for entry in held {
            tag.append(UInt8(ascii: "-"))
            tag.append(decimal: entry.number)
            tag.append(UInt8(ascii: "."))
            tag.append(decimal: entry.head)
        }
        tag.append(UInt8(ascii: "\""))
        return String(decoding: tag, as: UTF8.self)
    }

    /// Holds the request until something in one of the caller's audiences commits, or its time is up.
    private func wait(_ pull: Pull, _ call: Call, since etag: String, _ otherwise: @escaping @Sendable () -> Answer) -> Answer {
        .later { promise in
            let deadline = MonotonicInstant.now.advanced(by: .seconds(pull.waitSeconds))
            let waiter = federation.waiters.add(call.caller.layers, token: call.caller.token, until: deadline) {
                promise.keep {
                    do {
                        if let token = call.caller.token, !federation.tokens.isGood(token, at: federation.now()) {
                            throw Problem.unauthorized(wipe: federation.tokens.isRevoked(token))
                        }
                        let now = federation.heads.snapshot
                        let present = self.etag(of: now.entries(of: call.caller.layers), pull)
                        guard present != etag else { return otherwise() }
                        let remaining = deadline.nanoseconds - MonotonicInstant.now.nanoseconds
                        // News that this pull's types leave out: wait on for the rest of the time.
                        var again = pull
                        again.waitSeconds = 0
                        let page = try sharedPage(again, call.caller, now)
                        if page.count == 0, page.isComplete, remaining > 1_000_000_000 {
                            again.waitSeconds = Int(remaining / 1_000_000_000)
                            return wait(again, call, since: present, otherwise)
                        }
                        return .now(response(200, present, closed(page, for: call.caller)))
                    } catch {
                        return .now(call.response(to: error))
                    }
                }
            }
            guard let waiter else { return promise.keep(otherwise) }
            // News, or the end of the token, may have come between the look and the wait.
            let isRefused = call.caller.token.map { !federation.tokens.isGood($0, at: federation.now()) } ?? false
            if isRefused || self.etag(of: federation.heads.snapshot.entries(of: call.caller.layers), pull) != etag { federation.waiters.wake(waiter) }
        }
    }

    // MARK: Streams

    /// The same entries, a line each, to the end; then a line with the cursor. Each 500 are one read of their own.
    private func stream(_ pull: Pull, _ call: Call, _ etag: String) throws -> Response {
        // The first page is read now, so that a bad cursor still gets its problem.
        let pull = pull.limited(to: 500)
        let page = try page(pull, call.caller, federation.heads.snapshot, separator: 0x0A)
        let state = StreamState(page: page)
        let caller = call.caller
        var response = Response(status: 200, headers: ["Content-Type": "application/x-ndjson", "ETag": etag, "Cache-Control": "private, no-cache"], body: .stream {
            guard let page = state.next else { return nil }
            // Whoever reads slowly may outlive the token; without a last line the client asks again, and hears 401.
            if let token = caller.token, !federation.tokens.isGood(token, at: federation.now()) {
                state.next = nil
                return nil
            }
            var bytes = page.entries
            if page.count > 0 { bytes.append(0x0A) }
            if page.isComplete {
                bytes.append(0x7B)
                appendEnd(&bytes, isComplete: true, seq: page.seq, cursor: federation.seal(page.cursor, for: caller))
                bytes.append(0x0A)
                state.next = nil
            } else {
                var following = pull
                following.cursor = ("", page.cursor)
                // A stream that breaks off has no last line, and the client begins again where it was.
                state.next = try? self.page(following, caller, federation.heads.snapshot, separator: 0x0A)
            }
            return bytes
        })
        response.closes = false
        return response
    }

    // Unchecked: one connection's pieces are asked for one after the other.
    private final class StreamState: @unchecked Sendable {
        var next: ChangesPage?
        init(page: ChangesPage) { next = page }
    }
}

extension Problem {
    fileprivate static let cursor = Problem(
        400, "cursor.invalid", title: Bilingual(en: "Not a cursor of yours", fr: "Ce curseur n'est pas le vôtre"),
        detail: Bilingual(
            en: "Pass the cursor of the last answer as it is, with the same token and the same types; or begin again without one.",
            fr: "Renvoyez le curseur de la dernière réponse tel quel, avec le même jeton et les mêmes types ; ou recommencez sans curseur."),
        members: [("next", "\"/v1/changes\"")])

    fileprivate static let belowFloor = Problem(
        410, "below_floor", title: Bilingual(en: "Away for too long", fr: "Absence trop longue"),
        detail: Bilingual(
            en: "Removals that this device has not heard of are no longer kept. Keep what it has not sent yet, and let `repair` send the difference.",
            fr: "Des suppressions que cet appareil ignore ne sont plus conservées. Gardez ce qu'il n'a pas encore envoyé, et demandez la différence à `repair`."),
        members: [("repair", "\"/v1/repair\"")])

    fileprivate static func epochForked(reofferAfter seq: Int64) -> Problem {
        Problem(
            410, "epoch_forked", title: Bilingual(en: "The server was restored", fr: "Le serveur a été restauré"),
            detail: Bilingual(
                en: "What came after \(seq) was undone by a restore. Send again what the device did since, then let `repair` send the difference.",
                fr: "Ce qui suit \(seq) a été annulé par une restauration. Renvoyez ce que l'appareil a fait depuis, puis demandez la différence à `repair`."),
            members: [("reoffer_after", String(seq)), ("repair", "\"/v1/repair\"")])
    }
}
