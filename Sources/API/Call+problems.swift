import Domain
import HTTP
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
        return problem.response(language: language, instance: path)
    }
}
