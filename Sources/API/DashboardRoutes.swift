import Embedded
import HTTP

/// The page that shows the federation's figures as pictures: its files, as they lie in `Sources/CEmbedded/dashboard`. It asks for the figures
/// itself, with the token that its reader pastes.
struct DashboardRoutes: Sendable {
    /// Nothing from elsewhere, nothing inline, and no text of an answer ever taken for markup.
    static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

    private static let types = ["html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"]
    private let files = Dictionary(uniqueKeysWithValues: Embedded.dashboard.map { ($0.name, $0.bytes) })

    var routes: [Route] {
        [
            .read("/dashboard", offers: ["text/html"]) { try file("index.html", $0) },
            .read("/dashboard/{file}", offers: ["text/css", "text/javascript", "image/svg+xml"]) { call in
                guard let name = call.parameters.first, name != "index.html" else { throw Problem.notFound }
                return try file(String(name), call)
            },
        ]
    }

    private func file(_ name: String, _ call: Call) throws -> Response {
        // What stands in the page's own address is for the page, which keeps its window and filters there.
        if name != "index.html" { try call.takesNoQuery() }
        guard let bytes = files[name], let type = name.split(separator: ".").last.flatMap({ Self.types[String($0)] }) else { throw Problem.notFound }
        return Response(
            status: 200,
            headers: [
                "Content-Type": type, "Content-Security-Policy": Self.contentSecurityPolicy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
            ], body: bytes)
    }
}
