@testable import Domain
import Foundation
import JSON
@testable import Replica
import SQLite
import Synchronization
import TestSupport

/// One history, decided by its seed alone: a server, an administrator, four devices, and what befalls them.
final class World {
    /// What happened, for a history that is told again because it failed.
    private var log: [String]?
    private var random: SeededGenerator
    /// Drawn from apart, so that a history without jumps is otherwise the same.
    private var clockRandom: SeededGenerator
    private let clockJumps: Bool
    let flaw: Flaw?
    let clock = TestClock()
    let server: SimulatedServer
    private(set) var devices: [SimulatedDevice] = []
    private var model = PushModel()
    private let admin: String
    private(set) var shown: [Check: Int] = [:]
    /// Faults come, and others write between any two requests.
    private(set) var isFaulty = true
    /// Entries of a page, where a device is to fetch that many.
    private(set) var limit: Int?

    private var head: Int64 = 0
    /// The clock at each head.
    private var times: [(head: Int64, time: Int64)] = []
    /// The one content of each type, id, rev and layer, and the same as the replica keeps it.
    private var contents: [String: (bytes: [UInt8], text: String)] = [:]
    /// By device, the names of the audiences that it ever had.
    private var everHad: [Set<String>] = []
    private var backups: [(file: String, model: PushModel)] = []
    /// What nobody but the record itself may hold, by the ids of people.
    private var markers: [String: (type: RecordType, text: String)] = [:]
    private var ideas: [String] = []
    private var registrations: [String] = []
    private let files = TestFolder(inMemory: true)

    init(seed: UInt64, from template: Template, flaw: Flaw? = nil, clockJumps: Bool = true, isLogging: Bool = false) throws {
        random = SeededGenerator(seed: seed)
        clockRandom = SeededGenerator(seed: ~seed)
        (self.flaw, self.clockJumps) = (flaw, clockJumps)
        log = isLogging ? [] : nil
        server = try SimulatedServer(from: template, clock: clock)
        admin = template.tokens[0]
        for (number, token) in template.tokens.dropFirst().enumerated() {
            devices.append(try SimulatedDevice(number, token: token, path: files.file("\(number)"), seed: random.next(), world: self))
            everHad.append([])
        }
        try observe()
        for number in devices.indices { try setRights(of: number, Self.rights[number]) }
    }

    func run(steps: Int) throws {
        do {
            for _ in 0..<steps { try step() }
            try settle()
        } catch {
            throw log.map { Told(error: error, log: $0.suffix(60)) } ?? error
        }
    }

    /// A divergence with what led to it.
    struct Told: Error, CustomStringConvertible {
        let error: any Error
        let log: ArraySlice<String>
        var description: String { (log + ["\(error)"]).joined(separator: "\n") }
    }

    /// What every device holds in the end, but for what is different at each run: types, ids, revs and layers.
    func outcome() throws -> [String] { try devices.map { try $0.copy().map { "\($0.key) \($0.value.rev).\($0.value.layer)" }.sorted().joined(separator: "\n") } }

    // MARK: Chance

    func roll() -> Int { Int.random(in: 0..<100, using: &random) }
    func chance(_ percent: Int) -> Bool { roll() < percent }
    func pick(_ range: Range<Int>) -> Int { range.isEmpty ? 0 : Int.random(in: range, using: &random) }
    private func pick<Element>(of list: [Element]) -> Element { list[pick(list.indices)] }

    /// The clock when the seq was committed.
    func time(of seq: Int64) -> Int64 { times.first { $0.head >= seq }?.time ?? 0 }

    func show(_ check: Check, _ count: Int = 1) { shown[check, default: 0] += count }
    func note(_ line: @autoclosure () -> String) { log?.append(line()) }

    // MARK: Steps

    private func step() throws {
        let device = pick(of: devices)
        switch roll() {
        case 0..<34: try work(on: device)
        case 34..<72: try synchronize(device)
        case 72..<84: try interlude(always: true)
        case 84..<87: try corrupt(device)
        case 87: try compareBootstraps(of: device)
        case 88..<91: backups.append((try server.backup(), model))
        case 91: try restore()
        case 92..<94: try erase()
        case 94: try mergeCoops()
        default: try killServer()
        }
    }

