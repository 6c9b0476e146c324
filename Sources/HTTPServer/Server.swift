import CMicroHTTPD
import Glibc
import HTTP
import Synchronization

/// An HTTP/1.1 server on libmicrohttpd: reads and guards requests, gives them to an application, sends the answers.
///
/// A client that ends its own side (`nc -N`) is answered if the answer is there at once, not if it is promised for later:
/// the library takes the end of a suspended connection's input for the end of the client.
// @unchecked: the pointer to the daemon, which is safe to use from any thread, is not Sendable.
package final class Server: @unchecked Sendable {
    /// The real one when 0 was asked for; 0 on a Unix socket.
    package let port: UInt16

    package struct Statistics: Sendable {
        package let openConnections: Int
        /// Of these, those that wait for a promise.
        package let suspendedConnections: Int
    }

    private let engine: Engine
    private let daemon: OpaquePointer
    private let listener: Listener
    private let keeper: Keeper
    private let senders: [Worker]
    private let stopped = Atomic<Bool>(false)

    /// Listens, and answers from the moment this returns.
    ///
    /// - Throws: with advice, if the address cannot be listened on.
    ///
    /// - Parameter listener: one that was made before, so that a taken port is known before anything else is touched.
    package init(_ settings: ServerSettings, on listener: Listener? = nil, application: any Application) throws(ServerError) {
        let files = Socket.raiseFileLimit()
        // The database, webhooks and the control socket need files as well.
        let limit = settings.connectionLimit ?? max(64, min(files - 256, 50_000))
        let listener = if let listener { listener } else { try Listener(settings.listener) }
        self.listener = listener
        port = listener.port
        engine = Engine(settings, application: application)
        do throws(ServerError) {
            senders = try engine.liveSenders.map { (sender) throws(ServerError) in try Worker("sending") { sender.run() } }
            // The library's limit is a share for each thread; ours, on the whole, is reached first.
            daemon = try engine.start(connectionLimit: 2 * limit + 2 * engine.threads + 64)
            keeper = try Keeper(engine, daemon: daemon, listener: listener.descriptor, limit: limit)
        } catch {
            for sender in engine.liveSenders { sender.stop() }
            listener.close()
            throw error
        }
    }

    deinit { stop(grace: 0) }

    package var statistics: Statistics {
        Statistics(
            openConnections: engine.open.load(ordering: .relaxed),
            suspendedConnections: engine.suspended.load(ordering: .relaxed))
    }

    /// Accepts nobody any more and lets requests that run, or wait for a promise, finish for at most `grace` seconds; each
    /// answer says `Connection: close`. Those still waiting then get 503, and all is closed. Returns when the last thread ended.
    package func stop(grace: Double) {
        guard !stopped.exchange(true, ordering: .sequentiallyConsistent) else { return }
        keeper.stop()
        listener.close()
        engine.stopping.store(true, ordering: .sequentiallyConsistent)
        waitUntilEmpty(atMost: grace)
        // Long enough to send these answers, not to wait for somebody who does not read them.
        if engine.giveUpWaiting() > 0 { waitUntilEmpty(atMost: 0.5) }
        for sender in engine.liveSenders { sender.stop() }
        for sender in senders { sender.join() }
        MHD_stop_daemon(daemon)
        // Without notice of those that its threads had not taken up yet.
        engine.open.store(0, ordering: .relaxed)
    }

    /// Sweeps in the keeper's place until no connection is open.
    private func waitUntilEmpty(atMost limit: Double) {
        let start = now()
        while seconds(from: start, to: now()) < limit {
            engine.sweep()
            if engine.open.load(ordering: .relaxed) == 0 { return }
            usleep(5000)
        }
    }
}
