import Glibc
import SQLite
import Testing

/// A child process whose output is read as it comes, so that a test waits for a line, for the end, never for a time.
final class Program: Sendable {
    struct Outcome: Sendable {
        /// Nil where a signal ended it.
        let code: Int32?
        let output: String
        let errors: String
    }

    struct Failure: Error { let what: String }

    let pid: pid_t
    private let output: Stream
    private let errors: Stream
    private let ended = Monitor<Int32?>(nil)

    /// The executable that was built with the tests: SwiftPM puts both in one folder.
    static let viecoop: String = {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/viecoop"
    }()

    /// - Parameter environment: all that the child has, beside `PATH` and English.
    init(_ arguments: [String], executable: String = Program.viecoop, environment: [String: String] = [:]) throws {
        // Nobody else starts a child meanwhile, which would inherit the pipes and keep them open.
        let (child, outRead, errRead) = try Self.starting.withLock { _ in try Self.start(arguments, executable, environment) }
        pid = child
        output = Stream(outRead)
        errors = Stream(errRead)
        startThread { [ended] in
            var status: Int32 = 0
            while waitpid(child, &status, 0) < 0, errno == EINTR {}
            ended.change(wakingAll: true) { $0 = status }
        }
    }

    private static let starting = Monitor(())

    private static func start(
        _ arguments: [String], _ executable: String, _ environment: [String: String]
    ) throws -> (pid: pid_t, output: Int32, errors: Int32) {
        let (outRead, outWrite) = try pipe()
        let (errRead, errWrite) = try pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, outWrite, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, errWrite, STDERR_FILENO)
        let variables = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"].merging(environment) { $1 }
        let words = ([executable] + arguments).map { strdup($0) } + [nil]
        let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var pid = pid_t()
        let code = posix_spawn(&pid, executable, &actions, nil, words, settings)
        close(outWrite)
        close(errWrite)
        guard code == 0 else { throw Failure(what: "\(executable) does not start: \(String(cString: strerror(code)))") }
        return (pid, outRead, errRead)
    }

    deinit { send(SIGKILL) }

    func send(_ signal: Int32) {
        // With the lock held, so that the number is not yet another process's.
        ended.withLock { if $0 == nil { kill(pid, signal) } }
    }

    /// Waits for its end; only a command that hangs reaches the limit, and is killed.
    func wait() -> Outcome {
        if !ended.wait(seconds: 60, until: { $0 != nil }) { send(SIGKILL) }
        let status = ended.when({ $0 != nil }) { $0 ?? 0 }
        return Outcome(code: status & 0x7F == 0 ? status >> 8 & 0xFF : nil, output: output.all(), errors: errors.all())
    }

    /// The first line of standard error that holds the text, as soon as it is there.
    func errorLine(with text: String) throws -> String { try line(with: text, in: errors) }

    /// The first line of standard output that holds the text, as soon as it is there.
    func outputLine(with text: String) throws -> String { try line(with: text, in: output) }

    /// What standard output holds by now.
    var printed: String { output.soFar }

    private func line(with text: String, in stream: Stream) throws -> String {
        guard let line = stream.line(with: text) else { throw Failure(what: "no line with \(text): \(wait())") }
        return line
    }

    /// Runs a command to its end.
    @discardableResult
    static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        try Program(arguments, environment: environment).wait()
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw Failure(what: "no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}

/// Everything that one of a child's pipes has brought.
private final class Stream: Sendable {
    private let state = Monitor<(bytes: [UInt8], isOver: Bool)>(([], false))

    init(_ descriptor: Int32) {
        startThread { [state] in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                state.change(wakingAll: true) { $0.bytes += buffer[..<count] }
            }
            close(descriptor)
            state.change(wakingAll: true) { $0.isOver = true }
        }
    }

    var soFar: String { state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

    func all() -> String { state.when({ $0.isOver }) { String(decoding: $0.bytes, as: UTF8.self) } }

    /// Nil where it ended without such a line, or wrote none within a minute.
    func line(with text: String) -> String? {
        func find(_ bytes: [UInt8]) -> String? {
            String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                .first { $0.contains(text) }.map(String.init)
        }
        _ = state.wait(seconds: 60) { $0.isOver || find($0.bytes) != nil }
        return state.withLock { find($0.bytes) }
    }
}
