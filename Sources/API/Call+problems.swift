import Domain
import HTTP
import SQLite
import Text

extension Call {
    /// What goes back for an error that a handler threw.
    func response(to error: any Error) -> Response { request.response(to: error) }
}

extension Request {
    var language: Language { Language(accepting: headers["Accept-Language"]) }

    func response(to error: any Error) -> Response {
        let problem: Problem =
            switch error {
            case let problem as Problem: problem
            case let error as DomainError: Problem(error)
            default: .internal
            }
        var response = problem.response(language: language, instance: path)
        response.cause = cause(of: error)
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
