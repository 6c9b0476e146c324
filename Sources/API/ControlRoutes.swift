import Domain

/// What only the operator may do, on the control socket.
struct ControlRoutes: Sendable {
    private let federation: Federation
    init(_ federation: Federation) { self.federation = federation }
    var routes: [Route] { [] }
}
