import API
@testable import Domain
import Foundation
import JSON
import Replica
import SQLite
import TestSupport

/// The real federation and the real API in this process, on a folder of its own; it can be killed and restored.
final class SimulatedServer {
    private(set) var federation: Federation
    private var app: App
    private let clock: TestClock
    private let files: TestFolder
    private(set) var directory: String
    private var lives = 0

    init(from template: Template, clock: TestClock) throws {
        self.clock = clock
        files = TestFolder(inMemory: true)
        directory = files.file("0")
        try FileManager.default.copyItem(atPath: template.directory, toPath: directory)
        (federation, app) = try Self.open(directory, clock)
    }

    deinit { federation.close() }

    static func open(_ directory: String, _ clock: TestClock) throws -> (Federation, App) {
        var settings = Federation.Settings()
        settings.database.cacheKiB = 1024
        settings.database.readerCacheKiB = 512
        settings.database.readers = 1
        settings.now = { clock.now }
        settings.keepsHouse = false
        let federation = try Federation(directory: directory, settings: settings)
        return (federation, App(federation, metrics: Metrics(), log: nil))
    }

    func answer(_ request: ReplicaRequest, token: String) throws -> ReplicaAnswer { try DirectTransport(app: app, token: token).send(request) }

    func caller(_ token: String) throws -> Caller {
        guard let secret = Token.Secret(token), case .caller(let caller) = federation.tokens.judge(secret, at: clock.now) else {
            throw Divergence(.rightsChange, "a token is not known")
        }
        return caller
    }

    // MARK: What befalls it

    /// The process ends at once; another finds the files as they are.
    func kill() throws {
        let former = federation
        lives += 1
        let next = files.file("\(lives)")
        try FileManager.default.createDirectory(atPath: next, withIntermediateDirectories: false)
        // The log last: what is in the file by then is in the log as well.
        for name in ["viecoop.db", "viecoop.db-wal", "highwater", "erased"] where FileManager.default.fileExists(atPath: directory + "/" + name) {
            try FileManager.default.copyItem(atPath: directory + "/" + name, toPath: next + "/" + name)
        }
        (federation, app) = try Self.open(next, clock)
        former.close()
        try? FileManager.default.removeItem(atPath: directory)
        directory = next
    }

    func backup() throws -> String {
        lives += 1
        let file = files.file("backup\(lives)")
        _ = try Backup.write(to: file, of: directory, progress: { _, _ in })
        return file
    }

    func restore(_ file: String) throws {
        federation.close()
        _ = try Restore.run(file, into: directory, at: clock.now, progress: { _, _ in })
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name.hasPrefix("viecoop-before") {
            try FileManager.default.removeItem(atPath: directory + "/" + name)
        }
        (federation, app) = try Self.open(directory, clock)
    }

    /// Whether the bytes are in any file of the server.
    func holds(_ text: String) throws -> Bool {
        try FileManager.default.contentsOfDirectory(atPath: directory).contains { name in
            try [UInt8](Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))).holds(text)
        }
    }

    // MARK: Looking into it

    struct Shown: Equatable {
        let rev: Int64
        let layer: String
        let document: String
    }

    /// What the layers show: of every record the most specific live row, found without any of the pull's rules. By `type id`.
    func view(_ layers: [Audience]) throws -> [String: Shown] {
        let names = layers.map(\.name).joined(separator: " ")
        let head = federation.heads.head
        if let known = views[names], known.head == head { return known.shown }
        let shown = try federation.database.read { connection in
            var shown: [String: Shown] = [:]
            for layer in layers.reversed() {
                let letter = String(UnicodeScalar(layer.letter))
                for row in try ShownRow.all(of: layer, in: connection) {
                    shown["\(row.type) \(row.id)"] = Shown(rev: row.rev, layer: letter, document: String(decoding: row.document, as: UTF8.self))
                }
            }
            return shown
        }
        views[names] = (head, shown)
        return shown
    }

    private var views: [String: (head: Int64, shown: [String: Shown])] = [:]

    func rows<Element>(_ sql: String, _ values: [Value] = [], _ row: (Statement) -> Element) throws -> [Element] {
        try federation.database.read { connection in try connection.all(sql, values, row) }
    }

    func run(_ sql: String, _ values: [Value] = []) throws {
        try federation.perform { (tx) throws(DomainError) in try storing { () throws(DatabaseError) in try tx.connection.run(sql, values) } }
    }
}

