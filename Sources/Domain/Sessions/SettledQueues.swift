/// The queues as sign-ups of the open transaction have left them, so that of a crowd for one session only the first has to read who is in it
/// already. Nothing else may have been written to the session or its registrations since; no other program can, while the transaction
/// is open.
struct SettledQueues {
    /// A class, because a copy of so large a value costs more than most of what is asked of it.
    final class Known {
        let queue: Queue
        init(_ queue: Queue) { self.queue = queue }
    }

    private var queues: [Identifier<Session>: Known] = [:]

    subscript(_ session: Identifier<Session>) -> Known? { queues[session] }

    mutating func remember(_ queue: Queue) { queues[queue.session.id] = Known(queue) }

    /// To be called for every record that is written.
    mutating func forget(_ record: some Record) {
        guard !queues.isEmpty, let session = record.queuedIn else { return }
        queues[session] = nil
    }

    mutating func forgetAll() { queues.removeAll(keepingCapacity: true) }
}
