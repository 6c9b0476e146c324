import Embedded
import Foundation
import Testing

struct EmbeddedTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test("every migration of the folder is in the binary, with the same bytes and in the same order")
    func holdsEveryMigration() throws {
        let folder = Self.root.appendingPathComponent("Migrations")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(Embedded.migrations.map { $0.name + ".sql" } == names)
        for migration in Embedded.migrations {
            #expect(try [UInt8](Data(contentsOf: folder.appendingPathComponent(migration.name + ".sql"))) == migration.bytes, "\(migration.name)")
        }
    }

    @Test("every sample file of the folder is in the binary")
    func holdsEverySample() throws {
        let folder = Self.root.appendingPathComponent("Sources/CEmbedded/data")
        #expect(Embedded.sampleData.map(\.name).sorted() == (try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()))
        for file in Embedded.sampleData { #expect(try [UInt8](Data(contentsOf: folder.appendingPathComponent(file.name))) == file.bytes) }
    }
}
