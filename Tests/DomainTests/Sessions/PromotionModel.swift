@testable import Domain
import TestSupport

/// The rules of the queue once more, in plain steps on a list, to hold the server against.
struct PromotionModel {
    struct Party {
        let entry: Int
        var size: Int
        var state = "waitlisted"
        var place: (Int64, Int)
        var offerEnds: Int64?
    }

    var capacity: Int
    var offerHours: Int64
    var fitHours: Int64
    let starts: Int64
    var closes: Int64
    var isOpen = true
    var now: Int64
    var parties: [Party] = []

    var held: Int { parties.filter { ["confirmed", "offered"].contains($0.state) }.map(\.size).reduce(0, +) }

    var line: [Int] {
        parties.indices.filter { parties[$0].state == "waitlisted" }.sorted { parties[$0].place < parties[$1].place }
    }

    /// State and rank of every party, by entry.
    var picture: [String] {
        let ranks = Dictionary(uniqueKeysWithValues: line.enumerated().map { ($1, $0 + 1) })
        return parties.indices.map { "\(parties[$0].entry) \(parties[$0].state) \(ranks[$0] ?? 0)" }
    }

    mutating func giveAway(created: Int? = nil) {
        while true {
            let late = parties.indices.filter { parties[$0].state == "offered" && (parties[$0].offerEnds ?? 0) <= now }
            guard let first = late.min(by: { (parties[$0].offerEnds ?? 0, parties[$0].entry) < (parties[$1].offerEnds ?? 0, parties[$1].entry) }) else { break }
            parties[first].state = "expired"
            fill(created)
        }
        fill(created)
    }

    private mutating func fill(_ created: Int?) {
        if now >= starts { return }
        for index in line {
            if parties[index].size > capacity - held {
                if now < starts - fitHours * 3_600_000 { return }
                continue
            }
            let end = min(now + offerHours * 3_600_000, closes)
            if created == parties[index].entry || offerHours == 0 || end - now < 2 * 3_600_000 {
                parties[index].state = "confirmed"
            } else {
                parties[index].state = "offered"
                parties[index].offerEnds = end
            }
        }
    }

    mutating func create(size: Int, received: Int64? = nil) {
        let entry = parties.count + 1
        parties.append(Party(entry: entry, size: size, place: (received ?? now, entry)))
        giveAway(created: entry)
    }

    mutating func cancel(_ index: Int) {
        parties[index].state = "cancelled"
        giveAway()
    }

    /// Whether it may; nothing happens where it may not.
    mutating func resize(_ index: Int, to size: Int) -> Bool {
        if size > parties[index].size {
            if parties[index].state == "waitlisted" {
                let last = line.filter { $0 != index }.map { parties[$0].place.0 }.max()
                parties[index].place.0 = max(now, last.map { $0 + 1 } ?? now)
            } else if !line.isEmpty || held - parties[index].size + size > capacity {
                return false
            }
        }
        parties[index].size = size
        giveAway()
        return true
    }

    mutating func setCapacity(_ new: Int) -> Bool {
        let largest = parties.filter { ["waitlisted", "confirmed", "offered"].contains($0.state) }.map(\.size).max() ?? 0
        if new < capacity, new < max(held, largest) { return false }
        capacity = new
        giveAway()
        return true
    }
}
