import SQLite
import Text

/// A place of a co-op where a group can meet.
package struct Site: Record {
    package static let type = RecordType.site
    package static let store = Store<Site>()

    package var meta = Meta()
    package var coopID = Identifier<Coop>(high: 0, low: 0)
    package var name = ""
    package var address: String?
    package var workstations = 0
    package var projector = false
    package var seats = 1
    package var stepFreeAccess = false
    /// IANA; the co-op's department's unless told otherwise.
    package var timeZone = ""
    /// Whether the co-op is a member, whose sites anyone may see.
    var isPublic = false

    package init() {}

    package static let fields: [Field<Site>] = [
        Field("coop_id", \.coopID, .reference(), .creation, required: true),
        Field("name", \.name, .line(1...200), required: true),
        Field("address", \.address, .optional(.paragraph(1...500))),
        Field("workstations", \.workstations, .integer(0...50), required: true),
        Field("projector", \.projector, .flag),
        Field("seats", \.seats, .integer(1...100), required: true),
        Field("step_free_access", \.stepFreeAccess, .flag),
        Field("time_zone", \.timeZone, Department.zoneCodec),
        Field("is_public", \.isPublic, .flag, .hidden),
    ]

    package var readers: [Reader] {
        isPublic ? [Reader(.network), Reader(.public, hiding: Self.notPublic)] : [Reader(.network)]
    }

    private static let notPublic = Redaction(Set(fields.map(\.name)).subtracting(["coop_id", "name", "address"]), of: Self.self)

    package var owners: [Identifier<Coop>] { [coopID] }
    package static func roles(for action: Action) -> Set<Role> { [.federationAdmin, .coopManager] }

    package mutating func prepare(_ change: Change<Site>, in tx: Transaction) throws(DomainError) {
        guard let coop = try Coop.store.find(coopID, in: tx.connection) else {
            var faults = Faults()
            faults.addUnknownReference("#/coop_id", .coop)
            throw .invalid(faults.all)
        }
        if change.action == .create { try coop.checkNotReplaced(for: change.caller, in: tx) }
        if change.old != nil, change.action == .change { try Session.checkSite(self, in: tx) }
        isPublic = coop.membership == .member
        if timeZone.isEmpty { timeZone = Department.timeZone(of: coop.departmentCode) }
    }
}
