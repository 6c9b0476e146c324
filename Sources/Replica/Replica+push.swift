import JSON

/// Sending what was done here.
extension Replica {
    /// What became of what was pushed.
    package struct Pushed: Sendable, Equatable {
        /// By status: applied, merged, duplicate, conflict, rejected.
        package var results: [String: Int] = [:]
        package var count: Int { results.values.reduce(0, +) }
    }

    private static let pushCount = 100
    /// Of one request, with room under the server's 1 MiB.
    static let pushBytes = 900 << 10

    /// Pushes until nothing waits. Each change gets its result in the end, and whoever is cut off simply sends it again: the
    /// server answers the result of before.
    @discardableResult
    package func push() throws -> Pushed {
        var pushed = Pushed()
        var most = Self.pushCount
        while true {
            let place = try store.place()
            let batch = try batch(atMost: most)
            guard !batch.isEmpty else { return pushed }
            // Without a pull there is no epoch yet.
            guard !place.epoch.isEmpty else {
                try pull()
                continue
            }
            let answer = try send("POST", "/v1/push", Self.body(place.epoch, batch))
            switch answer.status {
            case 200:
                try acknowledge(try answer.json(), batch, &pushed)
                most = Self.pushCount
            case 409 where answer.code == "epoch_changed":
                // The server was restored: it says what is lost when it is asked for changes.
                let former = place.epoch
                try pull()
                guard try store.place().epoch != former else { throw refusal(answer) }
            case 400, 413, 422:
                // One of them makes the whole unreadable for the server: alone it must not hold up the others for ever.
                guard !answer.code.isEmpty else { throw refusal(answer) }
                if batch.count > 1 { most = batch.count / 2 } else { try reject(batch[0], try answer.json(), &pushed) }
            default: throw refusal(answer)
            }
        }
    }

    private func batch(atMost count: Int) throws -> [LocalStore.Queued] {
        var room = Self.pushBytes
        return try store.waiting(atMost: count).prefix { queued in
            room -= queued.mutation.utf8.count + 1
            return room >= 0
        }
    }

    private static func body(_ epoch: String, _ batch: [LocalStore.Queued]) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("epoch", epoch)
        json.key("mutations")
        json.beginArray()
        for queued in batch { json.raw(queued.mutation) }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    private func acknowledge(_ answer: JSON, _ batch: [LocalStore.Queued], _ pushed: inout Pushed) throws {
        guard let seq = answer["seq"]?.integerValue, let results = answer["results"]?.elements, results.count == batch.count else {
            throw ReplicaError.unreadable("a push without seq, or without a result for each mutation")
        }
        try store.transaction {
            for (queued, result) in zip(batch, results) {
                guard let status = result["status"]?.stringValue, result["mid"]?.stringValue == queued.mid else {
                    throw ReplicaError.unreadable("results of another push")
                }
                if try store.acknowledge(queued.mid, result, checkpoint: seq) { pushed.results[status, default: 0] += 1 }
            }
        }
    }

    private func reject(_ queued: LocalStore.Queued, _ problem: JSON, _ pushed: inout Pushed) throws {
        let result = JSON.object([
            JSON.Member("mid", .string(queued.mid)), JSON.Member("status", .string("rejected")), JSON.Member("problem", problem),
        ])
        try store.transaction {
            if try store.acknowledge(queued.mid, result, checkpoint: try store.place().seq) { pushed.results["rejected", default: 0] += 1 }
        }
    }
}
