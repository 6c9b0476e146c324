// swift-tools-version:6.1
import PackageDescription

// Each line of `dependencies` is a "uses" of the house; `swift build --explicit-target-dependency-import-check error`
// refuses an import without one. System C libraries only, no Swift package.
let package = Package(
    name: "viecoop",
    products: [
        .executable(name: "viecoop", targets: ["viecoop"]),
        .executable(name: "viecoop-bench", targets: ["viecoop-bench"]),
    ],
    targets: [
        .systemLibrary(name: "CSQLite"),
        .systemLibrary(name: "CMicroHTTPD"),
        .systemLibrary(name: "CCurl"),
        .systemLibrary(name: "CCrypto"),
        .systemLibrary(name: "CZlib"),

        // Migrations/, openapi.yaml and the sample data, compiled into the binary.
        .target(name: "CEmbedded", cSettings: [.unsafeFlags(["-Wno-c23-extensions"])]),
        .target(name: "Embedded", dependencies: ["CEmbedded"]),

        .target(name: "JSON", dependencies: ["Text"]),
        // Messages in both languages, and how text is compared and kept: the one place that needs Foundation's Unicode tables.
        .target(name: "Text"),
        .target(name: "Crypto", dependencies: ["CCrypto"]),
        .target(name: "SQLite", dependencies: ["CSQLite", "Crypto"]),
        .target(name: "Domain", dependencies: ["SQLite", "JSON", "Crypto", "Text", "Embedded"]),
        .target(name: "Webhooks", dependencies: ["Domain", "SQLite", "Crypto", "Text", "CCurl"]),
        .target(name: "HTTP", dependencies: ["JSON", "Text"]),
        .target(name: "API", dependencies: ["Domain", "Webhooks", "HTTP", "JSON", "Crypto", "Text", "CZlib", "Embedded"]),
        .target(name: "HTTPServer", dependencies: ["HTTP", "Text", "CMicroHTTPD"]),
        // A client of the protocol, with a store of its own: nothing of the server is in it.
        .target(name: "Replica", dependencies: ["SQLite", "JSON", "Crypto", "CCurl"], exclude: ["CLIENTS.md"]),
        .executableTarget(
            name: "viecoop",
            dependencies: [
                "API", "Domain", "Webhooks", "Replica", "SQLite", "HTTP", "HTTPServer", "JSON", "Crypto", "Text", "CCurl", "Embedded",
            ]),
        .executableTarget(name: "viecoop-bench", dependencies: ["JSON", "Embedded", "Replica"]),

        .target(
            name: "TestSupport",
            dependencies: ["API", "Domain", "SQLite", "Embedded", "HTTP", "HTTPServer", "JSON"],
            path: "Tests/TestSupport"),
        .testTarget(name: "JSONTests", dependencies: ["JSON"]),
        .testTarget(name: "CryptoTests", dependencies: ["Crypto"]),
        // A disk that fails on demand.
        .target(name: "CFaultVFS", dependencies: ["CSQLite"], path: "Tests/CFaultVFS"),
        .testTarget(name: "SQLiteTests", dependencies: ["SQLite", "CSQLite", "CFaultVFS", "Embedded", "TestSupport"]),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP", "Text"]),
        .testTarget(name: "HTTPServerTests", dependencies: ["HTTPServer", "HTTP", "Text", "CMicroHTTPD", "TestSupport"]),
        .testTarget(name: "TextTests", dependencies: ["Text"]),
        .testTarget(name: "DomainTests", dependencies: ["Domain", "Embedded", "Text", "SQLite", "JSON", "Crypto", "TestSupport"]),
        .testTarget(name: "APITests", dependencies: ["API", "Domain", "Embedded", "HTTP", "JSON", "SQLite", "Text", "TestSupport"]),
        .testTarget(name: "WebhooksTests", dependencies: ["Webhooks", "API", "Domain", "JSON", "SQLite", "Embedded", "TestSupport"]),
        .testTarget(name: "ReplicaTests", dependencies: ["Replica", "API", "Domain", "HTTP", "JSON", "SQLite", "TestSupport"]),
        .testTarget(name: "viecoopTests", dependencies: ["viecoop", "Replica", "Domain", "Embedded", "JSON", "SQLite", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
