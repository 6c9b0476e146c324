import Domain

struct AppointmentRoutes: Sendable {
    let federation: Federation

    var routes: [Route] {
        let files = ResourceRoutes<AppointmentFile>(federation)
        return files.routes + [
            files.transition(taking: AppointmentFile.transitionFields) { (id, step, expected, caller, tx) throws(DomainError) in
                try AppointmentFile.store.transition(id, step, expecting: expected, by: caller, in: tx)
            }
        ]
    }
}
