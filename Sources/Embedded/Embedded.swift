import CEmbedded

/// Files of the repository that travel inside the binary, so that it needs nothing beside it.
package enum Embedded {
    package struct File: Sendable {
        package let name: String
        package let bytes: [UInt8]
        package var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// `Migrations/`, in the order in which they run; names without `.sql`.
    package static var migrations: [File] {
        (0..<embedded_migration_count).map { file(embedded_migration($0)) }
    }
    package static var openAPI: File { file(embedded_openapi) }
    /// The federation's sample registry, the MOOC's modules and the workshop's ideas, as `viecoop import` reads them.
    package static var sampleData: [File] { [file(embedded_coops), file(embedded_mooc), file(embedded_workshop)] }

    /// The files of the dashboard's page.
    package static var dashboard: [File] { (0..<embedded_dashboard_count).map { file(embedded_dashboard_file($0)) } }

    private static func file(_ embedded: EmbeddedFile) -> File {
        File(
            name: String(cString: embedded.name),
            bytes: Array(UnsafeBufferPointer(start: embedded.bytes, count: embedded.count)))
    }
}
