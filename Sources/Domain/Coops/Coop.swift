import SQLite
import Text

/// A housing co-operative.
package struct Coop: Record {
    package enum LegalForm: String, Sendable, CaseIterable { case scp = "SCP", scic = "SCIC", other }
    package enum Membership: String, Sendable, CaseIterable {
        case member, applicant, unknown
        case formerMember = "former_member"
    }

    package static let type = RecordType.coop
    package static let store = Store<Coop>()

    package var meta = Meta()
    package var slug = ""
    package var name = ""
    package var legalForm: LegalForm?
    /// INSEE's code, text: `01`, `2A`, `976`.
    package var departmentCode = ""
    /// ISO 3166-2, follows from the department.
    package var regionCode = ""
    package var city: String?
    package var foundedYear: Int?
    package var coopSinceYear: Int?
    /// Slugs of `Activity`.
    package var activities: [String] = []
    package var membership = Membership.unknown
    /// Whether a mandate is active, and since when none is though one was.
    package var hasReferent = false
    package var vacantSince: Day?
    /// The modules of which it has held a group session.
    package var coveredModuleIDs: [Identifier<Module>] = []
    /// The co-op that this one was merged into; set by the merge.
    package var successorID: Identifier<Coop>?
    package var website: String?
    package var email: String?
    package var phone: String?
    /// An invented co-op of the samples, so that nobody takes it for a real one.
    package var fictitious = false
    /// The federation's own.
    package var note: String?

    package init() {}

    package static let fields: [Field<Coop>] = [
        Field("slug", \.slug, .slug, required: true),
        Field("name", \.name, .line(1...200), required: true),
        Field("legal_form", \.legalForm, .optional(.choice)),
        Field("department_code", \.departmentCode, Department.codec, required: true),
        Field("region_code", \.regionCode, Department.regionCodec),
        Field("city", \.city, .optional(.line(1...100))),
        Field("founded_year", \.foundedYear, .optional(.integer(1850...2200))),
        Field("coop_since_year", \.coopSinceYear, .optional(.integer(1850...2200))),
        Field("activities", \.activities, .list(of: .activity, upTo: 20, unique: true)),
        Field("membership", \.membership, .choice),
        Field("has_referent", \.hasReferent, .flag, .server),
        Field("vacant_since", \.vacantSince, .optional(.day), .server),
        Field("covered_module_ids", \.coveredModuleIDs, .list(of: .reference(), upTo: 10_000), .server),
        Field("successor_id", \.successorID, .optional(.reference()), .server),
        Field("website", \.website, .optional(.webAddress)),
        Field("email", \.email, .optional(.email)),
        Field("phone", \.phone, .optional(.phone)),
        Field("fictitious", \.fictitious, .flag, .server),
        Field("note", \.note, .optional(.paragraph(0...2000))),
    ]

    package var searchText: String? { "\(name)\n\(city ?? "")\n\(slug)" }

    package var readers: [Reader] {
        var readers = [Reader(.network, hiding: Self.note), Reader(.federation)]
        if membership == .member { readers.append(Reader(.public, hiding: Self.notPublic)) }
        return readers
    }

    private static let note = Redaction(["note"], of: Self.self)
    private static let notPublic = Redaction(
        Set(fields.map(\.name)).subtracting(["slug", "name", "city", "department_code", "region_code", "website"]), of: Self.self)

    package var absence: Feed.Gone { successorID.map { .merged(into: $0.text) } ?? .scope }
    package var replacement: Identifier<Coop>? { successorID }
    package static var replacementColumn: String? { "successor_id" }
    package var owners: [Identifier<Coop>] { [id] }

    package static func roles(for action: Action) -> Set<Role> {
        action == .change ? [.federationAdmin, .coopManager] : [.federationAdmin]
    }

    package static func fields(for role: Role) -> Set<String>? { role == .coopManager ? ["website", "email", "phone"] : nil }

    package mutating func prepare(_ change: Change<Coop>, in tx: Transaction) throws(DomainError) {
        var faults = Faults()
        let region = Department.region(of: departmentCode)
        if change.given.contains("region_code"), regionCode != region {
            faults.add(
                "#/region_code", "region.mismatch", en: "department \(departmentCode) lies in \(region); leave the region out",
                fr: "le département \(departmentCode) est en \(region) ; ne fournissez pas la région")
        }
        regionCode = region
        let thisYear = tx.now.day.year
        for (name, year) in [("founded_year", foundedYear), ("coop_since_year", coopSinceYear)] {
            if let year, year > thisYear {
                faults.add("#/\(name)", "number.range", en: "must not lie after \(thisYear)", fr: "ne doit pas être postérieure à \(thisYear)")
            }
        }
        if let foundedYear, let coopSinceYear, coopSinceYear < foundedYear {
            faults.add(
                "#/coop_since_year", "coop.years", en: "must not lie before founded_year (\(foundedYear))",
                fr: "ne doit pas précéder founded_year (\(foundedYear))")
        }
        for (index, slug) in activities.enumerated() {
            let exists = try storing { () throws(DatabaseError) in
                try tx.connection.first("SELECT 1 FROM activity WHERE slug = ?", [.text(slug)]) { _ in true } ?? false
            }
            if !exists { faults.addUnknownReference("#/activities/\(index)", .activity) }
        }
        try faults.throwIfAny()
        // An import may bring these along, but they follow from the mandates and from merges.
        (hasReferent, vacantSince) = (change.old?.hasReferent ?? false, change.old?.vacantSince)
        if let old = change.old, change.action != .merge { successorID = old.successorID }
        guard let old = change.old, old.membership != membership else { return }
        if membership == .formerMember { try checkNothingLive(in: tx) }
        if membership != .member { try endVacancy(in: tx) }
    }

    package func stored(_ change: Change<Coop>, in tx: Transaction) throws(DomainError) {
        if change.old?.activities != activities {
            try storing { () throws(DatabaseError) in
                try tx.connection.run("DELETE FROM coop_activity WHERE coop_id = ?", [id.value])
                for slug in activities {
                    try tx.connection.run("INSERT INTO coop_activity (activity, coop_id) VALUES (?, ?)", [.text(slug), id.value])
                }
            }
        }
        if let old = change.old, old.membership != .formerMember, membership == .formerMember {
            for bond in Coop.bonds { if case .ends(let end) = bond.fate { try end(id, change.caller, tx) } }
        }
        // Whether the public sees a site depends on its co-op's membership.
        if let old = change.old, (old.membership == .member) != (membership == .member) {
            for site in try Site.store.all(where: "coop_id = ?", [id.value], in: tx.connection) {
                var site = site
                let former = site
                site.isPublic = membership == .member
                try Site.store.republish(former, as: site, in: tx)
            }
        }
    }
}
