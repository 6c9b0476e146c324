/// What the simulation has to show, in the order of the protocol's promises.
enum Check: String, CaseIterable, Sendable {
    case completeIsExact = "1. at every complete, the copy is what the caller may see at its seq"
    case bootstrapIsEqual = "2. a fresh bootstrap gives what any incremental path gives"
    case limitsAgree = "3. limit 1 and limit 1000 agree, with writes between the pages"
    case seqsRise = "4. no head is followed by a smaller new seq"
    case clocksAreIrrelevant = "5. clocks of server and devices jump without effect"
    case pushedOnce = "6. a push that is lost, repeated or late has one effect and one result"
    case serverIsKilled = "7. the server is killed before a commit, after it, and before the answer"
    case deviceIsKilled = "8. a device is killed between an answer and storing it"
    case editsMerge = "9. edits of different fields survive; of the same field one wins, and the loser is told"
    case ownEditsAgree = "10. one's own edits before pulling are no conflict"
    case deletionIsFinal = "11. a deletion and a stale patch, in both orders: never resurrected"
    case recordsMove = "12. a record goes to another co-op: whoever may not see it hears nothing of it"
    case layersAreLost = "13. a record seen through two layers loses one, then both"
    case rightsChange = "14. rights are granted, revoked and granted again, in mid-bootstrap too"
    case nothingIsLearnt = "15. a push outside one's rights is refused like one on an absent record"
    case outboxesEmpty = "16. poison and a full session stop nothing; after the faults every outbox empties"
    case pokesAreLost = "17. without pokes and with answers cut at any byte: the same state; no poke before its commit"
    case acknowledgedShows = "18. after an acknowledgement at s, a pull at or past s shows it"
    case restored = "19. a restore loses nothing that a device holds; no (id, rev) ever names two contents"
    case repaired = "20. a corrupted copy is found by its digest, and repair sends only the difference"
    case tombstonesDrop = "21. tombstones are dropped at any step: never silence"
    case otherFieldsStay = "22. a patch keeps the fields that it does not name"
    case erased = "23. after an erasure a scan of all bytes finds nothing"
    case oldAnswers = "24. an old answer is no step back, and no loop"
    case transactionsAreWhole = "25. transactions over several records are never half visible at complete"
}

/// One of the promises is broken.
struct Divergence: Error, CustomStringConvertible {
    let check: Check
    let description: String

    init(_ check: Check, _ detail: String) {
        self.check = check
        description = "\(check.rawValue): \(detail)"
    }
}

/// Mistakes that a server or a client could make, each of which some check has to notice. The simulation makes them, around the real code.
enum Flaw: String, CaseIterable, Sendable {
    case skipsARow = "a page begins with > where it should with >="
    case pokesBeforeCommit = "the poke comes before the commit"
    case looksAtNewStateOnly = "who loses sight of a record is decided on its new state only"
    case storesCursorFirst = "the device stores the cursor before the data"
    case takesClockForCursor = "the cursor is a time"
    case forgetsMids = "the mid is not stored"
    case trustsRows = "rows are believed without looking the record up"
}
