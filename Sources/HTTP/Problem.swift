import JSON
import Text

/// A problem document (RFC 9457). `code` is stable; `title` and `detail` are for people and follow `Accept-Language`.
package struct Problem: Error, Sendable {
    package var status: Int
    package var code: String
    package var title: Bilingual
    package var detail: Bilingual
    package var faults: [Fault]
    /// Further members of the document, each already JSON: `("canonical_id", "\"0197…\"")`.
    package var members: [(name: String, json: String)]
    package var headers: Headers
    package var closes: Bool

    /// One thing wrong with the request's content. `pointer` is a JSON Pointer as a URI fragment: `#/email`.
    package struct Fault: Sendable, Equatable {
        package var pointer: String
        package var code: String
        package var detail: Bilingual
        package init(pointer: String, code: String, detail: Bilingual) {
            self.pointer = pointer
            self.code = code
            self.detail = detail
        }
    }

    package init(
        _ status: Int, _ code: String, title: Bilingual, detail: Bilingual, faults: [Fault] = [],
        members: [(name: String, json: String)] = [], headers: Headers = Headers(), closes: Bool = false
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.faults = faults
        self.members = members
        self.headers = headers
        self.closes = closes
    }

    /// The document; `instance` is the request's path, without query.
    package func document(language: Language, instance: String) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", "/problems/\(code)")
        json.member("title", title[language])
        json.member("status", status)
        json.member("detail", detail[language])
        json.member("code", code)
        json.member("instance", instance)
        if !faults.isEmpty {
            json.key("errors")
            json.beginArray()
            for fault in faults {
                json.beginObject()
                json.member("pointer", fault.pointer)
                json.member("code", fault.code)
                json.member("detail", fault.detail[language])
                json.endObject()
            }
            json.endArray()
        }
        for member in members {
            json.key(member.name)
            json.raw(member.json)
        }
        json.endObject()
        return json.bytes
    }

    /// The same as `application/problem+json`.
    package func response(language: Language, instance: String) -> Response {
        var response = Response(status: status, headers: headers, body: document(language: language, instance: instance))
        response.headers.set("Content-Type", "application/problem+json")
        response.headers.set("Content-Language", language.rawValue)
        response.headers.set("Cache-Control", "no-store")
        response.closes = closes
        return response
    }
}
