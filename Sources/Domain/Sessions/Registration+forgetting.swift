/// The person is forgotten 90 days after the session, or 30 where they had no seat; what remains counts them. Found by the nightly
/// run: a due row each would cost every sign-up.
extension Registration: Forgetful {
    func forgetsOn(_ terms: Retention.Terms) -> Day? {
        guard anonymisedOn == nil else { return nil }
        let days = status.holdsSeats ? terms[.registrationDays] : terms[.waitlistDays]
        return Day(daysSince1970: sessionStartsAt.day.daysSince1970 + Int64(days))
    }

    static let mayForget = "anonymised_on IS NULL"

    mutating func forget(on day: Day) {
        (contactName, email, phone, postal, needs) = (nil, nil, nil, nil, [])
        (contactTask, anonymisedOn) = (.none, day)
    }
}
