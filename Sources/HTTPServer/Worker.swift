import Glibc

/// A thread of the server's own, beside the library's.
struct Worker {
    private let thread: pthread_t

    /// - Throws: when the system has no thread left.
    init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(ServerError) {
        final class Start: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let start = Unmanaged.passRetained(Start(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { start in
                start.map { Unmanaged<Start>.fromOpaque($0).takeRetainedValue() }?.body()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            throw ServerError(description: "The \(name) thread could not be started: \(text(of: result)).")
        }
        self.thread = thread
    }

    /// Waits for its end.
    func join() { pthread_join(thread, nil) }
}
