import Domain
import Embedded
import Foundation
import JSON

/// A federation in a folder of its own, gone with the object.
final class ExchangeFederation {
    private let directory: String
    let federation: Federation

    init(sample: Bool = false) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("viecoop-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var settings = Federation.Settings()
        settings.now = { Timestamp("2026-03-02T09:00:00Z") ?? .now() }
        federation = try Federation(directory: directory, settings: settings)
        if sample { _ = try Import.run(Self.sampleFiles, into: federation) }
    }

    deinit {
        federation.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    static var sampleFiles: [ImportFile] { Embedded.sampleData.map { ImportFile(name: $0.name, bytes: $0.bytes) } }

    @discardableResult
    func bring(_ files: (name: String, text: String)..., dryRun: Bool = false) throws -> ImportReport {
        try Import.run(files.map { ImportFile(name: $0.name, bytes: Array($0.text.utf8)) }, dryRun: dryRun, into: federation)
    }

    /// The faults that keep the files out; empty where they are imported.
    func faults(_ files: [ImportFile], dryRun: Bool = false) throws -> [ImportFault] {
        do {
            _ = try Import.run(files, dryRun: dryRun, into: federation)
            return []
        } catch let ImportFailure.faults(faults) { return faults }
    }

    func export(_ type: RecordType, as format: Export.Format = .csv, for caller: Caller = .operatorItself) throws -> [UInt8] {
        let export = Export(type, as: format, for: caller, in: federation)
        var bytes: [UInt8] = []
        while let piece = try export.next() { bytes += piece }
        return bytes
    }

    /// The documents of a type as the operator sees them.
    func documents(_ type: RecordType) throws -> [JSON] {
        try export(type, as: .ndjson).split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) }
    }

    func coop(_ slug: String) throws -> JSON? { try documents(.coop).first { $0["slug"]?.stringValue == slug } }
}
