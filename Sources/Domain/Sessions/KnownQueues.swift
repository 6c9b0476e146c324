/// The queues as sign-ups have left them, so that of a crowd for one session only the first has to read who is in it already. Any other
/// write to a session or its registrations forgets it; what another program has written, which nobody hears of, forgets them all.
struct KnownQueues {
    private var queues: [Identifier<Session>: Queue] = [:]
    /// How much they take up: a session as much as one who is in it.
    private var size = 0
    /// Some megabytes.
    private static let most = 10_000

    /// Takes it out, to be kept again when what was decided is stored.
    mutating func take(_ session: Identifier<Session>) -> Queue? {
        guard let queue = queues.removeValue(forKey: session) else { return nil }
        size -= 1 + queue.count
        return queue
    }

    mutating func keep(_ queue: Queue) {
        _ = take(queue.session.id)
        if size + 1 + queue.count > Self.most { forgetAll() }
        queues[queue.session.id] = queue
        size += 1 + queue.count
    }

    /// To be called for every record that is written.
    mutating func forget(_ record: some Record) {
        guard !queues.isEmpty, let session = record.queuedIn else { return }
        _ = take(session)
    }

    mutating func forgetAll() {
        guard !queues.isEmpty else { return }
        queues = [:]
        size = 0
    }
}
