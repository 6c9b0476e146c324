@testable import Domain
import Testing

@Suite struct ReadCacheTests {
    private let heads = Heads()
    private let cache = ReadCache<String, Int>(capacity: 8000)

    private func advance(to head: Int64) { heads.advance(to: head, [:]) }

    @Test("a value is found until the feed changes")
    func forgets() {
        advance(to: 1)
        cache.keep(7, bytes: 10, for: "page", at: heads.snapshot)
        #expect(cache.value(for: "page", at: heads.snapshot) == 7)
        #expect(cache.value(for: "other", at: heads.snapshot) == nil)
        advance(to: 2)
        #expect(cache.value(for: "page", at: heads.snapshot) == nil)
    }

    @Test("a value is not found once tombstones are dropped, which moves no head")
    func forgetsAtFloor() {
        advance(to: 5)
        cache.keep(7, bytes: 10, for: "page", at: heads.snapshot)
        heads.raiseFloor(to: 3)
        #expect(cache.value(for: "page", at: heads.snapshot) == nil)
    }

    @Test("a read that a commit has overtaken leaves nothing behind")
    func overtaken() {
        advance(to: 1)
        let before = heads.snapshot
        advance(to: 2)
        cache.keep(8, bytes: 10, for: "page", at: heads.snapshot)
        cache.keep(7, bytes: 10, for: "page", at: before)
        cache.keep(7, bytes: 10, for: "late", at: before)
        #expect(cache.value(for: "page", at: heads.snapshot) == 8)
        #expect(cache.value(for: "late", at: heads.snapshot) == nil)
    }

    @Test("it holds no more than its capacity, and nothing that is most of it")
    func isBounded() {
        advance(to: 1)
        cache.keep(0, bytes: 4000, for: "large", at: heads.snapshot)
        #expect(cache.value(for: "large", at: heads.snapshot) == nil)
        for number in 0..<100 { cache.keep(number, bytes: 500, for: "\(number)", at: heads.snapshot) }
        let held = (0..<100).filter { cache.value(for: "\($0)", at: heads.snapshot) != nil }
        #expect((1...16).contains(held.count))
        #expect(held.last == 99)
    }
}