    /// What others do between any two requests of a device.
    func interlude(always: Bool = false) throws {
        guard always || chance(25) else { return }
        if clockJumps { clock.advance(seconds: Int64.random(in: -400...400, using: &clockRandom) * [1, 86_400][Int.random(in: 0...1, using: &clockRandom)]) }
        show(.clocksAreIrrelevant)
        switch roll() {
        case 0..<40: try write { try self.administrate() }
        case 40..<65: try write { try self.changePair() }
        case 65..<80: try changeIdea()
        case 80..<92: try setRights(of: pick(devices.indices), pick(of: Self.rights))
        default:
            let floor = max(0, head - Int64(pick(0..<60)))
            note("tombstones up to \(floor) dropped")
            try federationWrite { (tx) throws(DomainError) in try storing { () throws(DatabaseError) in try Tombstones.drop(upTo: floor, in: tx) } }
        }
        try observe()
    }

    // MARK: What is done on a device

    private func work(on device: SimulatedDevice) throws {
        let replica = device.replica
        let type = chance(70) ? "referent" : "site"
        let held = try replica.ids(of: type).filter { !Template.pair.contains($0) }
        func fields(_ names: [String]) -> JSON { .object(names.map { JSON.Member($0, value($0)) }) }
        switch roll() {
        case 0..<20:
            let id = device.newID()
            try noteChange(device, LocalChange(.create, type, id, fields: creation(of: type, id)))
        case 20..<55:
            guard !held.isEmpty else { return }
            var names = type == "referent" ? ["given_name", "job_title", "work_phone"] : ["name", "workstations", "seats"]
            names = Array(Set((0...pick(0..<2)).map { _ in names[pick(names.indices)] })).sorted()
            try noteChange(device, LocalChange(.patch, type, pick(of: held), fields: fields(names)))
        case 55..<62:
            guard let id = try replica.ids(of: "referent").first else { return }
            for value in ["A", "B", "A", "B"] { try noteChange(device, LocalChange(.patch, "referent", id, fields: .object([JSON.Member("job_title", .string(value))]))) }
        case 62..<70:
            guard !held.isEmpty else { return }
            try noteChange(device, LocalChange(.delete, type, pick(of: held)))
        case 70..<75:
            guard let id = try replica.ids(of: "referent").last else { return }
            try noteChange(device, LocalChange(.transition, "referent", id, to: ["active", "suspended"][pick(0..<2)]))
        case 75..<83:
            let id = device.newID()
            try noteChange(device, LocalChange(.create, "registration", id, fields: registration(id)))
        case 83..<90:
            let id = device.newID()
            try noteChange(device, LocalChange(.create, "idea", id, fields: .object([JSON.Member("title", .string("Idée \(id)")), JSON.Member("theme_id", .string(Template.theme))])))
            ideas.append(id)
        case 90..<95: try noteChange(device, LocalChange(.patch, type, model.alive(type).randomElement(using: &random) ?? device.newID(), fields: fields(["seats"])))
        default:
            try noteChange(device, LocalChange(.create, "nonsense", fields: .object([JSON.Member("x", .array([.null]))])))
            var deep = JSON.null
            for _ in 0..<28 { deep = .array([deep]) }
            try noteChange(device, LocalChange(.create, "site", fields: .object([JSON.Member("name", deep)])))
        }
    }

    private func noteChange(_ device: SimulatedDevice, _ change: LocalChange) throws {
        let id = try device.replica.note(change)
        note("device \(device.number): \(change.operation) \(change.type) \(id) \(change.fields?.text.prefix(80) ?? "") \(change.to ?? "")")
    }

    private func value(_ field: String) -> JSON {
        switch field {
        case "work_phone": .string("+3361234567\(pick(0..<3))")
        case "workstations", "seats": .number("\(pick(1..<4))")
        default: .string(["A", "B", "C"][pick(0..<3)])
        }
    }

