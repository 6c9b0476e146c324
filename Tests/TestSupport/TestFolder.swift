import Foundation

/// A folder of a test's own, removed with the object.
package final class TestFolder: Sendable {
    package let path: String

    /// - Parameter inMemory: where nothing is ever written to a disk, so that many small histories do not wait for one.
    package init(inMemory: Bool = false) {
        let memory = "/dev/shm"
        let parent = inMemory && FileManager.default.isWritableFile(atPath: memory) ? URL(fileURLWithPath: memory) : FileManager.default.temporaryDirectory
        path = parent.appendingPathComponent("viecoop-test-" + UUID().uuidString.lowercased()).path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch { preconditionFailure("no temporary folder: \(error)") }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The names of the files in it, in order.
    package var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    package func file(_ name: String) -> String { path + "/" + name }

    package func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: file(name))) }

    package func bytes(of name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name)))) }
}
