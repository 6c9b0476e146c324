import Domain
import Foundation
import JSON
@testable import Replica
import TestSupport

/// What lies between one device and the server: it loses, repeats, delays, cuts off and answers with what is old.
final class SimulatedNetwork: Transport {
    private let number: Int
    private let token: String
    private unowned let world: World
    /// Copies of requests that arrive some time.
    private var wandering: [ReplicaRequest] = []
    /// Answers to pulls that somebody between has kept.
    private var kept: [ReplicaAnswer] = []
    /// What a complete answer must leave on the device, by its cursor.
    private(set) var expected: [String: (seq: Int64, view: [String: SimulatedServer.Shown])] = [:]
    /// Of how many records repairs have spoken.
    var repaired = 0
    /// When each cursor was given out, and in which audiences.
    var issued: [String: (time: Int64, layers: [Audience])] = [:]
    /// Requests of the operation that is going on.
    var requests = 0

    init(_ number: Int, token: String, world: World) { (self.number, self.token, self.world) = (number, token, world) }

    func send(_ request: ReplicaRequest) throws -> ReplicaAnswer {
        let answer = try pass(request)
        if answer.status == 200, answer.body.holds("erased"), let page = try? Page(answer) {
            for entry in page.entries { if case .remove("erased") = entry.what { world.devices[number].toldErased.insert(entry.id) } }
        }
        return answer
    }

    private func pass(_ request: ReplicaRequest) throws -> ReplicaAnswer {
        requests += 1
        guard requests < 3000 else { throw Divergence(.oldAnswers, "an operation of device \(number) does not end") }
        guard world.isFaulty else {
            // What was on its way for so long arrives last of all.
            for late in wandering { _ = try deliver(late) }
            wandering = []
            return try deliver(request)
        }
        try world.interlude()
        if !wandering.isEmpty, world.chance(15) { _ = try deliver(wandering.remove(at: world.pick(wandering.indices))) }
        let isPull = request.path.hasPrefix("/v1/changes")
        switch world.roll() {
        case 0..<3: throw unreachable("\(request.method) lost")
        case 3..<6:
            _ = try deliver(request)
            throw unreachable("the answer to \(request.method) lost")
        case 6:
            try world.killServer()
            throw unreachable("killed before")
        case 7:
            _ = try deliver(request)
            try world.killServer()
            throw unreachable("killed after")
        case 8..<11:
            _ = try deliver(request)
            return try deliver(request)
        case 11..<14:
            wandering.append(request)
            throw unreachable("\(request.method) delayed")
        case 14..<16:
            let answer = try deliver(request)
            world.show(.pokesAreLost)
            return ReplicaAnswer(status: answer.status, body: Array(answer.body.prefix(world.pick(answer.body.indices))), requestID: answer.requestID)
        case 16..<20 where isPull && !kept.isEmpty:
            world.show(.oldAnswers)
            world.note("device \(number) gets an old answer")
            let answer = kept[world.pick(kept.indices)]
            // Not every box between hands on the name of the request; then the copy's own place has to tell that a page is old.
            let isOlder = try Page(answer).place.seq < world.devices[number].store.place().seq
            return isOlder ? ReplicaAnswer(status: answer.status, body: answer.body) : answer
        case 20..<23:
            let answer = try deliver(request)
            world.show(.deviceIsKilled)
            world.note("device \(number) killed")
            if world.flaw == .storesCursorFirst, isPull, answer.status == 200 { try storeCursor(of: answer) }
            throw SimulatedDevice.Killed()
        case 23: return ReplicaAnswer(status: world.chance(50) ? 503 : 502, body: [], retryAfter: 1)
        case 24..<30:
            let answer = try deliver(request)
            try world.interlude()
            return answer
        default: return try deliver(request)
        }
    }

    private func unreachable(_ what: String) -> ReplicaError {
        world.note("device \(number): \(what)")
        return .unreachable(what)
    }

    /// Lets the server answer, and looks at what it does.
    private func deliver(_ request: ReplicaRequest) throws -> ReplicaAnswer {
        var request = request
        if world.isFaulty, let range = request.path.range(of: "limit=1000") {
            let limit = [1, 1, 2, 3, 10, 1000][world.pick(0..<6)]
            request = ReplicaRequest(method: request.method, path: request.path.replacingCharacters(in: range, with: "limit=\(limit)"), body: request.body, id: request.id)
        }
        if let limit = world.limit, let range = request.path.range(of: "limit=1000") {
            request = ReplicaRequest(method: request.method, path: request.path.replacingCharacters(in: range, with: "limit=\(limit)"), body: request.body, id: request.id)
        }
        let answer = try world.deliver(request, token)
        if request.path.hasPrefix("/v1/push") { try world.judge(request, answer, token) }
        guard request.path.hasPrefix("/v1/changes") || request.path.hasPrefix("/v1/repair"), answer.status == 200 else {
            if answer.status == 410 { world.show(answer.code == "below_floor" ? .tombstonesDrop : .restored) }
            return answer
        }
        return try examine(world.spoil(answer, of: request, issued, for: token), isPull: request.path.hasPrefix("/v1/changes"))
    }

    /// Holds a page against what the caller may see now.
    private func examine(_ answer: ReplicaAnswer, isPull: Bool) throws -> ReplicaAnswer {
        let page = try Page(answer)
        let caller = try world.server.caller(token)
        let view = try world.server.view(caller.layers)
        guard let cursor = page.place.cursor else { return answer }
        issued[cursor] = (world.clock.now.milliseconds, caller.layers)
        if !isPull { repaired += page.entries.count }
        for entry in page.entries {
            switch entry.what {
            case .put(let rev, let layer, _):
                guard let shown = view["\(entry.type) \(entry.id)"], shown.rev == rev, shown.layer == layer else {
                    throw Divergence(.completeIsExact, "\(entry.type) \(entry.id) at \(rev).\(layer) is told to device \(number), which may not see it")
                }
                try world.remember(entry.type, entry.id, shown)
            case .remove:
                guard try !isPull || world.wasEverThere(entry.id, for: number, caller) else {
                    throw Divergence(.recordsMove, "\(entry.type) \(entry.id) was never any of device \(number)'s, and it is told")
                }
            }
        }
        guard isPull else { return answer }
        if page.isComplete { expected[cursor] = (page.place.seq, view) }
        kept.append(answer)
        if kept.count > 6 { kept.removeFirst() }
        return answer
    }

    private func storeCursor(of answer: ReplicaAnswer) throws {
        guard let page = try? Page(answer) else { return }
        let store = world.devices[number].store
        guard try page.place.seq >= store.place().seq else { return }
        try store.move(to: page.place, kept: store.place().seq)
    }
}