    private func creation(of type: String, _ id: String) -> JSON {
        let coop = JSON.Member("coop_id", .string(Template.coops[[0, 0, 1, 2][pick(0..<4)]]))
        guard type == "referent" else {
            return .object([coop, JSON.Member("name", .string("Site \(id)")), JSON.Member("workstations", .number("2")), JSON.Member("seats", .number("3"))])
        }
        let family = "Ophelia \(id)"
        markers[id] = (.referent, family)
        return .object([
            coop, JSON.Member("given_name", .string("A")), JSON.Member("family_name", .string(family)), JSON.Member("started_on", .string("2026-01-05")),
        ])
    }

    private func registration(_ id: String) -> JSON {
        let name = "Hamlet \(id)"
        markers[id] = (.registration, name)
        registrations.append(id)
        return .object([
            JSON.Member("session_id", .string(Template.session)), JSON.Member("contact_name", .string(name)), JSON.Member("channel", .string("phone")),
            JSON.Member("phone", .string("+33612345670")),
        ])
    }

    // MARK: What the device does with the server

    private func synchronize(_ device: SimulatedDevice) throws {
        device.network.requests = 0
        do {
            switch roll() {
            case 0..<35: try device.replica.pull()
            case 35..<60:
                try device.replica.push()
                return
            default: try device.replica.synchronize()
            }
        } catch let error as ReplicaError {
            note("device \(device.number): \(error)")
            return try compareProgress(of: device)
        } catch is SimulatedDevice.Killed {
            try device.restart()
            return try compareProgress(of: device)
        }
        try compareProgress(of: device)
        try compare(device)
    }

    private func compareProgress(of device: SimulatedDevice) throws {
        let seq = try device.store.place().seq
        guard seq >= device.seq else { throw Divergence(.oldAnswers, "device \(device.number) went back from \(device.seq) to \(seq)") }
        device.seq = seq
    }

    /// After a complete pull.
    private func compare(_ device: SimulatedDevice) throws {
        let place = try device.store.place()
        guard let expected = device.network.expected[place.cursor ?? ""] else { throw Divergence(.completeIsExact, "complete at a cursor that no complete answer had") }
        let copy = try device.copy()
        for key in Set(copy.keys).union(expected.view.keys).sorted() {
            let (held, shown) = (copy[key], expected.view[key])
            guard held == (try shown.map { try SimulatedDevice.Held(rev: $0.rev, layer: $0.layer, document: text(key, $0)) }) else {
                throw Divergence(
                    .completeIsExact,
                    "device \(device.number) has \(held.map { "\($0.rev).\($0.layer)" } ?? "nothing") of \(key), should have \(shown.map { "\($0.rev).\($0.layer)" } ?? "nothing") at \(place.seq)")
            }
        }
        show(.completeIsExact)
        note("device \(device.number) complete at \(place.seq)")
        let pair = Template.pair.map { copy["site \($0)"].flatMap { try? JSON.parse(Array($0.document.utf8)) }?.text("address") }
        guard pair[0] == pair[1] else { throw Divergence(.transactionsAreWhole, "device \(device.number) has \(pair)") }
        if pair[0]?.isEmpty == false { show(.transactionsAreWhole) }
        try compareOverlay(of: device, at: place.seq)
        for id in device.toldErased.sorted() where try holdsTraces(device, of: id) { throw Divergence(.erased, "device \(device.number) still holds \(id)") }
    }

    /// What was acknowledged up to here, the copy shows by itself.
    private func compareOverlay(of device: SimulatedDevice, at seq: Int64) throws {
        let acknowledged = try device.store.connection.all("SELECT type, id, lies_over, result ->> 'rev' FROM outbox WHERE checkpoint <= ?", [.integer(seq)]) {
            (type: $0.text(0), id: $0.text(1), liesOver: $0.integer(2) != 0, rev: $0.optionalInteger(3))
        }
        for change in acknowledged {
            guard !change.liesOver, change.rev ?? 0 <= seq else { throw Divergence(.acknowledgedShows, "\(change) is not shown at \(seq)") }
            show(.acknowledgedShows)
        }
    }

