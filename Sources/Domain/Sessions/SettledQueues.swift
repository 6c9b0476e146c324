/// The queues as sign-ups of the open transaction have left them, so that of a crowd for one session only the first has to read who is in it
/// already. Nothing else may have been written to the session or its registrations since; no other program can, while the transaction
/// is open.
struct SettledQueues {
    private var queues: [Identifier<Session>: Queue] = [:]

    subscript(_ session: Identifier<Session>) -> Queue? { queues[session] }

    mutating func remember(_ queue: Queue) { queues[queue.session.id] = queue }

    /// To be called for every record that is written.
    mutating func forget(_ record: some Record) {
        guard !queues.isEmpty, let session = record.queuedIn else { return }
        queues[session] = nil
    }

    mutating func forgetAll() { queues.removeAll(keepingCapacity: true) }
}
