@testable import Domain
import JSON
@testable import Replica

extension World {
    /// A page as a server with the flaw would have made it.
    func spoil(_ answer: ReplicaAnswer, of request: ReplicaRequest, _ issued: [String: (time: Int64, layers: [Audience])], for token: String) throws -> ReplicaAnswer {
        guard let flaw, request.path.hasPrefix("/v1/changes"), case .object(var members) = try answer.json() else { return answer }
        let former = request.path.split(separator: "&").first { $0.hasPrefix("cursor=") }.flatMap { issued[String($0.dropFirst(7))] }
        func change(_ name: String, _ body: (JSON) throws -> JSON) rethrows {
            guard let index = members.firstIndex(where: { $0.name == name }) else { return }
            members[index] = JSON.Member(name, try body(members[index].value))
        }
        let isComplete = members.contains { $0.name == "complete" && $0.value == .bool(true) }
        let caller = try server.caller(token)
        switch flaw {
        case .skipsARow where !isComplete:
            try change("cursor") { cursor in
                var cursor = try server.federation.unseal(cursor.stringValue ?? "", for: caller)
                for number in cursor.places.keys { cursor.places[number]?.pos += 1 }
                return .string(server.federation.seal(cursor, for: caller))
            }
        case .takesClockForCursor:
            guard let former else { return answer }
            change("changes") { changes in .array((changes.elements ?? []).filter { time(of: $0["rev"]?.integerValue ?? 0) > former.time }) }
        case .trustsRows where isComplete:
            let lost = (former?.layers ?? []).filter { !caller.layers.contains($0) }
            guard !lost.isEmpty else { return answer }
            let view = try server.view(caller.layers)
            let gone = try server.view(lost).keys.filter { view[$0] != nil }.sorted()
            change("changes") { changes in
                .array((changes.elements ?? []) + gone.map { key in
                    let parts = key.split(separator: " ").map { JSON.string(String($0)) }
                    return .object([JSON.Member("type", parts[0]), JSON.Member("id", parts[1]), JSON.Member("op", .string("remove")), JSON.Member("rev", .number("1")), JSON.Member("reason", .string("scope"))])
                })
            }
        default: return answer
        }
        return ReplicaAnswer(status: answer.status, body: Array(JSON.object(members).text.utf8), requestID: answer.requestID)
    }
}
