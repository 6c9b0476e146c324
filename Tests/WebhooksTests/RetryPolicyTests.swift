import SQLite
import Testing

@testable import Webhooks

@Suite("The policy of retries")
struct RetryPolicyTests {
    static let verdicts: [(status: Int?, isWhole: Bool, verdict: RetryPolicy.Verdict)] = [
        (200, true, .delivered), (204, true, .delivered), (299, true, .delivered), (200, false, .failed), (nil, true, .failed), (nil, false, .failed), (100, true, .failed),
        (199, true, .failed), (301, true, .failed), (302, true, .failed), (307, true, .failed), (308, true, .failed), (400, true, .failed), (401, true, .failed), (404, true, .failed),
        (410, true, .gone), (410, false, .gone), (429, true, .slowDown), (500, true, .failed), (502, true, .slowDown), (503, true, .failed), (504, true, .slowDown), (999, true, .failed),
    ]

    @Test("takes only a whole 2xx for success", arguments: verdicts)
    func verdict(status: Int?, isWhole: Bool, verdict: RetryPolicy.Verdict) { #expect(RetryPolicy.verdict(status: status, isWhole: isWhole) == verdict) }

    @Test("tries ten times in about three and a half days, a fifth earlier or later")
    func delays() throws {
        let seconds: [Double] = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
        for (attempts, expected) in seconds.enumerated() {
            #expect(RetryPolicy.delay(after: attempts, retryAfter: nil, chance: 0.5) == expected)
            #expect(try abs(#require(RetryPolicy.delay(after: attempts, retryAfter: nil, chance: 0)) - expected * 0.8) < 0.001)
            #expect(try abs(#require(RetryPolicy.delay(after: attempts, retryAfter: nil, chance: 1)) - expected * 1.2) < 0.001)
        }
        #expect(RetryPolicy.delay(after: seconds.count, retryAfter: 5, chance: 0.5) == nil)
        #expect(RetryPolicy.delay(after: .max, retryAfter: nil, chance: 0.5) == nil)
    }

    static let asked: [(retryAfter: Int, seconds: Double)] = [(0, 5), (-7, 5), (3, 5), (60, 60), (86_400, 86_400), (86_401, 86_400), (.max, 86_400), (.min, 5)]

    @Test("waits as long as the receiver asks for, a day at most, and never less than it would", arguments: asked)
    func retryAfter(retryAfter: Int, seconds: Double) { #expect(RetryPolicy.delay(after: 1, retryAfter: retryAfter, chance: 0.5) == seconds) }

    // MARK: The pace of one webhook

    @Test("has more under way with each success, up to a bound, and half with each failure")
    func window() {
        let now = MonotonicInstant.now
        var pace = Pace()
        for _ in 0..<100 { pace.succeeded() }
        #expect(pace.free(flying: 0, at: now) == Pace.most)
        #expect(pace.free(flying: Pace.most + 9, at: now) == 0)
        pace.failed(.failed, retryAfter: nil, at: now)
        #expect(pace.free(flying: 0, at: now) == Pace.most / 2)
    }

    @Test("leaves alone for longer and longer what fails again and again, then asks once")
    func patience() throws {
        let now = MonotonicInstant.now
        var pace = Pace()
        for _ in 0..<3 { pace.failed(.failed, retryAfter: nil, at: now) }
        #expect(pace.blockedUntil == nil)
        pace.failed(.failed, retryAfter: nil, at: now)
        let first = try #require(pace.blockedUntil)
        #expect(first > now && pace.free(flying: 0, at: now) == 0)
        #expect(pace.free(flying: 0, at: first) == 1)
        for _ in 0..<100 { pace.failed(.failed, retryAfter: nil, at: now) }
        #expect(pace.blockedUntil == now.advanced(by: .seconds(300)))
        pace.succeeded()
        #expect(pace.blockedUntil == nil)
    }

    @Test("obeys a receiver that has too much to do at once")
    func slowDown() {
        let now = MonotonicInstant.now
        var pace = Pace()
        pace.failed(.slowDown, retryAfter: 30, at: now)
        #expect(pace.blockedUntil == now.advanced(by: .seconds(30)))
        #expect(pace.free(flying: 0, at: now) == 0)
        pace.unblock()
        #expect(pace.free(flying: 0, at: now) > 0)
    }
}
