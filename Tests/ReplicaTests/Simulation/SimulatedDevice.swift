import JSON
@testable import Replica
import SQLite
import TestSupport

/// A phone: the real replica on a file of its own, behind a bad network.
final class SimulatedDevice {
    /// Switched off at once, between an answer and what it does with it.
    struct Killed: Error {}

    let number: Int
    let token: String
    private(set) var store: LocalStore
    private(set) var replica: Replica
    let network: SimulatedNetwork
    private let path: String
    private let ids: Ids
    /// The highest seq of its copy so far.
    var seq: Int64 = 0
    /// Which records it was told to forget every trace of.
    var toldErased: Set<String> = []

    /// UUIDs by the clock of a device, which is wrong by years, now one way, now the other.
    private final class Ids {
        var random: SeededGenerator
        init(seed: UInt64) { random = SeededGenerator(seed: seed) }

        func next() -> String {
            let (high, low) = (random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x7000, random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
            let digits = [high, low].map { word in String(repeating: "0", count: 16 - String(word, radix: 16).count) + String(word, radix: 16) }.joined()
            let ends = [8, 12, 16, 20, 32]
            return zip([0] + ends, ends).map { String(digits.dropFirst($0).prefix($1 - $0)) }.joined(separator: "-")
        }
    }

    init(_ number: Int, token: String, path: String, seed: UInt64, world: World) throws {
        (self.number, self.token, self.path) = (number, token, path)
        ids = Ids(seed: seed)
        network = SimulatedNetwork(number, token: token, world: world)
        store = try LocalStore(path: path)
        replica = Replica(store: store, transport: network, ids: ids.next)
    }

    func newID() -> String { ids.next() }

    /// The app is started anew and finds its file.
    func restart() throws {
        store = try LocalStore(path: path)
        replica = Replica(store: store, transport: network, ids: ids.next)
    }

    struct Held: Equatable {
        let rev: Int64
        let layer: String
        let document: String
    }

    /// By `type id`.
    func copy() throws -> [String: Held] {
        Dictionary(
            uniqueKeysWithValues: try store.connection.all("SELECT type, id, rev, layer, doc FROM record") {
                ("\($0.text(0)) \($0.text(1))", Held(rev: $0.integer(2), layer: $0.text(3), document: $0.text(4)))
            })
    }
}
