@testable import Domain
import SQLite
import TestSupport
import Testing

@Suite struct SightingsTests {
    @Test("a device that is not seen for a year is no longer remembered, in memory nor on disk")
    func forgets() throws {
        let test = try TestFederation()
        let (federation, clock) = (test.federation, test.clock)
        let (quiet, busy) = (
            try federation.createToken(Token.Draft(role: .federationReader, label: "quiet")).token.id,
            try federation.createToken(Token.Draft(role: .federationReader, label: "busy")).token.id
        )
        for token in [quiet, busy] { federation.note(token, at: clock.now) }
        clock.advance(days: 300)
        federation.note(busy, at: clock.now)
        federation.storeSightings()
        clock.advance(days: 66)
        federation.lookForDue()
        try federation.perform { _ throws(DomainError) in }
        #expect(try test.rows("SELECT token_id FROM sighting") == [busy.value])
        try waitUntil("memory forgets too") { federation.sightings.of(quiet) == nil }
        #expect(federation.sightings.of(busy) != nil)
    }
}
