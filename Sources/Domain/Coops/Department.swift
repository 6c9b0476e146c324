/// The departments of France by INSEE's codes, with the region of each (ISO 3166-2:FR) and its time zone.
package enum Department {
    private static let regions: [(region: String, name: String, departments: String)] = [
        ("FR-ARA", "Auvergne-Rhône-Alpes", "01 03 07 15 26 38 42 43 63 69 73 74"),
        ("FR-BFC", "Bourgogne-Franche-Comté", "21 25 39 58 70 71 89 90"),
        ("FR-BRE", "Bretagne", "22 29 35 56"),
        ("FR-CVL", "Centre-Val de Loire", "18 28 36 37 41 45"),
        ("FR-20R", "Corse", "2A 2B"),
        ("FR-GES", "Grand Est", "08 10 51 52 54 55 57 67 68 88"),
        ("FR-HDF", "Hauts-de-France", "02 59 60 62 80"),
        ("FR-IDF", "Île-de-France", "75 77 78 91 92 93 94 95"),
        ("FR-NOR", "Normandie", "14 27 50 61 76"),
        ("FR-NAQ", "Nouvelle-Aquitaine", "16 17 19 23 24 33 40 47 64 79 86 87"),
        ("FR-OCC", "Occitanie", "09 11 12 30 31 32 34 46 48 65 66 81 82"),
        ("FR-PDL", "Pays de la Loire", "44 49 53 72 85"),
        ("FR-PAC", "Provence-Alpes-Côte d'Azur", "04 05 06 13 83 84"),
        ("FR-971", "Guadeloupe", "971"), ("FR-972", "Martinique", "972"), ("FR-973", "Guyane", "973"), ("FR-974", "La Réunion", "974"), ("FR-976", "Mayotte", "976"),
    ]

    /// All regions, by their ISO 3166-2 codes.
    package static var regionNames: [(code: String, name: String)] { regions.map { ($0.region, $0.name) } }

    private static let regionByDepartment = Dictionary(
        uniqueKeysWithValues: regions.flatMap { entry in entry.departments.split(separator: " ").map { (String($0), entry.region) } })

    private static let zones = [
        "971": "America/Guadeloupe", "972": "America/Martinique", "973": "America/Cayenne", "974": "Indian/Reunion", "976": "Indian/Mayotte",
    ]

    /// Regions that share a border; those of islands and overseas, the one that is nearest by sea.
    private static let neighbours: Set<String> = [
        "ARA BFC", "ARA CVL", "ARA NAQ", "ARA OCC", "ARA PAC", "BFC CVL", "BFC GES", "BFC IDF", "BRE NOR", "BRE PDL", "CVL IDF", "CVL NAQ", "CVL NOR",
        "CVL PDL", "GES HDF", "GES IDF", "HDF IDF", "HDF NOR", "IDF NOR", "NAQ OCC", "NAQ PDL", "NOR PDL", "OCC PAC", "20R PAC", "971 972", "974 976",
    ]

    /// Whether two regions, by their ISO 3166-2 codes, are neighbours.
    static func areNeighbours(_ one: String, _ other: String) -> Bool {
        let pair = [one, other].map { $0.dropFirst(3) }.sorted()
        return neighbours.contains("\(pair[0]) \(pair[1])")
    }

    static let codec = Codec<String>.member(
        of: Set(regionByDepartment.keys), "department.unknown", en: "must be a department's code as text, such as 01, 2A or 976",
        fr: "doit être un code de département en texte, comme 01, 2A ou 976")

    static let regionCodec = Codec<String>.member(
        of: Set(regions.map(\.region)), "region.unknown", en: "must be a region's ISO 3166-2 code, such as FR-BRE",
        fr: "doit être le code ISO 3166-2 d'une région, comme FR-BRE")

    static let zoneCodec = Codec<String>.member(
        of: Set(zones.values).union(["Europe/Paris"]), "time-zone.unknown", en: "must be a time zone of France, such as Europe/Paris or Indian/Reunion",
        fr: "doit être un fuseau horaire de France, comme Europe/Paris ou Indian/Reunion")

    /// - Returns: an empty text for a code that is none, which `codec` lets through nowhere.
    static func region(of department: String) -> String { regionByDepartment[department] ?? "" }

    /// An IANA time zone.
    static func timeZone(of department: String) -> String { zones[department] ?? "Europe/Paris" }
}
