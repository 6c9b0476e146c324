import Foundation

/// The run's temporary folder and the programs it has started; both end with it.
final class Workspace {
    let folder: String
    private var running: [Process] = []

    init() throws(BenchError) {
        var template = Array((NSTemporaryDirectory() + "/viecoop-bench.XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchError("No temporary folder: \(String(cString: strerror(errno))).") }
        folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Ends what still runs and removes the folder.
    func close() {
        for process in running where process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    func path(_ name: String) -> String { folder + "/" + name }

    /// Writes a file into the folder and answers its path.
    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws(BenchError) -> String {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
        } catch {
            throw BenchError("Could not write \(path(name)): \(error.localizedDescription)")
        }
        return path(name)
    }

    /// Runs a program to its end and answers its standard output.
    @discardableResult
    func run(_ program: String, _ arguments: [String]) throws(BenchError) -> String {
        let output = Pipe()
        let process = Workspace.process(program, arguments)
        process.standardOutput = output
        let text: Data
        do {
            try process.run()
            text = try output.fileHandleForReading.readToEnd() ?? Data()
        } catch {
            throw BenchError("Could not run \(program): \(error.localizedDescription)")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchError("\(program) \(arguments.joined(separator: " ")) ended with \(process.terminationStatus).")
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Starts a program that runs until `stop` or `close`; what it prints goes to `log`.
    func start(_ program: String, _ arguments: [String], log: String = "/dev/null") throws(BenchError) -> Process {
        let process = Workspace.process(program, arguments)
        let descriptor = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw BenchError("Could not write to \(log): \(String(cString: strerror(errno))).") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        process.standardOutput = file
        process.standardError = file
        do { try process.run() } catch { throw BenchError("Could not start \(program): \(error.localizedDescription)") }
        running.append(process)
        return process
    }

    func stop(_ process: Process) {
        process.terminate()
        process.waitUntilExit()
        running.removeAll { $0 === process }
    }

    private static func process(_ program: String, _ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        // A setting of the person's own server must not change what is measured.
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("VIECOOP_") }
        return process
    }
}
