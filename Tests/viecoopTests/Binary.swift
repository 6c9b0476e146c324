import Foundation
import JSON
import TestSupport

/// The built executable, run as its users run it.
enum Binary {
    struct Result {
        let status: Int32
        let output: String
        let errors: String
    }

    /// Beside the test runner, where SwiftPM puts both.
    static let url = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("viecoop")

    /// Runs a command to its end.
    static func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Result {
        let process = process(arguments, environment)
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // Errors are few; read second, they fit the pipe.
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Result(status: process.terminationStatus, output: text, errors: complaints)
    }

    static func process(_ arguments: [String], _ environment: [String: String]) -> Process {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin", "LANG": "en_GB.UTF-8"].merging(environment) { $1 }
        return process
    }
}

/// A server in a process of its own, on a free port; killed with this object.
final class RunningServer {
    struct Silent: Error {}
    let process: Process
    let port: UInt16
    private let errors = Pipe()
    private let output = Pipe()

    init(data: String, _ more: String..., environment: [String: String] = [:]) throws {
        process = Binary.process(["serve", "--data", data, "--listen", "127.0.0.1:0"] + more, environment)
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        var port: UInt16?
        while port == nil, let line = Self.line(errors.fileHandleForReading) {
            let address = (try? JSON.parse(Array(line.utf8)))?["address"]?.stringValue
            port = address?.split(separator: ":").last.flatMap { UInt16($0) }
        }
        guard let port else { throw Silent() }
        self.port = port
        // What it says from now on has to go somewhere, or it would wait for a reader.
        errors.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    }

    deinit { kill() }

    /// The tokens that the demo prints, by their names.
    func demoTokens() -> [String: String] {
        var tokens: [String: String] = [:]
        while let line = Self.line(output.fileHandleForReading), !line.hasPrefix("Everything else") {
            guard line.hasPrefix("export ") else { continue }
            let parts = line.dropFirst(7).split(separator: " ")[0].split(separator: "=")
            tokens[String(parts[0])] = String(parts[1])
        }
        return tokens
    }

    func send(_ method: String, _ path: String, _ body: String? = nil, token: String, headers: [(String, String)] = []) throws -> TestAnswer {
        var fields = headers + [("Authorization", "Bearer \(token)")]
        if let body { fields += [("Content-Type", "application/json"), ("Content-Length", String(body.utf8.count))] }
        return try TestClient.send(method, path, body, fields, port: port)
    }

    /// As the kernel does it: nothing can be finished.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// - Returns: the exit code.
    func stop() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private static func line(_ handle: FileHandle) -> String? {
        var bytes: [UInt8] = []
        while let byte = try? handle.read(upToCount: 1)?.first {
            if byte == 0x0A { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }
}
