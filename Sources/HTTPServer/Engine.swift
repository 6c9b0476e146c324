import CMicroHTTPD
import Glibc
import HTTP
import Synchronization

/// What all connections of a server share, and the library's way into them.
final class Engine: Sendable {
    let settings: ServerSettings
    let application: any Application
    let connections = Mutex<[Int32: Connection]>([:])
    /// Connections accepted and not closed yet: `connections`, and those that the library's threads have still to take up.
    let open = Atomic<Int>(0)
    let suspended = Atomic<Int>(0)
    /// How many threads of the library there are, and as many that send live answers.
    let threads: Int
    let liveSenders: [LiveSender]
    /// Bytes of all bodies that are being read or worked on, beyond the first `smallBody` of each.
    let bodyMemory = Atomic<Int>(0)
    /// Each answer ends its connection from now on.
    let stopping = Atomic<Bool>(false)
    /// Nobody may wait any more.
    let ending = Atomic<Bool>(false)

    init(_ settings: ServerSettings, application: any Application) {
        self.settings = settings
        self.application = application
        threads = max(1, settings.threads ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        liveSenders = (0..<threads).map { _ in LiveSender() }
    }

    /// Starts the library's threads, which refer to this object until `MHD_stop_daemon`.
    func start(connectionLimit: Int) throws(ServerError) -> OpaquePointer {
        let daemon = CMicroHTTPD_start(
            UInt32(clamping: threads), settings.poolBytes, UInt32(clamping: connectionLimit), onRequest, onTarget, onUnescape,
            onCompleted, onConnection, Unmanaged.passUnretained(self).toOpaque())
        guard let daemon else {
            throw ServerError(description: "The HTTP threads could not be started. Is there memory, and may more files be opened?")
        }
        return daemon
    }

    /// Shuts down every connection whose time is over.
    func sweep() {
        let (time, stopping) = (now(), stopping.load(ordering: .relaxed))
        // Under the lock, because a descriptor may be closed, and its number given to another, once its connection is removed.
        connections.withLock { for connection in $0.values { connection.inspect(at: time, stopping: stopping) } }
    }

    /// Wakes all who wait, with 503, and lets nobody wait again: the library aborts the process if it is stopped with a
    /// suspended connection. Says how many waited.
    func giveUpWaiting() -> Int {
        ending.store(true, ordering: .sequentiallyConsistent)
        let waiting = suspended.load(ordering: .relaxed)
        for connection in connections.withLock({ Array($0.values) }) { connection.giveUp() }
        return waiting
    }
}

// The library's callbacks. `context` is the engine, `request` the connection, from the request line to `onCompleted`.

private let onConnection: MHD_NotifyConnectionCallback = { context, handle, socketContext, event in
    guard let context, let handle, let socketContext else { return }
    let engine = Unmanaged<Engine>.fromOpaque(context).takeUnretainedValue()
    if event == .CONNECTION_NOTIFY_STARTED {
        let connection = Connection(handle, engine: engine)
        socketContext.pointee = Unmanaged.passRetained(connection).toOpaque()
        engine.connections.withLock { $0[connection.descriptor] = connection }
    } else if let pointer = socketContext.pointee {
        let connection = Unmanaged<Connection>.fromOpaque(pointer).takeRetainedValue()
        _ = engine.connections.withLock { $0.removeValue(forKey: connection.descriptor) }
        engine.open.subtract(1, ordering: .relaxed)
    }
}

private let onTarget: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) -> UnsafeMutableRawPointer? = {
    _, target, handle in
    guard let target, let handle, let pointer = CMicroHTTPD_socketContext(handle) else { return nil }
    Unmanaged<Connection>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.began(target) }
    return pointer
}

// Nobody reads the library's copies of path and parameters, so it need not unescape them.
private let onUnescape: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<CChar>?) -> Int = {
    _, _, text in text.map { strlen($0) } ?? 0
}

private let onRequest: MHD_AccessHandlerCallback = { _, _, _, method, version, body, count, request in
    guard let method, let version, let count, let pointer = request?.pointee else { return .NO }
    return Unmanaged<Connection>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
        $0.handle(method: method, version: version, body: body, count: count)
    }
}

private let onCompleted: MHD_RequestCompletedCallback = { _, _, request, _ in
    guard let pointer = request?.pointee else { return }
    Unmanaged<Connection>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.completed() }
}
