import CMicroHTTPD
import HTTP

/// A live answer's connection sleeps, suspended, between what there is to say.
extension Connection {
    enum Sleep {
        case asleep
        /// The bell rang meanwhile: ask the source again.
        case woken
        /// The answer has to end.
        case over
    }

    /// The number of a live answer that begins: its bell means nothing to the answers after it.
    func nap() -> Int {
        state.withLock { state in
            state.waits += 1
            state.rest = .awake(answer: state.waits)
            return state.waits
        }
    }

    func sleep(_ answer: Int) -> Sleep {
        state.withLock { state in
            // `giveUp` looks at every connection after `ending` was set, so either it sees the sleeper or the sleeper sees it.
            if case .expired = state.phase { return .over }
            if engine.ending.load(ordering: .sequentiallyConsistent) { return .over }
            guard case .awake = state.rest else {
                state.rest = .awake(answer: answer)
                return .woken
            }
            state.rest = .asleep(answer: answer)
            engine.suspended.add(1, ordering: .relaxed)
            MHD_suspend_connection(handle)
            return .asleep
        }
    }

    /// Any thread, also after the connection has gone.
    func ring(_ answer: Int) {
        let isCalled = state.withLock { state in
            switch state.rest {
            case .awake(answer): state.rest = .rung(answer: answer)
            case .asleep(answer):
                state.rest = .called(answer: answer)
                return true
            case .none, .awake, .rung, .asleep, .called: break
            }
            return false
        }
        if isCalled { sender.add(self, answer) }
    }

    /// The sender's thread: says what there is while the library leaves this connection alone, and resumes it for what the
    /// library has to do: the end, and what the client is too slow for.
    func speak(_ answer: Int) {
        state.withLock { state in
            guard case .called(answer) = state.rest else { return }
            state.rest = .asleep(answer: answer)
            guard current.isChunked, let stream = current.stream, stream.sendChunks(to: descriptor) else { return wake(&state) }
        }
    }

    /// Resumes the connection if it sleeps. Under the lock, so that `handle` is alive and the daemon not stopped in between.
    func wake(_ state: inout State) {
        switch state.rest {
        case .asleep(let answer), .called(let answer): state.rest = .awake(answer: answer)
        case .none, .awake, .rung: return
        }
        engine.suspended.subtract(1, ordering: .relaxed)
        MHD_resume_connection(handle)
    }
}
