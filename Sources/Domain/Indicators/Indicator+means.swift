/// What co-ops and their referents have to work with, today.
extension Indicator {
    static let means = [
        Indicator(
            22, "equipment", en: "Workstations per site", fr: "Postes par lieu", by: [.region, .department], from: [.sites], isPresent: true
        ) { facts, scope in
            let members = facts.members(in: scope)
            let sites = facts.sites.filter { members[$0.coop] != nil }
            let without = Dictionary(grouping: sites, by: \.coop).values.count { $0.allSatisfy { $0.workstations == 0 } }
            return Result(
                figure: .median(of: sites.map { Double($0.workstations) }, .workstations),
                parts: [Part("coops_without_workstation", .ratio(without, of: members.count))])
        },
        Indicator(
            23, "device-freshness", en: "Telephones that are up to date", fr: "Téléphones à jour", by: [.region, .department], from: [.devices], isPresent: true
        ) { facts, scope in
            let devices = facts.devices.filter { scope.holds($0.coop) }
            return Result(figure: .ratio(devices.count(where: \.isFresh), of: devices.count))
        },
    ]
}
