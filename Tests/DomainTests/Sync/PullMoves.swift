@testable import Domain
import JSON
import SQLite
import TestSupport

/// One change of a federation, chosen in advance so that it can travel to the writer's thread.
enum PullMove: Sendable {
    case create(RecordType, id: String, String)
    case patch(RecordType, id: String, String)
    case step(RecordType, id: String, to: String)
    case delete(RecordType, id: String)
    /// The clock has moved: embargoes end.
    case runDue
    case dropTombstones(upTo: Int64)

    func apply(in tx: Transaction) throws(DomainError) {
        switch self {
        case .create(let type, let id, let fields): try create(type.record, #"{"id":"\#(id)",\#(fields)}"#, in: tx)
        case .patch(let type, let id, let fields): try patch(type.record, id, "{\(fields)}", in: tx)
        case .delete(let type, let id): try delete(type.record, id, in: tx)
        case .step(let type, let id, let to): try step(type, id, #"{"to":"\#(to)"}"#, in: tx)
        case .runDue: try Due.run(in: tx)
        case .dropTombstones(let floor): try storing { () throws(DatabaseError) in try Tombstones.drop(upTo: floor, in: tx) }
        }
    }

    private func create<R: Record>(_: R.Type, _ json: String, in tx: Transaction) throws(DomainError) {
        _ = try R.store.create(Draft<R>(TestJSON.parse(json), for: .create), by: .operatorItself, in: tx)
    }

    private func patch<R: Record>(_: R.Type, _ id: String, _ json: String, in tx: Transaction) throws(DomainError) {
        let patch = try Draft<R>(TestJSON.parse(json), for: .patch)
        _ = try R.store.update(Self.identifier(id), with: patch, expecting: .any, by: .operatorItself, in: tx)
    }

    private func delete<R: Record>(_: R.Type, _ id: String, in tx: Transaction) throws(DomainError) {
        try R.store.delete(Self.identifier(id), expecting: .any, by: .operatorItself, in: tx)
    }

    private func step(_ type: RecordType, _ id: String, _ json: String, in tx: Transaction) throws(DomainError) {
        let json = TestJSON.parse(json)
        if type == .idea {
            _ = try Idea.store.transition(Self.identifier(id), Transition(json), expecting: .any, by: .operatorItself, in: tx)
        } else {
            _ = try Referent.store.transition(Self.identifier(id), Transition(json), expecting: .any, by: .operatorItself, in: tx)
        }
    }

    private static func identifier<Of>(_ text: String) -> Identifier<Of> {
        guard let id = Identifier<Of>(text) else { preconditionFailure("\(text) is no id") }
        return id
    }
}

/// Chooses moves among the records that exist. What it chooses may be against the rules; a refusal is part of a history.
struct PullMoves {
    static let theme = "01970000-0000-7000-8000-0000000000f1"
    static let mooc = "01970000-0000-7000-8000-0000000000f2"
    static let coops = ["01970000-0000-7000-8000-0000000000a1", "01970000-0000-7000-8000-0000000000b1"]

    /// What each history begins with.
    static let beginning: [PullMove] = [
        .create(.theme, id: theme, #""slug":"voisinage","title":"Voisinage""#),
        .create(.mooc, id: mooc, #""slug":"numerique","title":"Le numérique""#),
        .create(.coop, id: coops[0], #""slug":"a","name":"A","department_code":"2B","membership":"member""#),
        .create(.coop, id: coops[1], #""slug":"b","name":"B","department_code":"976","membership":"applicant""#),
    ]

    private(set) var alive: [RecordType: [String]] = [:]
    private var number = 0

    mutating func note(_ move: PullMove) {
        switch move {
        case .create(let type, let id, _): alive[type, default: []].append(id)
        case .delete(let type, let id): alive[type]?.removeAll { $0 == id }
        default: break
        }
    }

    mutating func next(_ random: inout SeededGenerator) -> PullMove {
        let type = [.referent, .referent, .referent, .idea, .idea, .idea, .site, .module, .coop].randomElement(using: &random) ?? RecordType.idea
        let kind = Int.random(in: 0..<100, using: &random)
        if type == .coop { return membership(&random) }
        guard kind >= 35, let id = alive[type]?.randomElement(using: &random) else { return creation(of: type, &random) }
        if kind < 50 { return .delete(type, id: id) }
        switch type {
        case .referent:
            if kind < 72 { return .patch(type, id: id, #""share_contact_network":\#(random.chance(50))"#) }
            if kind < 80 { return .patch(type, id: id, #""job_title":"\#(kind)""#) }
            return .step(type, id: id, to: pick(Referent.Status.allCases, &random))
        case .idea:
            if kind < 60 { return .patch(type, id: id, #""summary":"\#(kind)""#) }
            if kind < 65 { return .patch(type, id: id, #""scope":"\#(pick(Idea.Scope.allCases, &random))""#) }
            if kind < 70 { return .patch(type, id: id, #""federal_visible_from":\#(day(&random))"#) }
            return .step(type, id: id, to: pick([.published, .published, .submitted, .archived, .draft, .declined] as [Idea.Status], &random))
        case .module: return .patch(type, id: id, #""status":"\#(pick(Module.Status.allCases, &random))""#)
        default: return .patch(type, id: id, #""workstations":\#(kind % 50)"#)
        }
    }

    private func membership(_ random: inout SeededGenerator) -> PullMove {
        .patch(.coop, id: coop(&random), #""membership":"\#(pick([.member, .member, .applicant, .formerMember] as [Coop.Membership], &random))""#)
    }

    private mutating func creation(of type: RecordType, _ random: inout SeededGenerator) -> PullMove {
        number += 1
        let id = Identifier<Void>(high: random.next(), low: random.next()).text
        let fields =
            switch type {
            case .referent:
                #""coop_id":"\#(coop(&random))","given_name":"R\#(number)","family_name":"F","started_on":"2026-01-01","work_email":"r\#(number)@a.coop","is_primary":\#(random.chance(20))"#
            case .idea:
                random.chance(40)
                    ? #""title":"I\#(number)","theme_id":"\#(Self.theme)","federal_visible_from":\#(day(&random))"#
                    : #""title":"I\#(number)","theme_id":"\#(Self.theme)","author_coop_id":"\#(coop(&random))","scope":"\#(pick(Idea.Scope.allCases, &random))""#
            case .module: #""mooc_id":"\#(Self.mooc)","slug":"m\#(number)","title":"M","status":"\#(pick(Module.Status.allCases, &random))""#
            default: #""coop_id":"\#(coop(&random))","name":"S\#(number)","workstations":3,"seats":8"#
            }
        return .create(type, id: id, fields)
    }

    private func coop(_ random: inout SeededGenerator) -> String { Self.coops[random.chance(60) ? 0 : 1] }
    private func day(_ random: inout SeededGenerator) -> String { random.chance(30) ? "null" : "\"2026-03-\(Int.random(in: 10...28, using: &random))\"" }
    private func pick<State: RawRepresentable>(_ states: [State], _ random: inout SeededGenerator) -> String where State.RawValue == String {
        states.randomElement(using: &random)?.rawValue ?? ""
    }
}
