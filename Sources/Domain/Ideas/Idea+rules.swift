import SQLite
import Text

extension Idea {
    package var owners: [Identifier<Coop>] { authorCoopID.map { [$0] } ?? [] }

    package static func roles(for action: Action) -> Set<Role> { action == .merge ? [.federationAdmin] : [.federationAdmin, .coopManager] }

    package static func fields(for role: Role) -> Set<String>? {
        role == .coopManager ? Set(shownFields.map(\.name)).subtracting(federalFields) : nil
    }

    private static let federalFields: Set = ["federal_status", "federal_visible_from", "prize_ids", "origin"]

    package mutating func prepare(_ change: Change<Idea>, in tx: Transaction) throws(DomainError) {
        let isManager = change.caller.role == .coopManager
        if change.action == .create { try prepareNew(change, in: tx) }
        if isManager, change.action == .change, change.old?.status != .draft {
            throw .conflict(
                code: "idea.not-draft",
                Bilingual(
                    en: "Only a draft can be edited; take the idea back to draft first.",
                    fr: "Seul un brouillon peut être modifié ; reprenez d'abord l'idée en brouillon (draft)."),
                members: [("status_now", "\"\(status.rawValue)\"")])
        }
        var faults = Faults()
        if scope == .coop, authorCoopID == nil {
            faults.add("#/author_coop_id", "idea.scope", en: "is required for an idea of scope coop", fr: "est obligatoire pour une idée de portée coop")
        }
        // Publishing to the network is one-way (invariant 15).
        if let old = change.old, old.scope == .network, scope == .coop, old.status != .draft {
            faults.add("#/scope", "idea.scope", en: "can't return to coop once the network has the idea", fr: "ne peut revenir à coop une fois l'idée partagée avec le réseau")
        }
        if let double = variants.indices.first(where: { index in variants[..<index].contains { $0.slug == variants[index].slug } }) {
            faults.add("#/variants/\(double)/slug", "list.duplicate", en: "stands twice in the list", fr: "figure deux fois dans la liste")
        }
        try faults.throwIfAny()
        federalStatusVisible = federalVisibleFrom.map { $0.startInParis <= tx.now } ?? true
    }

    private mutating func prepareNew(_ change: Change<Idea>, in tx: Transaction) throws(DomainError) {
        if change.caller.role == .coopManager {
            if authorCoopID == nil { authorCoopID = change.caller.coop }
            let refused = change.given.intersection(Self.federalFields)
            if !refused.isEmpty {
                throw .forbidden(
                    code: "scope.missing",
                    Bilingual(
                        en: "Only the federation sets \(refused.sorted().joined(separator: ", ")).",
                        fr: "Seule la fédération fixe \(refused.sorted().joined(separator: ", "))."))
            }
        } else if !change.given.contains("origin"), authorCoopID == nil {
            origin = .federation
        }
        if let authorCoopID { try Coop.checkOpenToNewRecords(authorCoopID, at: "#/author_coop_id", in: tx) }
        if status == .merged || mergedIntoID != nil {
            throw .invalid([Fault("#/status", "idea.merged", en: "comes of a merge only", fr: "résulte seulement d'une fusion")])
        }
        if slug.isEmpty { slug = try freeSlug(in: tx) }
    }

    /// A slug from the title: letters without accents, hyphens, and a number where another idea has it already.
    private func freeSlug(in tx: Transaction) throws(DomainError) -> String {
        let words = title.folded.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        var stem = ""
        for word in words where stem.utf8.count + word.utf8.count < 70 { stem += (stem.isEmpty ? "" : "-") + word }
        if stem.isEmpty { stem = "idee" }
        var number = 1
        while true {
            let candidate = number == 1 ? stem : "\(stem)-\(number)"
            let taken = try storing { () throws(DatabaseError) in
                try tx.connection.first("SELECT 1 FROM idea WHERE slug = ?", [.text(candidate)]) { _ in true } ?? false
            }
            if !taken { return candidate }
            number += 1
        }
    }

    package func stored(_ change: Change<Idea>, in tx: Transaction) throws(DomainError) {
        if let old = change.old, change.action != .merge, old.isShared != isShared { try Idea.settleBonds(of: [id], in: tx) }
        try link("idea_resource", "resource_id", "#/resource_ids", .resource, resourceIDs, formerly: change.old?.resourceIDs ?? [], in: tx)
        try link("idea_prize", "prize_id", "#/prize_ids", .prize, prizeIDs, formerly: change.old?.prizeIDs ?? [], in: tx)
        try storing { () throws(DatabaseError) in
            if let day = federalVisibleFrom, !federalStatusVisible {
                try Due.set(day.startInParis, .idea, id.text, Self.embargoEnds, in: tx)
            } else if change.old?.federalStatusVisible == false {
                try Due.clear(.idea, id.text, Self.embargoEnds, in: tx.connection)
            }
        }
    }

    static let embargoEnds = "federal_status_visible"

    package static func fallDue(_ id: Identifier<Idea>, _ what: String, in tx: Transaction) throws(DomainError) { try store.liftEmbargo(id, in: tx) }

    private func link<Of>(
        _ table: String, _ column: String, _ pointer: String, _ target: RecordType, _ ids: [Identifier<Of>], formerly: [Identifier<Of>],
        in tx: Transaction
    ) throws(DomainError) {
        guard ids != formerly else { return }
        var faults = Faults()
        do throws(DatabaseError) {
            try tx.connection.run("DELETE FROM \(table) WHERE idea_id = ?", [id.value])
        } catch { throw DomainError(error) }
        for (index, linked) in ids.enumerated() {
            do throws(DatabaseError) {
                try tx.connection.run("INSERT INTO \(table) (\(column), idea_id) VALUES (?, ?)", [linked.value, id.value])
            } catch {
                guard error.kind == .foreignKey else { throw DomainError(error) }
                faults.addUnknownReference("\(pointer)/\(index)", target)
            }
        }
        try faults.throwIfAny()
    }

    package func checkDeletable(by caller: Caller, in tx: Transaction) throws(DomainError) {
        let deletable: Set<Status> = caller.role == .coopManager ? [.draft] : [.draft, .declined]
        guard !deletable.contains(status) else { return }
        throw .conflict(
            code: "idea.not-deletable",
            Bilingual(
                en: "An idea that is \(status.rawValue) is kept; archive it if it should no longer be shown.",
                fr: "Une idée à l'état \(status.rawValue) est conservée ; archivez-la si elle ne doit plus être montrée."),
            members: [("status_now", "\"\(status.rawValue)\"")])
    }
}
