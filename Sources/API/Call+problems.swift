import Domain
import HTTP
import SQLite
import Text

extension Call {
    /// What goes back for an error that a handler threw.
    func response(to error: any Error) -> Response { request.response(to: error, forOperator: caller.isOperator) }
}

extension Request {
    var language: Language { Language(accepting: headers["Accept-Language"]) }

    /// - Parameter isOperator: whoever runs the server is told what the log would have.
    func response(to error: any Error, forOperator isOperator: Bool = false) -> Response {
        var problem: Problem =
            switch error {
            case let problem as Problem: problem
            case let error as DomainError: Problem(error)
            default: .internal
            }
        let cause = cause(of: error)
        if isOperator, let cause { problem.detail = Bilingual(en: "It failed: \(cause).", fr: "Échec : \(cause).") }
        var response = problem.response(language: language, instance: path)
        response.cause = cause
        return response
    }

    /// For the log, where a client is told no more than that it is the server's fault.
    private func cause(of error: any Error) -> String? {
        switch error {
        case DomainError.storage, DomainError.storageFull: (error as? DomainError)?.cause
        case is DomainError, is Problem: nil
        // What else it holds may be somebody's.
        default: "\(type(of: error))"
        }
    }
}