/// What every history begins with, made once and copied.
struct Template: Sendable {
    static let coops = ["a", "b", "c"].map { "01970000-0000-7000-8000-0000000000\($0)1" }
    static let theme = "01970000-0000-7000-8000-0000000000d1"
    static let session = "01970000-0000-7000-8000-0000000000d2"
    /// Two sites that are always changed together.
    static let pair = ["e1", "e2"].map { "01970000-0000-7000-8000-0000000000\($0)" }

    let directory: String
    /// The administrator's, then the devices'.
    let tokens: [String]
    private let folder: TestFolder

    init() throws {
        folder = TestFolder(inMemory: true)
        directory = folder.file("template")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let (federation, _) = try SimulatedServer.open(directory, TestClock())
        defer { federation.close() }
        func add<R: Record>(_ type: R.Type, _ json: String) throws {
            let draft = try Draft<R>(JSON.parse(Array(json.utf8)), for: .bringIn)
            _ = try federation.perform { (tx) throws(DomainError) in try R.store.create(draft, by: .operatorItself, in: tx) }
        }
        for (id, slug) in zip(Self.coops, ["a", "b", "c"]) {
            try add(Coop.self, #"{"id":"\#(id)","slug":"\#(slug)","name":"\#(slug)","department_code":"35","membership":"member"}"#)
        }
        try add(Theme.self, #"{"id":"\#(Self.theme)","slug":"voisinage","title":"Voisinage"}"#)
        let (mooc, module) = ("01970000-0000-7000-8000-0000000000d3", "01970000-0000-7000-8000-0000000000d4")
        try add(Mooc.self, #"{"id":"\#(mooc)","slug":"numerique","title":"Le numérique"}"#)
        try add(Module.self, #"{"id":"\#(module)","mooc_id":"\#(mooc)","slug":"bases","title":"Les bases","status":"published"}"#)
        for id in Self.pair { try add(Site.self, #"{"id":"\#(id)","coop_id":"\#(Self.coops[0])","name":"\#(id)","workstations":2,"seats":8}"#) }
        try add(
            Session.self,
            #"{"id":"\#(Self.session)","coop_id":"\#(Self.coops[0])","site_id":"\#(Self.pair[0])","module_id":"\#(module)","starts_at":"2099-03-12T14:00:00Z","capacity":2,"status":"open"}"#)
        for (number, coop) in Self.coops.enumerated() {
            try add(Idea.self, #"{"id":"01970000-0000-7000-8000-0000000000f\#(number)","title":"Idée \#(number)","theme_id":"\#(Self.theme)","author_coop_id":"\#(coop)"}"#)
        }
        let drafts = [Token.Draft(role: .federationAdmin)] + (0..<4).map { _ in Token.Draft(role: .coopManager, coop: Identifier(Self.coops[0])) }
        tokens = try drafts.map { try federation.createToken($0).secret.text }
    }
}

extension [UInt8] {
    /// Whether the text's bytes are in it. By the C library, since Swift takes seconds for it where nothing is optimized.
    func holds(_ text: String) -> Bool {
        withUnsafeBytes { bytes in
            guard var rest = bytes.baseAddress, let first = text.utf8.first else { return false }
            let end = rest + bytes.count
            while let found = memchr(rest, Int32(first), end - rest), end - UnsafeRawPointer(found) >= text.utf8.count {
                if memcmp(found, text, text.utf8.count) == 0 { return true }
                rest = UnsafeRawPointer(found) + 1
            }
            return false
        }
    }
}
