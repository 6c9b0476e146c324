import CMicroHTTPD
import Glibc
import HTTP
import Text

/// The bytes of an answer that goes to the socket past the library: refusals have to be possible while a body is arriving,
/// when it does not let us queue one, and without room in its memory pool. They always end the connection.
enum RawAnswer {
    static func bytes(_ refusal: Refusal, language: Language, instance: String, id: String, head: Bool = false) -> [UInt8] {
        let response = refusal.problem.response(language: language, instance: instance)
        guard case .bytes(let body) = response.body else { return [] }
        var text = "HTTP/1.1 \(response.status) \(String(cString: MHD_get_reason_phrase_for(UInt32(response.status))))\r\n"
        text += "Date: \(date())\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n"
        if !id.isEmpty { text += "Request-Id: \(id)\r\n" }
        for field in response.headers.fields { text += "\(field.name): \(field.value)\r\n" }
        text += "Content-Length: \(body.count)\r\n\r\n"
        return Array(text.utf8) + (head ? [] : body)
    }

    /// IMF-fixdate of RFC 9110 section 5.6.7.
    private static func date() -> String {
        var time = Glibc.time(nil)
        var parts = tm()
        gmtime_r(&time, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            // Never localised: nobody here calls setlocale.
            strftime(text.baseAddress!, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            return String(cString: text.baseAddress!)
        }
    }
}
