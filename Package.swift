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

        .target(name: "JSON"),
        .target(name: "Crypto", dependencies: ["CCrypto"]),
        .target(name: "SQLite", dependencies: ["CSQLite", "Crypto"]),
        .target(name: "Domain", dependencies: ["SQLite", "JSON", "Crypto"]),
        .target(name: "HTTP", dependencies: ["JSON"]),
        .target(name: "API", dependencies: ["Domain", "HTTP", "JSON", "Crypto", "CZlib", "Embedded"]),
        .target(name: "HTTPServer", dependencies: ["HTTP", "CMicroHTTPD"]),
        .executableTarget(
            name: "viecoop",
            dependencies: ["API", "Domain", "SQLite", "Embedded", "HTTP", "HTTPServer", "JSON", "Crypto", "CCurl", "Embedded"]),
        .executableTarget(name: "viecoop-bench", dependencies: ["JSON"]),

        .target(
            name: "TestSupport",
            dependencies: ["API", "Domain", "SQLite", "Embedded", "HTTP", "HTTPServer", "JSON"],
            path: "Tests/TestSupport"),
        .testTarget(name: "JSONTests", dependencies: ["JSON"]),
        .testTarget(name: "SQLiteTests", dependencies: ["SQLite", "CSQLite", "Embedded", "TestSupport"]),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP"]),
        .testTarget(name: "HTTPServerTests", dependencies: ["HTTPServer", "HTTP", "CMicroHTTPD", "TestSupport"]),
        .testTarget(name: "DomainTests", dependencies: ["Domain", "SQLite", "JSON", "TestSupport"]),
        .testTarget(name: "APITests", dependencies: ["API", "Domain", "HTTP", "JSON", "TestSupport"]),
        .testTarget(name: "viecoopTests", dependencies: ["JSON", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
