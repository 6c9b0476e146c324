import Foundation

/// A folder of one test's own, which goes with this object.
package final class TestFolder: Sendable {
    package let path: String

    package init() {
        path = NSTemporaryDirectory() + "viecoop-" + UUID().uuidString.lowercased()
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
