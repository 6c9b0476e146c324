import Crypto
import Domain

/// What the pages have in common.
enum HTML {
    /// Nothing is loaded or run, and only the page's own style applies.
    static func contentSecurityPolicy(style: String) -> String {
        "default-src 'none'; style-src 'sha256-\(base64(Crypto.sha256(Array(style.utf8))))'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }

    /// As text, and in an attribute between double quotes.
    static func escaped(_ text: some StringProtocol) -> String {
        var html = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&quot;"
            default: html.unicodeScalars.append(character)
            }
        }
        return html
    }

    /// 32 bytes end in one sign of padding.
    private static func base64(_ digest: [UInt8]) -> String { Base64URL.encode(digest).replacing("-", with: "+").replacing("_", with: "/") + "=" }
}
