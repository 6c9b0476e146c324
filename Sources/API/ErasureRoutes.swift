import Domain
import HTTP
import JSON

/// How far an erasure has come: `/v1/erasures/{id}`, by the record's id.
struct ErasureRoutes: Sendable {
    let federation: Federation

    var routes: [Route] { [.read("/v1/erasures/{id}", needsToken: true, show)] }

    private func show(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let progress = try federation.erasure(call.id(of: Void.self), for: call.caller)
        return .json { progress.write(to: &$0) }
    }
}

extension Federation.ErasureProgress {
    fileprivate func write(to json: inout JSONWriter) {
        erasure.write(to: &json)
        json.key("devices")
        json.beginArray()
        for device in devices {
            json.beginObject()
            json.member("id", device.token.id.text)
            json.member("label", device.token.label)
            json.member("wiped", device.hasWiped)
            json.endObject()
        }
        json.endArray()
    }
}

extension Erasure {
    func write(to json: inout JSONWriter) {
        json.member("id", id.text)
        json.member("type", type.rawValue)
        json.member("status", purged == nil ? "purging" : "purged")
        json.key("seq")
        json.integer(seq)
        json.member("erased_at", at.text)
        json.member("purged_at", purged?.text)
    }
}
