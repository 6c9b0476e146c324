extension Referent: Forgetful {
    func forgetsOn(_ terms: Retention.Terms) -> Day? {
        anonymisedOn == nil ? endedOn?.adding(months: terms[.referentMonths]) : nil
    }

    static var mayForget: String { "status = 'ended' AND anonymised_on IS NULL" }

    /// Leaves the mandate and its dates, under "former referent".
    mutating func forget(on day: Day) {
        (givenName, familyName) = ("ancien", "référent")
        (jobTitle, workEmail, workPhone) = (nil, nil, nil)
        sharesContact = false
        anonymisedOn = day
    }

    package static func fallDue(_ id: Identifier<Referent>, _ what: String, in tx: Transaction) throws(DomainError) { _ = try forgetIfDue(id, in: tx) }
}
