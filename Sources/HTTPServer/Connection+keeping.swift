import HTTP
import Text

/// What the keeper does to a connection. It holds the table's lock meanwhile, so the descriptor is still this socket's.
extension Connection {
    func inspect(at time: UInt64, stopping: Bool) {
        state.withLock { state in
            if case .answering(let before) = state.phase {
                let acknowledged = Socket.progress(descriptor)
                if acknowledged != before { (state.phase, state.since) = (.answering(acknowledged: acknowledged), time) }
            }
            // The library misses an end that comes with the last piece: it looks again only when something new arrives.
            if case .body = state.phase, Socket.hasEnded(descriptor) {
                state.phase = .expired(status: 0)
                Socket.end(descriptor)
                return
            }
            let verdict = state.phase.verdict(
                age: seconds(from: state.since, to: time), stopping: stopping, settings: engine.settings,
                heard: { Socket.heard(descriptor) })
            switch verdict {
            case .leave: return
            case .close:
                state.phase = .expired(status: 0)
                wake(&state)
            case .timeout:
                state.phase = .expired(status: Refusal.timeout.status)
                // Who takes so long to write seldom said yet which language to answer in.
                let bytes = RawAnswer.bytes(.timeout, language: .fallback, instance: "", id: "")
                Socket.send(bytes, to: descriptor)
            }
            Socket.end(descriptor)
        }
    }

    /// Resumes a suspended connection with "the server is stopping", or to the end of its live answer.
    func giveUp() {
        let wait: Int? = state.withLock { state in
            wake(&state)
            return if case .waiting(let wait) = state.phase { wait } else { nil }
        }
        guard let wait else { return }
        resume(wait) { .now(Refusal.stopping.problem.response(language: .fallback, instance: "")) }
    }
}