    private func text(_ key: String, _ shown: SimulatedServer.Shown) throws -> String {
        let parts = key.split(separator: " ")
        return try remember(String(parts[0]), String(parts[1]), shown)
    }

    @discardableResult
    func remember(_ type: String, _ id: String, _ shown: SimulatedServer.Shown) throws -> String {
        let key = "\(type) \(id) \(shown.rev).\(shown.layer)"
        if let known = contents[key] {
            guard known.bytes == shown.document else { throw Divergence(.restored, "\(key) names two contents") }
            return known.text
        }
        let text = try JSON.parse(shown.document).text
        contents[key] = (shown.document, text)
        return text
    }

    // MARK: A copy that is damaged, or begun anew

    private func corrupt(_ device: SimulatedDevice) throws {
        guard try calmly({ try device.replica.pull() }) else { return }
        let ids = try device.copy().keys.sorted()
        guard !ids.isEmpty else { return }
        let damaged = Set((0...pick(0..<3)).map { _ in pick(of: ids) }).sorted()
        for (number, key) in damaged.enumerated() {
            let id = String(key.split(separator: " ")[1])
            let sql = ["DELETE FROM record WHERE id = ?", "UPDATE record SET rev = rev - 1, doc = '{}' WHERE id = ?", "UPDATE record SET id = upper(id) WHERE id = ?"][number % 3]
            try device.store.connection.run(sql, [.text(id)])
        }
        note("device \(device.number) damaged: \(damaged)")
        isFaulty = false
        defer { isFaulty = true }
        device.network.requests = 0
        device.network.repaired = 0
        let mended = try device.replica.check()
        // A record under another id is one to remove and one to fetch.
        let difference = damaged.indices.reduce(0) { $0 + ($1 % 3 == 2 ? 2 : 1) }
        guard mended > 0, device.network.repaired == difference else {
            throw Divergence(.repaired, "\(mended) buckets differed, and \(device.network.repaired) records came for \(difference) damages")
        }
        try compare(device)
        guard try device.replica.check() == 0 else { throw Divergence(.repaired, "the digest still differs") }
        show(.repaired)
    }

    private func calmly(_ body: () throws -> Void) throws -> Bool {
        isFaulty = false
        defer { isFaulty = true }
        try body()
        return true
    }

    /// A second copy from nothing, by pages of one with writes between them, is the same as the first.
    private func compareBootstraps(of device: SimulatedDevice) throws {
        device.network.requests = 0
        let fresh = Replica(store: try LocalStore(path: ":memory:"), transport: InterruptedTransport(device.network, self))
        limit = 1
        defer { limit = nil }
        _ = try calmly { try fresh.pull() }
        limit = nil
        let whole = Replica(store: try LocalStore(path: ":memory:"), transport: device.network)
        _ = try calmly {
            try fresh.pull()
            try whole.pull()
            try device.replica.pull()
        }
        try compare(device)
        let holdings = try [fresh, whole, device.replica].map { try $0.store.holdings().map { "\($0.type) \($0.id) \($0.version)" }.sorted() }
        guard holdings[0] == holdings[1] else { throw Divergence(.limitsAgree, "device \(device.number): \(holdings[0]) and \(holdings[1])") }
        guard holdings[1] == holdings[2] else { throw Divergence(.bootstrapIsEqual, "device \(device.number): \(holdings[1]) and \(holdings[2])") }
        show(.limitsAgree)
        show(.bootstrapIsEqual)
    }

    /// Others write between its requests, but nothing is lost.
    private struct InterruptedTransport: Transport {
        private let network: SimulatedNetwork
        private unowned let world: World
        init(_ network: SimulatedNetwork, _ world: World) { (self.network, self.world) = (network, world) }

        func send(_ request: ReplicaRequest) throws -> ReplicaAnswer {
            try world.interlude()
            return try network.send(request)
        }
    }

