/// Notes may speak of people who were not chosen.
extension AppointmentFile: Forgetful {
    func forgetsOn(_ terms: Retention.Terms) -> Day? {
        steps.contains { $0.note != nil } ? closedOn?.adding(months: terms[.appointmentMonths]) : nil
    }

    static var mayForget: String { "closed_on IS NOT NULL AND coalesce(\(Step.allCases.map(\.noteField).joined(separator: ", "))) IS NOT NULL" }

    mutating func forget(on day: Day) {
        for index in steps.indices { steps[index].note = nil }
    }

    package static func fallDue(_ id: Identifier<AppointmentFile>, _ what: String, in tx: Transaction) throws(DomainError) { _ = try forgetIfDue(id, in: tx) }
}
