@testable import Domain
import Foundation
import SQLite
import TestSupport
import Testing

struct HighWaterTests {
    struct Start: Sendable, CustomTestStringConvertible {
        let name: String
        /// Nil: the server starts.
        let refusal: String?
        /// Changes the folder of a federation that has made three co-ops, between two starts.
        let prepare: @Sendable (TestFolder) throws -> Void
        var testDescription: String { name }

        init(_ name: String, refusal: String? = nil, prepare: @escaping @Sendable (TestFolder) throws -> Void) {
            (self.name, self.refusal, self.prepare) = (name, refusal, prepare)
        }
    }

    static let starts = [
        Start("as it was left") { _ in },
        Start("an older copy of the database", refusal: "it ends at 1, and 3 was committed") { folder in
            try folder.write(folder.bytes(of: "older.db"), to: "viecoop.db")
        },
        Start("no database any more", refusal: "it ends at 0, and 3 was committed") { try FileManager.default.removeItem(atPath: $0.file("viecoop.db")) },
        Start("a database and nothing that tells", refusal: "highwater, which would tell, is missing") {
            try FileManager.default.removeItem(atPath: $0.file("highwater"))
        },
        Start("a file that makes no sense", refusal: "makes no sense") { try $0.write(Array("reserved 1\n".utf8), to: "highwater") },
        Start("another server's database", refusal: "it belongs to another history") { folder in
            let other = TestFolder()
            let federation = try Federation(directory: other.path)
            for slug in ["x", "y", "z", "v"] { try HighWaterTests.addCoop(slug, federation) }
            federation.close()
            try folder.write(other.bytes(of: "viecoop.db"), to: "viecoop.db")
        },
        Start("a mark that lost its end to a power cut") { folder in
            let text = String(decoding: try folder.bytes(of: "highwater"), as: UTF8.self)
            try folder.write(Array(text.replacing("committed 00000000000000000003", with: "committed 00000000000000000001").utf8), to: "highwater")
        },
        Start("a restore that was cut off before its mark") { folder in
            let before = try folder.bytes(of: "highwater")
            try folder.write(folder.bytes(of: "older.db"), to: "viecoop.db")
            #expect(try Restore.adopt(folder.path) != nil)
            try folder.write(before, to: "highwater")
        },
    ]

    @Test("a database that is not what the folder's server wrote last is refused, and left as it is", arguments: starts)
    func admits(_ start: Start) throws {
        let folder = TestFolder()
        var federation = try Federation(directory: folder.path)
        try Self.addCoop("a", federation)
        _ = try Backup.write(to: folder.file("older.db"), of: folder.path) { _, _ in }
        for slug in ["b", "c"] { try Self.addCoop(slug, federation) }
        federation.close()
        try start.prepare(folder)
        let before = try folder.files.map { try folder.bytes(of: $0) }
        do {
            federation = try Federation(directory: folder.path)
            let newest = try HighWater.read(in: folder.path)
            #expect(start.refusal == nil)
            #expect(newest?.current?.name == federation.epochs.current && newest?.reserved ?? 0 >= federation.heads.head)
            federation.close()
        } catch {
            #expect("\(error)".contains(start.refusal ?? "never"), "\(error)")
            #expect("\(error)".contains("viecoop restore --adopt"))
            #expect(try folder.files.map { try folder.bytes(of: $0) } == before)
        }
    }

    @Test("seqs are on disk as reserved before they are given out, a block at a time")
    func reserves() throws {
        let folder = TestFolder()
        let epochs = [Epochs.Row(name: "a", parent: nil, fork: 0, first: 1)]
        let highWater = HighWater(directory: folder.path)
        try highWater.open(head: 7, epochs: epochs)
        #expect(try HighWater.read(in: folder.path) == .init(reserved: 65_543, committed: 7, epochs: epochs))
        try highWater.reserve(65_543)
        highWater.committed(65_543)
        #expect(try HighWater.read(in: folder.path) == .init(reserved: 65_543, committed: 65_543, epochs: epochs))
        try highWater.reserve(65_544)
        #expect(try HighWater.read(in: folder.path) == .init(reserved: 131_080, committed: 65_543, epochs: epochs))
    }

    private static func addCoop(_ slug: String, _ federation: Federation) throws {
        let draft = try Draft<Coop>(TestJSON.parse(#"{"slug":"\#(slug)","name":"Coop","department_code":"35"}"#), for: .create)
        _ = try federation.perform { (tx) throws(DomainError) in try Coop.store.create(draft, by: .operatorItself, in: tx) }
    }
}