    // MARK: What happens on the server

    func deliver(_ request: ReplicaRequest, _ token: String) throws -> ReplicaAnswer {
        let answer = try server.answer(request, token: token)
        try observe()
        if flaw == .forgetsMids, request.path.hasPrefix("/v1/push") { try server.run("DELETE FROM push_result") }
        return answer
    }

    /// After anything that may have written.
    private func observe() throws {
        let now = server.federation.heads.head
        guard now >= head else { throw Divergence(.seqsRise, "the head was \(head) and is \(now)") }
        if now > head {
            show(.seqsRise)
            times.append((now, clock.now.milliseconds))
            if flaw == .looksAtNewStateOnly { try server.run("DELETE FROM feed WHERE gone = 'scope'") }
        }
        head = now
    }

    private func federationWrite(_ body: @escaping @Sendable (Transaction) throws(DomainError) -> Void) throws {
        try server.federation.perform(body)
        try observe()
    }

    /// Writes while somebody waits for news.
    private func write(_ body: () throws -> Void) throws {
        let federation = server.federation
        let audiences = [Audience.network, .federation] + Template.coops.compactMap { Identifier<Coop>($0).map { .coop($0) } }
        let before = federation.heads.head
        let woken = Woken()
        let waiter = federation.waiters.add(audiences, token: nil, until: .now.advanced(by: .seconds(60))) {
            if federation.heads.head == before { woken.isEarly.store(true, ordering: .releasing) }
        }
        if flaw == .pokesBeforeCommit { federation.waiters.announce(Set(audiences)) }
        try body()
        if let waiter { federation.waiters.cancel(waiter) }
        guard !woken.isEarly.load(ordering: .acquiring) else { throw Divergence(.pokesAreLost, "a poke came before its commit") }
    }

    private final class Woken: Sendable { let isEarly = Atomic(false) }

