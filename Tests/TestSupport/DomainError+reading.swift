import Domain

extension DomainError {
    /// The error in a word, as tables of cases name it: `stale`, or the code of a conflict or refusal.
    package var word: String {
        switch self {
        case .invalid: "invalid"
        case .notFound: "not found"
        case .stale: "stale"
        case .preconditionRequired: "precondition required"
        case .conflict(let code, _, _): code
        case .forbidden(let code, _): code
        case .gone(let code, _): code
        case .tooCostly: "too costly"
        case .busy: "busy"
        case .storageFull: "storage full"
        case .storage(let error): "storage: \(error)"
        }
    }

    /// Each fault as `#/name text.length`, in order.
    package var faults: [String] {
        guard case .invalid(let faults) = self else { return [] }
        return faults.map { "\($0.pointer) \($0.code)" }
    }
}

// The two take any error, because a closure's own throws clause is not inferred to be typed.

/// What `body` throws, in a word; nil when it throws nothing.
package func refusal(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch { return (error as? DomainError)?.word ?? "\(error)" }
}

/// The faults of what `body` throws, or its word where it is no `.invalid`.
package func faults(_ body: () throws -> Void) -> [String] {
    do {
        try body()
        return []
    } catch { return (error as? DomainError)?.faults.nonEmpty ?? ["\((error as? DomainError)?.word ?? "\(error)")"] }
}

extension Array {
    fileprivate var nonEmpty: Array? { isEmpty ? nil : self }
}
