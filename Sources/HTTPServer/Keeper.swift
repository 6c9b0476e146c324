import CMicroHTTPD
import Glibc
import Synchronization

/// The thread that accepts connections and looks after their deadlines.
///
/// It accepts itself, instead of giving the library the listening socket, because the library's own way of ceasing to accept
/// (`MHD_quiesce_daemon`) races with its threads and aborts the process, and because it lets us wait at the limit on
/// connections and when the process runs out of files.
// @unchecked: the pointer to the daemon, which is safe to use from any thread, is not Sendable.
final class Keeper: @unchecked Sendable {
    private let engine: Engine
    private let daemon: OpaquePointer
    private let listener: Int32
    private let limit: Int
    /// Written to by `stop`.
    private let wake: Int32
    private var thread: Worker?

    /// - Throws: when the system has no thread or file left.
    init(_ engine: Engine, daemon: OpaquePointer, listener: Int32, limit: Int) throws(ServerError) {
        (self.engine, self.daemon, self.listener, self.limit) = (engine, daemon, listener, limit)
        wake = CMicroHTTPD_eventfd()
        guard wake >= 0 else { throw ServerError(description: "Cannot open a file for signals: \(text(of: errno)).") }
        thread = try Worker("accepting") { [self] in run() }
    }

    /// Ends the thread; deadlines are the caller's from now on.
    func stop() {
        CMicroHTTPD_signal(wake)
        thread?.join()
        close(wake)
    }

    private func run() {
        let tick = engine.settings.tick
        var nextSweep = now()
        var exhausted = false
        while true {
            let time = now()
            if time >= nextSweep {
                engine.sweep()
                nextSweep = time + UInt64(tick * 1e9)
                exhausted = false
            }
            let full = exhausted || engine.open.load(ordering: .relaxed) >= limit
            var watched = [
                pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
                // A negative descriptor is not watched: whoever comes waits in the kernel's backlog.
                pollfd(fd: full ? -1 : listener, events: Int16(POLLIN), revents: 0),
            ]
            let left = seconds(from: now(), to: nextSweep)
            poll(&watched, 2, Int32(min(left, full ? 0.01 : left) * 1000) + 1)
            if watched[0].revents != 0 { return }
            if watched[1].revents != 0 { exhausted = !accept() }
        }
    }

    /// Takes who is waiting, a batch at a time so that deadlines are kept in a rush; false when there are no more files.
    private func accept() -> Bool {
        for _ in 0..<64 where engine.open.load(ordering: .relaxed) < limit {
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let failure: Int32? = withUnsafeMutablePointer(to: &address) { storage in
                storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    let descriptor = CMicroHTTPD_accept(listener, $0, &length)
                    guard descriptor >= 0 else { return errno }
                    engine.open.add(1, ordering: .relaxed)
                    // It closes the descriptor itself if it fails.
                    if MHD_add_connection(daemon, descriptor, $0, length) == .NO { engine.open.subtract(1, ordering: .relaxed) }
                    return nil
                }
            }
            switch failure {
            case nil, ECONNABORTED, EINTR: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return false
            default: return true
            }
        }
        return true
    }
}
