import JSON

/// Fetching what was done elsewhere.
extension Replica {
    /// What a pull has brought.
    package struct Pulled: Sendable, Equatable {
        package var entries = 0
        /// Whether the copy had to be mended instead.
        package var isRepaired = false
    }

    /// Asks until the server says that the copy is complete: it then equals the server at that moment.
    ///
    /// - Parameter wait: seconds for which the server may hold the request while there is nothing new.
    @discardableResult
    package func pull(wait: Int = 0) throws -> Pulled {
        var pulled = Pulled()
        var ignored = 0
        while true {
            let place = try store.place()
            var query = "?limit=1000"
            if let cursor = place.cursor { query += "&cursor=\(cursor.escapedForQuery)" }
            if wait > 0, pulled == Pulled() { query += "&wait=\(wait)" }
            let answer = try send("GET", "/v1/changes" + query)
            switch answer.status {
            case 200:
                let page = try Page(answer)
                guard try take(page, after: place) else {
                    ignored += 1
                    guard ignored < 4 else { throw ReplicaError.unreadable("the answers are older than what this device has") }
                    continue
                }
                pulled.entries += page.entries.count
                if page.isComplete { return pulled }
            case 410 where !pulled.isRepaired, 400 where answer.code == "cursor.invalid" && place.cursor != nil && !pulled.isRepaired:
                // Away for too long, or the server was restored to what it was before: what it has lost of ours waits again, and
                // instead of all records only the difference is fetched. A server that cannot follow the cursor's history may have
                // been restored to any moment.
                try repair(kept: try answer.json()["reoffer_after"]?.integerValue ?? 0)
                pulled.isRepaired = true
            default: throw refusal(answer)
            }
        }
    }

    /// Stores entries and cursor in one transaction, so that a device that is switched off asks again for exactly what it lacks.
    ///
    /// - Returns: false for an answer that is older than what the device has, or to another question than its present one.
    private func take(_ page: Page, after place: LocalStore.Place) throws -> Bool {
        let isTaken = try store.transaction {
            // Another process may have pulled meanwhile.
            guard page.place.seq >= place.seq, try store.place() == place else { return false }
            // A page leads on, unless it is the last.
            guard page.isComplete || page.place.cursor != place.cursor else { return false }
            for entry in page.entries { try store.take(entry) }
            // A server that was restored to before this place would not have answered with a page.
            try store.move(to: page.place, kept: place.seq)
            if page.isComplete { try store.settle(at: page.place.seq) }
            return true
        }
        try store.removeTraces()
        return isTaken
    }
}
