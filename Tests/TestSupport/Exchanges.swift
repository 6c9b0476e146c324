import Foundation
import HTTP
import JSON
import Synchronization

/// Appends every exchange of the tests to the file that `VIECOOP_EXCHANGES` names, a JSON line each, for the contract's check.
enum Exchanges {
    private static let file = Mutex<FileHandle?>(open())

    private static func open() -> FileHandle? {
        guard let path = ProcessInfo.processInfo.environment["VIECOOP_EXCHANGES"] else { return nil }
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let handle = FileHandle(forWritingAtPath: path)
        _ = try? handle?.seekToEnd()
        return handle
    }

    static func note(_ request: Request, _ response: Response) {
        guard response.headers["Content-Encoding"] == nil else { return }
        var json = JSONWriter()
        json.beginObject()
        json.member("method", request.method)
        json.member("route", response.route)
        json.member("path", request.path)
        json.member("status", response.status)
        json.member("request_content_type", request.headers["Content-Type"])
        json.member("request_body", request.body.isEmpty ? nil : String(decoding: request.body, as: UTF8.self))
        json.member("content_type", response.headers["Content-Type"])
        if case .bytes(let bytes) = response.body, !bytes.isEmpty { json.member("body", String(decoding: bytes, as: UTF8.self)) } else { json.member("body", nil) }
        json.endObject()
        let line = Data(json.bytes + [0x0A])
        file.withLock { try? $0?.write(contentsOf: line) }
    }
}
