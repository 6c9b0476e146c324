import Domain

/// The sheets that a co-op prints, on A4 and in French: one that invites, with a slip to hand back, and one to sign.
enum SheetPage {
    static let contentSecurityPolicy = HTML.contentSecurityPolicy(style: style)

    static func invitation(_ sheet: SessionSheet) -> [UInt8] {
        let session = sheet.session
        var facts = [
            ("Quand", FrenchDate.span(of: session)),
            ("Où", [sheet.site.name, sheet.site.address, sheet.coop.city].compactMap { $0 }.joined(separator: ", ")),
            ("Combien", session.capacity == 1 ? "une personne" : "un groupe de \(session.capacity) personnes au plus"),
        ]
        if sheet.site.stepFreeAccess { facts.append(("Accès", "de plain-pied")) }
        if let facilitator = sheet.facilitator { facts.append(("Avec", facilitator.displayName)) }
        let ways = [sheet.coop.phone.map { "par téléphone au <strong>\(HTML.escaped(phone($0)))</strong>" }, sheet.coop.email.map { "par courriel à <strong>\(HTML.escaped($0))</strong>" }]
            .compactMap { $0 } + ["en rendant le bulletin ci-dessous"]
        let notice = session.status == .cancelled ? "<p class=\"off\">Cette séance est annulée.</p>" : ""
        return page(
            "Séance du MOOC : \(sheet.module.title)",
            """
            <p class="coop">\(HTML.escaped(sheet.coop.name))</p>
            <h1>\(HTML.escaped(sheet.module.title))</h1>
            <p class="lead">Suivons ensemble ce module du MOOC, en petit groupe. Pas besoin d'ordinateur ni d'adresse électronique.</p>
            \(notice)
            <dl>\(facts.map { "<dt>\(HTML.escaped($0.0))</dt><dd>\(HTML.escaped($0.1))</dd>" }.joined())</dl>
            <p>Pour vous inscrire : \(ways.joined(separator: ", ou ")). S'il n'y a plus de place, votre demande attend dans l'ordre de réception.</p>
            <section class="slip" aria-labelledby="slip">
            <h2 id="slip">Bulletin à rendre à \(HTML.escaped(sheet.coop.name))</h2>
            <p>\(HTML.escaped(sheet.module.title)), \(HTML.escaped(FrenchDate.span(of: session)))</p>
            <p class="blank">Nom et prénom</p>
            <p class="blank">Téléphone</p>
            <p class="blank">Adresse (sans téléphone)</p>
            <p>Nous serons \(boxes((1...max(1, session.capacity)).map { String($0) })) personne(s).</p>
            <p>Besoins : \(boxes(["accès de plain-pied", "gros caractères", "aide à la lecture", "autre"]))</p>
            <p class="small">Ces renseignements servent à organiser la séance et à vous prévenir. Ils sont effacés 90 jours après, ou
            30 jours si vous n'avez pas pu avoir de place. Vous pouvez les voir, les corriger ou les faire effacer : demandez-le à votre coopérative.</p>
            </section>
            """)
    }

    /// Things to tick, none of which breaks over two lines.
    private static func boxes(_ choices: [String]) -> String {
        choices.map { "<span class=\"choice\"><span class=\"box\"></span> \($0)</span>" }.joined(separator: " ")
    }

    /// A French number as people dial it.
    private static func phone(_ number: String) -> String {
        guard number.hasPrefix("+33"), number.utf8.count == 12 else { return number }
        let digits = Array("0" + number.dropFirst(3))
        return stride(from: 0, to: 10, by: 2).map { String(digits[$0..<$0 + 2]) }.joined(separator: "\u{A0}")
    }

    static func signatures(_ sheet: SessionSheet, _ registrations: [Registration]) -> [UInt8] {
        let rows = registrations.flatMap { party in
            (0..<max(1, party.partySize)).map { number in
                let name = HTML.escaped(party.contactName ?? "")
                return "<tr><td>\(number == 0 ? name : "avec \(name)")</td><td></td></tr>"
            }
        }
        return page(
            "Émargement : \(sheet.module.title)",
            """
            <p class="coop">\(HTML.escaped(sheet.coop.name))</p>
            <h1>Feuille d'émargement</h1>
            <p class="lead">\(HTML.escaped(sheet.module.title))<br>\(HTML.escaped(FrenchDate.span(of: sheet.session)))<br>\(HTML.escaped(sheet.site.name))</p>
            <table><thead><tr><th scope="col">Nom</th><th scope="col">Signature</th></tr></thead><tbody>\(rows.joined())</tbody></table>
            """)
    }

    private static func page(_ title: String, _ content: String) -> [UInt8] {
        Array(
            """
            <!DOCTYPE html>
            <html lang="fr">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(HTML.escaped(title))</title>
            <style>\(style)</style>
            </head>
            <body><main>
            \(content)
            </main></body>
            </html>

            """.utf8)
    }

    /// Read at arm's length: nothing below 14 points but the notice.
    private static let style = """
        @page{size:A4;margin:14mm}
        *{box-sizing:border-box}
        body{margin:0;color:#000;background:#fff;font:15pt/1.4 "Liberation Sans",Arial,sans-serif}
        main{max-width:182mm;margin:0 auto;padding:6mm}
        @media print{main{max-width:none;padding:0}}
        h1{font-size:30pt;line-height:1.15;margin:2mm 0 4mm}
        h2{font-size:17pt;margin:0 0 2mm}
        p{margin:0 0 4mm}
        .coop{font-weight:bold;margin:0}
        .lead{font-size:17pt}
        .off{font-size:22pt;font-weight:bold;border:1mm solid #000;padding:2mm 4mm}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:2mm 6mm;margin:0 0 5mm;font-size:18pt}
        dt{font-weight:bold}
        dd{margin:0;overflow-wrap:anywhere}
        .slip{border-top:.5mm dashed #000;padding-top:4mm;break-inside:avoid}
        .blank{border-bottom:.3mm solid #000;padding-bottom:5mm}
        .box{display:inline-block;width:5mm;height:5mm;border:.4mm solid #000;vertical-align:-.8mm;margin-left:3mm}
        .choice{white-space:nowrap}
        .small{font-size:11pt;margin:0}
        table{border-collapse:collapse;width:100%}
        th,td{text-align:left;border:.3mm solid #000;padding:3mm;height:15mm}
        th{height:auto}
        th:first-child{width:55%}
        """
}
