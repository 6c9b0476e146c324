import HTTP
import JSON

enum DeviceCommand: Command {
    static let name = "device"
    static let summary = "Makes the codes by which referents' devices come in, lists and revokes devices."
    static let help = """
        viecoop device enrol --coop SLUG [--referent ID] [--helper] [--label TEXT] [--data DIR]
        viecoop device list [--coop SLUG] [--data DIR]
        viecoop device revoke ID [--data DIR]

          --coop      the co-op's slug
          --referent  the mandate that the device stands for
          --helper    the device may see who comes to a session
          --label     whose it is, so that it can be found again
          --data      the server's folder (VIECOOP_DATA, default: data)

        `enrol` prints a code that is good once, for 15 minutes. `list` prints id, co-op, label, when it was seen last, how many
        changes its copy is behind, its app and its state.

        Example: viecoop device enrol --coop a-casa-cumuna --label "Téléphone de Ghjulia"
        """

    static func run(_ arguments: inout Arguments) throws {
        switch arguments.word() {
        case "enrol": try enrol(&arguments)
        case "list": try list(&arguments)
        case "revoke": try revoke(&arguments)
        default: throw Misuse("say enrol, list or revoke")
        }
    }

    private static func enrol(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        guard let slug = try arguments.value("--coop") else { throw Misuse("--coop is missing") }
        let referent = try arguments.value("--referent")
        let label = try arguments.value("--label")
        let isHelper = arguments.flag("--helper")
        try arguments.end()
        var json = JSONWriter()
        json.beginObject()
        json.member("coop_id", try TokenCommand.coopID(slug, data))
        if let referent { json.member("referent_id", referent) }
        json.member("helper", isHelper)
        json.member("label", label ?? "")
        json.endObject()
        Terminal.print(try Control.json("POST", "/v1/devices/codes", body: json.bytes, data: data)["code"]?.stringValue ?? "")
    }

    private static func list(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        let slug = try arguments.value("--coop")
        try arguments.end()
        var query = try slug.map { "limit=500&coop_id=\(try TokenCommand.coopID($0, data))" } ?? "limit=500"
        while true {
            let page = try Control.json("GET", "/v1/devices", query: query, data: data)
            for device in page["items"]?.elements ?? [] {
                let state = device["revoked_at"]?.stringValue.map { "revoked \($0)" } ?? "valid"
                let texts = [device["id"], device["coop_id"], device["label"], device["seen_at"]].map { $0?.stringValue ?? "-" }
                let behind = device["behind"]?.integerValue.map { String($0) } ?? "-"
                Terminal.print((texts + [behind, device["app"]?.stringValue ?? "-", state]).joined(separator: "\t"))
            }
            guard let next = page["next"]?.stringValue, let mark = next.firstIndex(of: "?") else { return }
            query = String(next[next.index(after: mark)...])
        }
    }

    private static func revoke(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        guard let id = arguments.word() else { throw Misuse("which device? Give its id, as `viecoop device list` shows it") }
        try arguments.end()
        try Control.check(Control.send(Control.request("DELETE", "/v1/devices/\(id)"), data: data))
        Terminal.print("revoked")
    }
}
