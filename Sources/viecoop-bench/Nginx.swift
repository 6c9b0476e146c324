import Foundation

/// nginx on loopback, which says what this machine can do: a constant answer for every path, and one file.
struct Nginx {
    let port: UInt16

    /// Starts it with two workers, like the server beside it; it answers `constant`, and `page` at `/page.json`.
    init(in workspace: Workspace, constant: [UInt8], page: [UInt8]) throws(BenchError) {
        port = try Client.freePort()
        _ = try workspace.write("page.json", page)
        let constantFile = try workspace.write("constant.conf", Nginx.quoted(constant).utf8)
        let configuration = """
            \(getuid() == 0 ? "user root;" : "")
            daemon off;
            worker_processes 2;
            pid \(workspace.path("nginx.pid"));
            error_log \(workspace.path("nginx.log"));
            events { worker_connections 4096; }
            http {
                access_log off;
                default_type application/json;
                keepalive_requests 1000000000;
                keepalive_timeout 1h;
                sendfile on;
                tcp_nopush on;
                open_file_cache max=10 inactive=1h;
                client_body_temp_path \(workspace.path("body"));
                proxy_temp_path \(workspace.path("proxy"));
                fastcgi_temp_path \(workspace.path("fastcgi"));
                uwsgi_temp_path \(workspace.path("uwsgi"));
                scgi_temp_path \(workspace.path("scgi"));
                server {
                    listen 127.0.0.1:\(port);
                    location = /page.json { root \(workspace.folder); }
                    location / { include \(constantFile); }
                }
            }
            """
        let file = try workspace.write("nginx.conf", configuration.utf8)
        let process = try workspace.start(
            try findProgram("nginx"), ["-p", workspace.folder, "-e", workspace.path("nginx.log"), "-c", file])
        try waitUntil("nginx answers", while: process) { () throws(BenchError) in
            try Client(port: port).get("/page.json") != nil
        }
    }

    private static func quoted(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        // In nginx's quotes a dollar starts a variable, and none of our answers has one.
        return "return 200 '\(text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "'", with: "\\'"))';"
    }
}

/// Finds a program in PATH, or in /usr/sbin, which ordinary users often lack there.
func findProgram(_ name: String) throws(BenchError) -> String {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init) + ["/usr/sbin"]
    for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") { return "\(folder)/\(name)" }
    throw BenchError("There is no \(name). `make bench` installs it, or: apt-get install wrk nginx-light")
}

/// Asks until `condition` holds, for 30 seconds at most and while the process runs.
func waitUntil(_ what: String, while process: Process, _ condition: () throws(BenchError) -> Bool) throws(BenchError) {
    for _ in 0..<600 {
        if try condition() { return }
        guard process.isRunning else { break }
        usleep(50_000)
    }
    throw BenchError("In vain waited until \(what). --log FILE keeps what the server says.")
}
