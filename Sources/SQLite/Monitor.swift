import Glibc

/// State behind a lock, with threads that wait for it to change; `Mutex` alone cannot wait.
// Unchecked: `state` is only touched with the mutex held.
package final class Monitor<State>: @unchecked Sendable {
    // Allocated, because a pthread object must not move.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    package init(_ state: sending State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A wait with a limit must not end early or late when somebody sets the clock.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Reads or changes the state, waking nobody.
    package func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the state and wakes one waiting thread, or `all`.
    package func change<Result>(wakingAll all: Bool = false, _ body: (inout State) throws -> Result) rethrows -> Result {
        let result = try withLock(body)
        _ = all ? pthread_cond_broadcast(changed) : pthread_cond_signal(changed)
        return result
    }

    /// Waits until `ready`, then runs `body` under the same lock.
    package func when<Result>(_ ready: (State) -> Bool, _ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !ready(state) { pthread_cond_wait(changed, mutex) }
        return try body(&state)
    }

    /// Waits until `ready`, at most so many seconds.
    ///
    /// - Returns: false when the time ran out first.
    package func wait(seconds: Int, until ready: (State) -> Bool) -> Bool {
        wait(until: .now.advanced(by: .seconds(seconds)), for: ready)
    }

    /// Waits until `ready`, at most until the deadline.
    ///
    /// - Returns: false when the time ran out first.
    package func wait(until instant: MonotonicInstant, for ready: (State) -> Bool) -> Bool {
        var deadline = instant.timespec
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !ready(state) {
            guard pthread_cond_timedwait(changed, mutex, &deadline) != ETIMEDOUT else { return ready(state) }
        }
        return true
    }
}

/// A point on the clock that nobody can set.
package struct MonotonicInstant: Comparable, Sendable {
    package let nanoseconds: Int64

    package static var now: MonotonicInstant {
        var time = Glibc.timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool { left.nanoseconds < right.nanoseconds }

    package func advanced(by duration: Duration) -> MonotonicInstant {
        let (seconds, attoseconds) = duration.components
        return MonotonicInstant(nanoseconds: nanoseconds + seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    fileprivate var timespec: Glibc.timespec {
        Glibc.timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
