import Domain
import Embedded

/// The contract as a page to read: one HTML file without script, picture or address elsewhere.
package enum Docs {
    /// Goes with the page: nothing is loaded or run, and only the page's own style applies.
    package static let contentSecurityPolicy = HTML.contentSecurityPolicy(style: style)

    /// The page for the contract that is compiled in, made when it is first asked for.
    package static let embedded = page(openAPI: Embedded.openAPI.text)

    /// The page for a text that is written as openapi.yaml is.
    package static func page(openAPI text: String) -> [UInt8] {
        let contract = Contract(Outline(of: text))
        return Array(
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(HTML.escaped(contract.title)) \(HTML.escaped(contract.version)): the API</title>
            <style>\(style)</style>
            </head>
            <body>
            <a class="skip" href="#content">Skip to the content</a>
            \(navigation(contract))
            <main id="content" tabindex="-1">
            <h1>\(HTML.escaped(contract.title)) <small>\(HTML.escaped(contract.version))</small></h1>
            <p>This page is made from <a href="/openapi.yaml">openapi.yaml</a>, from which clients can be made too.</p>
            \(prose(contract.description))
            \(contract.tags.map { section($0, contract) }.joined(separator: "\n"))
            \(contract.components.map(section).joined(separator: "\n"))
            </main>
            </body>
            </html>

            """.utf8)
    }

    /// What the page is made of.
    struct Contract {
        let title: String
        let version: String
        let description: String
        let tags: [(name: String, description: String)]
        let operations: [Operation]
        /// What the server tells others by webhook.
        let events: [(name: String, summary: String)]
        let components: [Outline]
        /// By the `$ref` that names each.
        private let byReference: [Substring: Outline]

        struct Operation {
            let method: String
            let path: String
            let block: Outline
            var id: String { block["operationId"]?.text ?? "" }
            var summary: String { block["summary"]?.text ?? "" }
            func has(tag: String) -> Bool { block["tags"]?.value == "[\(tag)]" }
        }

        init(_ root: Outline) {
            let info = root["info"]
            title = info?["title"]?.text ?? ""
            version = info?["version"]?.text ?? ""
            description = info?["description"]?.text ?? ""
            tags = root["tags"]?.elements.map { ($0["name"]?.text ?? "", $0["description"]?.text ?? "") } ?? []
            operations = root["paths"]?.children.flatMap { path in
                path.children.map { Operation(method: $0.key.uppercased(), path: path.key, block: $0) }
            } ?? []
            events = root["webhooks"]?.children.map { ($0.key, $0["post"]?["summary"]?.text ?? "") } ?? []
            components = root["components"]?.children ?? []
            let named = components.flatMap { part in part.children.map { ("#/components/\(part.key)/\($0.key)"[...], $0) } }
            byReference = Dictionary(named) { first, _ in first }
        }

        /// The component that a `$ref` names.
        func component(_ reference: Substring?) -> Outline? { reference.flatMap { byReference[$0] } }
    }

    // MARK: Parts of the page

    private static func navigation(_ contract: Contract) -> String {
        let groups = contract.tags.map { tag in
            let links = contract.operations.filter { $0.has(tag: tag.name) }.map { operation in
                "<li><a href=\"#\(HTML.escaped(operation.id))\"><b>\(HTML.escaped(operation.method))</b> \(breakable(operation.path))</a></li>"
            }
            return "<details><summary>\(HTML.escaped(tag.name))</summary><ul>\(links.joined())</ul></details>"
        }
        let parts = contract.components.map { "<li><a href=\"#/components/\(HTML.escaped($0.key))\">\(HTML.escaped(heading($0.key)))</a></li>" }
        return "<nav aria-label=\"Index\">\(groups.joined())<ul>\(parts.joined())</ul></nav>"
    }

    private static func section(_ tag: (name: String, description: String), _ contract: Contract) -> String {
        let operations = contract.operations.filter { $0.has(tag: tag.name) }.map { article($0, contract) }
        let events = tag.name == "Webhooks" ? list(contract.events) : ""
        return "<section><h2>\(HTML.escaped(tag.name))</h2>\n\(prose(tag.description))\n\(operations.joined(separator: "\n"))\n\(events)</section>"
    }

    private static func list(_ events: [(name: String, summary: String)]) -> String {
        table(head: ["Event", "What happened"], events.map { "<tr><td><code>\(HTML.escaped($0.name))</code></td><td>\(inline($0.summary)).</td></tr>" })
    }

    private static func article(_ operation: Contract.Operation, _ contract: Contract) -> String {
        let block = operation.block
        var html = "<article id=\"\(HTML.escaped(operation.id))\"><h3><b>\(HTML.escaped(operation.method))</b> <code>\(breakable(operation.path))</code></h3>\n"
        html += "<p><strong>\(HTML.escaped(operation.summary)).</strong></p>\n" + prose(block["description"]?.text ?? "")
        html += "<p>Who: \(callers(block)).</p>\n" + example(operation, contract) + "\n"
        let parameters = (block["parameters"]?.elements ?? []).map { $0.reference == nil || $0["name"] != nil ? $0 : contract.component($0.reference) ?? $0 }
        if !parameters.isEmpty {
            let rows = parameters.map { parameter in
                let isRequired = parameter["required"]?.value == "true"
                return "<tr><td><code>\(HTML.escaped(parameter["name"]?.text ?? ""))</code></td><td>\(HTML.escaped(parameter["in"]?.text ?? ""))"
                    + "\(isRequired ? ", required" : "")</td><td>\(what(parameter))</td></tr>"
            }
            html += table(head: ["Parameter", "Where", "What"], rows)
        }
        let content = block["requestBody"]?["content"]?.children.first
        if let content { html += "<p>Send: \(link(content.reference)) as <code>\(HTML.escaped(content.key))</code>.</p>\n" }
        let answers = (block["responses"]?.children ?? []).map { answer in
            "<tr><td><code>\(HTML.escaped(answer.key))</code></td><td>\(link(answer.reference))</td>"
                + "<td>\(inline(contract.component(answer.reference)?["description"]?.text ?? ""))</td></tr>"
        }
        html += table(head: ["Answer", "Form", "What"], answers)
        return html + "<details><summary>YAML</summary>\(yaml(block.lines))</details></article>"
    }

    /// A filter needs no description but the field that it looks at; a list of values is worth showing.
    private static func what(_ parameter: Outline) -> String {
        var parts = [inline(parameter["description"]?.text ?? "")].filter { !$0.isEmpty }
        if parts.isEmpty, let reference = parameter.reference { parts.append("Filters by the field of \(link(reference)).") }
        let choices = parameter.choices
        if !choices.isEmpty { parts.append("Choices: " + choices.map { "<code>\(HTML.escaped($0))</code>" }.joined(separator: ", ") + ".") }
        return parts.joined(separator: " ")
    }

    private static func callers(_ block: Outline) -> String {
        let roles = block["x-roles"].map { Outline.list($0.value) } ?? []
        return roles.isEmpty ? "anyone" : roles.map { "<code>\(HTML.escaped($0))</code>" }.joined(separator: ", ")
    }

    private static func section(_ part: Outline) -> String {
        // A `$ref` is the very fragment that finds its component on the page.
        let entries = part.children.map { "<article id=\"/components/\(HTML.escaped(part.key))/\(HTML.escaped($0.key))\"><h3>\(HTML.escaped($0.key))</h3>\(yaml($0.lines))</article>" }
        return "<section id=\"/components/\(HTML.escaped(part.key))\"><h2>\(HTML.escaped(heading(part.key)))</h2>\n\(entries.joined(separator: "\n"))\n</section>"
    }

    private static func heading(_ part: String) -> String {
        ["schemas": "Schemas", "parameters": "Parameters", "headers": "Headers", "responses": "Answers", "securitySchemes": "Security"][part] ?? part
    }

    private static func table(head: [String], _ rows: [String]) -> String {
        let cells = head.map { "<th scope=\"col\">\($0)</th>" }.joined()
        return "<div class=\"wide\" tabindex=\"0\"><table><thead><tr>\(cells)</tr></thead><tbody>\(rows.joined())</tbody></table></div>\n"
    }
}
