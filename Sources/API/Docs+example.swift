extension Docs {
    /// The operation as a command to copy, with `$api`, `$TOKEN`, `$id` and `$etag` to be set before.
    static func example(_ operation: Contract.Operation, _ contract: Contract) -> String {
        let block = operation.block
        var words = ["curl"]
        if operation.method != "GET" { words.append("-X \(operation.method)") }
        // Where anyone may ask, `security` has an empty alternative.
        if !(block["security"]?.value.contains("{}") ?? false) { words.append("-H \"Authorization: Bearer $TOKEN\"") }
        if block["parameters"]?.elements.contains(where: { $0.reference?.hasSuffix("/IfMatch") ?? false }) ?? false { words.append("-H \"If-Match: $etag\"") }
        if let content = block["requestBody"]?["content"]?.children.first {
            words.append("-H 'Content-Type: \(content.key)'")
            words.append("-d " + (body(of: content, contract) ?? "@body.json"))
        }
        let path = operation.path.replacing("{", with: "$").replacing("}", with: "")
        words.append("\"$api\(path)\"")
        return "<pre translate=\"no\" tabindex=\"0\">\(HTML.escaped(words.joined(separator: " ")))</pre>"
    }

    /// A step of a state machine says where it goes; other bodies are the reader's.
    private static func body(of content: Outline, _ contract: Contract) -> String? {
        guard let to = contract.component(content.reference)?["properties"]?["to"] else { return nil }
        let states = to.choices.isEmpty ? contract.choices(of: to.reference) : to.choices
        return states.first.map { "'{\"to\":\"\($0)\"}'" }
    }
}

extension Docs.Contract {
    /// The values of `#/components/schemas/Idea/properties/status`.
    fileprivate func choices(of reference: Substring?) -> [String] {
        guard let names = reference?.split(separator: "/").map(String.init), names.count == 6 else { return [] }
        let schema = component("#/components/\(names[2])/\(names[3])")
        return schema?[names[4]]?[names[5]]?.choices ?? []
    }
}
