import Domain
import HTTP
import JSON

enum TokenCommand: Command {
    static let name = "token"
    static let summary = "Makes, lists and revokes the tokens that let people, devices and dashboards in."
    static let help = """
        viecoop token create --role ROLE [--coop SLUG] [--helper] [--referent ID] [--label TEXT] [--expires TIME] [--data DIR]
        viecoop token list [--data DIR]
        viecoop token revoke ID [--data DIR]

          --role      federation_admin, federation_reader, coop_manager or referent (a referent's device)
          --coop      the co-op's slug; needed for coop_manager and referent
          --helper    the device may see who comes to a session
          --referent  the mandate that the device stands for
          --label     whose it is, so that it can be found again
          --expires   a date or a time, such as 2026-12-31 or 2026-12-31T22:59:00Z
          --data      the server's folder (VIECOOP_DATA, default: data)

        `create` prints the token alone; it is shown this once. All of them work beside a running server, at once.

        Example: viecoop token create --role coop_manager --coop a-casa-cumuna --label "Ghjulia, siège"
        """

    static func run(_ arguments: inout Arguments) throws {
        switch arguments.word() {
        case "create": try create(&arguments)
        case "list": try list(&arguments)
        case "revoke": try revoke(&arguments)
        default: throw Misuse("say create, list or revoke")
        }
    }

    private static func create(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        guard let role = try arguments.value("--role") else { throw Misuse("--role is missing") }
        guard Role(rawValue: role) != nil else { throw Misuse("--role must be one of: \(Role.allCases.map(\.rawValue).joined(separator: ", "))") }
        let slug = try arguments.value("--coop")
        let expires = try arguments.value("--expires")
        let referent = try arguments.value("--referent")
        let label = try arguments.value("--label")
        let isHelper = arguments.flag("--helper")
        try arguments.end()
        var json = JSONWriter()
        json.beginObject()
        json.member("role", role)
        if let slug { json.member("coop_id", try coopID(slug, data)) }
        json.member("helper", isHelper)
        if let referent { json.member("referent_id", referent) }
        json.member("label", label ?? "")
        if let expires { json.member("expires_at", Day(expires).map { "\($0.text)T23:59:59Z" } ?? expires) }
        json.endObject()
        let token = try Control.json("POST", "/v1/tokens", body: json.bytes, data: data, naming: options)
        Terminal.print(token["token"]?.stringValue ?? "")
    }

    private static let options = [
        "#/coop_id": "--coop", "#/helper": "--helper", "#/referent_id": "--referent", "#/label": "--label", "#/expires_at": "--expires",
    ]

    static func coopID(_ slug: String, _ data: String) throws -> String {
        let found = try Control.json("GET", "/v1/coops", query: "slug=\(Query.escape(slug))", data: data)
        guard let id = found["items"]?.elements?.first?["id"]?.stringValue else {
            throw Failure("there is no co-op with the slug \(slug); viecoop export coop --format csv shows them all")
        }
        return id
    }

    private static func list(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        try arguments.end()
        for token in try Control.json("GET", "/v1/tokens", data: data)["items"]?.elements ?? [] {
            let state = token["revoked_at"]?.stringValue.map { "revoked \($0)" } ?? token["expires_at"]?.stringValue.map { "until \($0)" } ?? "valid"
            let parts = [token["id"], token["role"], token["coop_id"], token["label"]].map { $0?.stringValue ?? "-" }
            Terminal.print((parts + [state]).joined(separator: "\t"))
        }
    }

    private static func revoke(_ arguments: inout Arguments) throws {
        let data = try arguments.dataFolder()
        guard let id = arguments.word() else { throw Misuse("which token? Give its id, as `viecoop token list` shows it") }
        try arguments.end()
        try Control.check(Control.send(Control.request("DELETE", "/v1/tokens/\(id)"), data: data))
        Terminal.print("revoked")
    }
}