    /// The administrator changes, moves on or deletes somebody's record, having looked now or some time ago.
    private func administrate() throws {
        let type = chance(70) ? "referent" : "site"
        guard let id = model.alive(type).randomElement(using: &random) else { return }
        let base = chance(60) ? head : Int64(pick(0..<Int(min(head, 1 << 40)) + 1))
        let change =
            switch roll() {
            case 0..<75: #""op":"patch","base":\#(base),"fields":{"\#(type == "referent" ? "job_title" : "name")":\#(value("name").text)}"#
            case 75..<90: #""op":"delete","base":\#(base)"#
            default: type == "referent" ? #""op":"transition","base":\#(base),"to":"suspended""# : #""op":"delete","base":\#(base)"#
            }
        try push(#""type":"\#(type)","id":"\#(id)",\#(change)"#)
    }

    /// Ideas go from their co-op's layer to the network's and back.
    private func changeIdea() throws {
        guard let id = ideas.randomElement(using: &random) else { return }
        let to = ["submitted", "published", "published", "archived"][pick(0..<4)]
        try push(#""type":"idea","id":"\#(id)","op":"transition","to":"\#(to)""#)
        show(.layersAreLost)
    }

    private func push(_ mutation: String) throws {
        let mid = Identifier<Void>(high: random.next(), low: random.next()).text
        let body = #"{"epoch":"\#(server.federation.epochs.current)","mutations":[{"mid":"\#(mid)",\#(mutation)}]}"#
        let request = ReplicaRequest(method: "POST", path: "/v1/push", body: Array(body.utf8))
        let answer = try deliver(request, admin)
        try judge(request, answer, admin)
        note("administrator: \(mutation)")
    }

    func judge(_ request: ReplicaRequest, _ answer: ReplicaAnswer, _ token: String) throws {
        guard answer.status == 200, let body = request.body else { return }
        let (sent, told) = (try JSON.parse(body), try answer.json())
        guard let mutations = sent["mutations"]?.elements, let results = told["results"]?.elements, mutations.count == results.count else {
            throw Divergence(.pushedOnce, "not as many results as mutations")
        }
        let context = PushModel.Context(token: String(token.dropFirst(3).prefix(36)), caller: try server.caller(token))
        for (mutation, result) in zip(mutations, results) {
            guard result["rev"]?.integerValue ?? 0 <= told["seq"]?.integerValue ?? 0 else { throw Divergence(.acknowledgedShows, "the seq of a push is below a rev") }
            note("pushed \(mutation.text.prefix(160)) -> \(result.text.prefix(120))")
            for check in try model.judge(mutation, result, by: context, isKnownAbsent: { try self.refusalOfAbsent(mutation, token) }) { show(check) }
        }
    }

    /// The problem that the same mutation meets on a record that there never was.
    private func refusalOfAbsent(_ mutation: JSON, _ token: String) throws -> JSON? {
        guard let members = mutation.members else { return nil }
        let nobody = Identifier<Void>(high: random.next(), low: random.next()).text
        let other = JSON.object(members.map { ["mid", "id"].contains($0.name) ? JSON.Member($0.name, .string(nobody)) : $0 })
        let body = #"{"epoch":"\#(server.federation.epochs.current)","mutations":[\#(other.text)]}"#
        let answer = try server.answer(ReplicaRequest(method: "POST", path: "/v1/push", body: Array(body.utf8)), token: token)
        return try answer.json()["results"]?.elements?.first?["problem"]
    }

    private func changePair() throws {
        let address = "pair \(pick(0..<1000))"
        try federationWrite { (tx) throws(DomainError) in
            for id in Template.pair {
                guard let id = Identifier<Site>(id), try Site.store.find(id, in: tx.connection) != nil else { continue }
                let patch = try Draft<Site>(.object([JSON.Member("address", .string(address))]), for: .patch)
                _ = try Site.store.update(id, with: patch, expecting: .any, by: .operatorItself, in: tx)
            }
        }
        note("both sites: \(address)")
    }

    // MARK: Rights

    private typealias Rights = (role: Role, coop: String?, isHelper: Bool)
    private static let rights: [Rights] = [
        (.coopManager, Template.coops[0], false), (.coopManager, Template.coops[0], false), (.referent, Template.coops[1], false), (.coopManager, Template.coops[2], false),
        (.referent, Template.coops[0], true), (.coopManager, Template.coops[1], false), (.federationReader, nil, false), (.federationAdmin, nil, false),
    ]
    private var given: [Int: Rights] = [:]

    private func setRights(of number: Int, _ rights: Rights) throws {
        given[number] = rights
        note("device \(number) is \(rights)")
        let id = String(devices[number].token.dropFirst(3).prefix(36))
        try server.run(
            "UPDATE token SET role = ?, coop_id = ?, helper = ?, referent_id = NULL WHERE id = ?",
            [.text(rights.role.rawValue), rights.coop.map { .text($0) } ?? .null, .integer(rights.isHelper ? 1 : 0), .text(id)])
        try server.federation.database.read { try server.federation.tokens.load(from: $0) }
        everHad[number].formUnion(try server.caller(devices[number].token).layers.map(\.name))
        show(.rightsChange)
    }

    /// Whether the record has had a row in any audience that the device ever had.
    func wasEverThere(_ id: String, for number: Int, _ caller: Caller) throws -> Bool {
        everHad[number].formUnion(caller.layers.map(\.name))
        let names = try server.rows("SELECT name FROM feed JOIN audience ON number = audience WHERE id = ?", [.text(id)]) { $0.text(0) }
        show(.recordsMove)
        return names.contains { everHad[number].contains($0) }
    }

    // MARK: Blows

    func killServer() throws {
        note("server killed")
        try server.kill()
        try observe()
        try model.verify(.serverIsKilled, on: server)
        show(.serverIsKilled)
    }

    private func restore() throws {
        guard let backup = backups.randomElement(using: &random) else { return }
        try server.restore(backup.file)
        model.restore(backup.model)
        note("restored to \(backup.file.suffix(8))")
        for (number, rights) in given.sorted(by: { $0.key < $1.key }) { try setRights(of: number, rights) }
        try observe()
        try model.verify(.restored, on: server)
        show(.restored)
    }

    /// A person is erased, and no byte of theirs is left on the server.
    private func erase() throws {
        let known = try server.rows("SELECT id FROM registration WHERE contact_name IS NOT NULL") { $0.text(0) } + model.alive("referent")
        guard let id = known.sorted().randomElement(using: &random), let marker = markers[id], let identifier = Identifier<Void>(id) else { return }
        do throws(DomainError) { _ = try server.federation.erase(marker.type, identifier, by: .operatorItself) } catch { throw Divergence(.erased, "\(id) cannot be erased: \(error)") }
        try server.federation.purgeNow()
        model.erase(id)
        note("erased \(id)")
        try observe()
        guard try !server.holds(marker.text) else { throw Divergence(.erased, "the server still holds \(marker.text)") }
        show(.erased)
    }

    private func holdsTraces(_ device: SimulatedDevice, of id: String) throws -> Bool {
        guard let marker = markers[id] else { return false }
        return try files.files.filter { $0.hasPrefix("\(device.number)") }.contains { try files.bytes(of: $0).firstRange(of: Array(marker.text.utf8)) != nil }
    }

    private func mergeCoops() throws {
        guard chance(30), model.merged.isEmpty, let (from, into) = Identifier<Coop>(Template.coops[2]).flatMap({ from in Identifier<Coop>(Template.coops[1]).map { (from, $0) } }) else { return }
        try federationWrite { (tx) throws(DomainError) in _ = try Coop.store.merge(from, into: into, expecting: .any, by: .operatorItself, in: tx) }
        try model.merge(Template.coops[2], into: Template.coops[1]) { id in
            try server.rows("SELECT seq, coalesce(token_id, '') FROM history WHERE id = ? ORDER BY seq", [.text(id)]) { (seq: $0.integer(0), token: $0.text(1)) }
        }
        note("co-op c merged into b")
    }

    // MARK: The end

    /// The faults stop; then everybody gets everything across, and all is as it should be.
    private func settle() throws {
        isFaulty = false
        for device in devices + devices {
            device.network.requests = 0
            try device.replica.synchronize()
            try compareProgress(of: device)
            try compare(device)
        }
        for device in devices {
            guard try device.replica.waiting == 0 else { throw Divergence(.outboxesEmpty, "device \(device.number) cannot get rid of \(try device.store.waiting(atMost: 3))") }
            show(.outboxesEmpty)
            guard try device.replica.check() == 0 else { throw Divergence(.repaired, "device \(device.number) differs by digest") }
            try compare(device)
            try compareResults(of: device)
        }
        try model.verify(.pushedOnce, on: server)
        let findings = try server.federation.read { (connection) throws(DomainError) in try FeedAudit.verify(in: connection) }
        guard findings.isEmpty else { throw Divergence(.completeIsExact, "the feed is not what the tables say: \(findings)") }
        for id in model.erased.sorted() {
            guard let marker = markers[id] else { continue }
            guard try !server.holds(marker.text) else { throw Divergence(.erased, "the server holds \(marker.text) again") }
        }
    }

    /// What a device believes to be acknowledged, the server's present history knows; and whoever lost was told.
    private func compareResults(of device: SimulatedDevice) throws {
        let token = String(device.token.dropFirst(3).prefix(36))
        let rows = try device.store.connection.all("SELECT mid, id, result ->> 'status', is_heard FROM outbox") { (mid: $0.text(0), id: $0.text(1), status: $0.text(2), isHeard: $0.integer(3) != 0) }
        for row in rows where !model.erased.contains(row.id) {
            let result = model.results[token + row.mid]?.result.text("status") ?? (row.status == "rejected" ? "rejected" : "")
            guard result == row.status else { throw Divergence(.restored, "device \(device.number) believes that \(row) happened, and the server knows \(result)") }
            guard row.isHeard == (row.status == "applied" || row.status == "duplicate") else { throw Divergence(.editsMerge, "nobody is told of \(row)") }
        }
    }
}
