import Domain
import HTTP
import JSON
import Text

extension Problem {
    /// The only place where a domain error gets its status. No `default`: a new case has to choose.
    init(_ error: DomainError) {
        switch error {
        case .invalid(let faults):
            self.init(
                422, faults.count == 1 ? faults[0].code : "invalid", title: Bilingual(en: "Some fields are not valid", fr: "Certains champs ne sont pas valides"),
                detail: Bilingual(
                    en: "Mend what `errors` names, then send it again. Nothing was stored.",
                    fr: "Corrigez ce que `errors` indique, puis renvoyez. Rien n'a été enregistré."),
                faults: faults.map { Fault(pointer: $0.pointer, code: $0.code, detail: $0.detail) })
        case .notFound: self = .notFound
        case .stale(let etag):
            self.init(
                412, "precondition.stale", title: Bilingual(en: "Changed meanwhile", fr: "Modifié entre-temps"),
                detail: Bilingual(
                    en: "Somebody changed it and its ETag is now \(etag). Read it again, then repeat your change.",
                    fr: "Quelqu'un l'a modifié et son ETag est maintenant \(etag). Relisez-le, puis refaites votre modification."),
                members: [("etag", JSONWriter.text(etag))], headers: ["ETag": etag])
        case .preconditionRequired:
            self.init(
                428, "precondition.required", title: Bilingual(en: "If-Match is required", fr: "If-Match est obligatoire"),
                detail: Bilingual(
                    en: "Read the record, then send its ETag in If-Match, so that nobody's change is overwritten.",
                    fr: "Lisez l'enregistrement, puis envoyez son ETag dans If-Match, pour n'écraser la modification de personne."))
        case .conflict(let code, let detail, let members):
            self.init(409, code, title: Bilingual(en: "Not possible as things are", fr: "Impossible dans l'état actuel"), detail: detail, members: members)
        case .forbidden(let code, let detail):
            self.init(
                403, code, title: Bilingual(en: "Not allowed", fr: "Non autorisé"), detail: detail,
                headers: ["WWW-Authenticate": "Bearer error=\"insufficient_scope\""])
        case .gone(let code, let detail):
            self.init(410, code, title: Bilingual(en: "No longer there", fr: "N'existe plus"), detail: detail)
        case .tooCostly:
            self.init(
                503, "query.too-costly", title: Bilingual(en: "The query costs too much", fr: "La requête est trop coûteuse"),
                detail: Bilingual(en: "Narrow it with filters, or ask for smaller pages.", fr: "Restreignez-la par des filtres, ou demandez des pages plus petites."),
                headers: ["Retry-After": "5"])
        case .busy:
            self.init(
                503, "busy", title: Bilingual(en: "Too busy", fr: "Trop occupé"),
                detail: Bilingual(en: "Nothing was stored. Send it again in a moment.", fr: "Rien n'a été enregistré. Renvoyez dans un instant."),
                headers: ["Retry-After": String(Int.random(in: 1...5))])
        case .storageFull:
            self.init(
                503, "storage.full", title: Bilingual(en: "No room to write", fr: "Plus de place pour écrire"),
                detail: Bilingual(
                    en: "Nothing was stored; reading still works. The operator has to make room; then send it again.",
                    fr: "Rien n'a été enregistré ; la lecture fonctionne. L'exploitant doit libérer de la place ; renvoyez ensuite."),
                headers: ["Retry-After": String(Int.random(in: 20...60))])
        case .storage: self = .internal
        }
    }

    init(_ error: JSONError) {
        self.init(
            400, error.code.rawValue, title: Bilingual(en: "The body is not valid JSON", fr: "Le contenu n'est pas du JSON valide"),
            detail: Bilingual(
                en: "Line \(error.line), column \(error.column) (byte \(error.offset)): \(error.detail.en).",
                fr: "Ligne \(error.line), colonne \(error.column) (octet \(error.offset)) : \(error.detail.fr)."),
            faults: error.pointer.map { [Fault(pointer: $0, code: error.code.rawValue, detail: Bilingual(en: "stands twice", fr: "figure deux fois"))] } ?? [],
            members: [("offset", String(error.offset)), ("line", String(error.line)), ("column", String(error.column))])
    }

    static let notFound = Problem(
        404, "not-found", title: Bilingual(en: "Not found", fr: "Introuvable"),
        detail: Bilingual(en: "There is nothing here that you can see. Check the address and the token.", fr: "Il n'y a rien ici que vous puissiez voir. Vérifiez l'adresse et le jeton."))

    static let `internal` = Problem(
        500, "internal", title: Bilingual(en: "Our mistake", fr: "Erreur de notre côté"),
        detail: Bilingual(
            en: "Something went wrong on our side. Try again; if it stays, give the operator the Request-Id.",
            fr: "Une erreur s'est produite de notre côté. Réessayez ; si cela persiste, donnez le Request-Id à l'exploitant."))

    static let idFormat = Problem(
        400, "id.format", title: Bilingual(en: "Not an id", fr: "Identifiant incorrect"),
        detail: Bilingual(en: "An id is a UUID in lower case, 36 characters.", fr: "Un identifiant est un UUID en minuscules, 36 caractères."))

    static func parameter(_ name: String, code: String = "parameter.invalid", en: String, fr: String) -> Problem {
        Problem(
            400, code, title: Bilingual(en: "A parameter is not valid", fr: "Un paramètre n'est pas valide"), detail: Bilingual(en: en, fr: fr),
            members: [("parameter", JSONWriter.text(name))])
    }

    static func header(_ name: String, en: String, fr: String) -> Problem {
        Problem(
            400, "header.invalid", title: Bilingual(en: "A header is not valid", fr: "Un en-tête n'est pas valide"),
            detail: Bilingual(en: "\(name) \(en).", fr: "\(name) \(fr)."), members: [("header", JSONWriter.text(name))])
    }

    static func method(_ allowed: [String]) -> Problem {
        Problem(
            405, "method.not-allowed", title: Bilingual(en: "Method not allowed", fr: "Méthode non permise"),
            detail: Bilingual(en: "Here you can use: \(allowed.joined(separator: ", ")).", fr: "Ici, vous pouvez utiliser : \(allowed.joined(separator: ", "))."),
            headers: ["Allow": allowed.joined(separator: ", ")])
    }

    static let methodUnknown = Problem(
        501, "method.unknown", title: Bilingual(en: "Unknown method", fr: "Méthode inconnue"),
        detail: Bilingual(en: "This server knows GET, HEAD, POST, PATCH, DELETE and OPTIONS.", fr: "Ce serveur connaît GET, HEAD, POST, PATCH, DELETE et OPTIONS."))

    static func notAcceptable(_ offers: [String]) -> Problem {
        Problem(
            406, "not-acceptable", title: Bilingual(en: "No such format", fr: "Format indisponible"),
            detail: Bilingual(en: "Ask for one of: \(offers.joined(separator: ", ")).", fr: "Demandez l'un de ces formats : \(offers.joined(separator: ", "))."))
    }

    /// One body for every reason, so that a stranger learns nothing; only a revoked device's own secret is told to wipe.
    static func unauthorized(wipe: Bool = false) -> Problem {
        Problem(
            401, "auth.required", title: Bilingual(en: "A valid token is needed", fr: "Un jeton valide est nécessaire"),
            detail: Bilingual(
                en: "Send Authorization: Bearer with a token that is valid. Ask your co-op's manager or the federation for one.",
                fr: "Envoyez Authorization: Bearer avec un jeton valide. Demandez-en un au gestionnaire de votre coopérative ou à la fédération."),
            members: wipe ? [("wipe", "true")] : [], headers: ["WWW-Authenticate": "Bearer"])
    }

    static func rateLimited(retryAfter seconds: Int) -> Problem {
        Problem(
            429, "rate.limited", title: Bilingual(en: "Too many requests", fr: "Trop de requêtes"),
            detail: Bilingual(en: "Wait \(seconds) seconds, then try again.", fr: "Attendez \(seconds) secondes, puis réessayez."),
            headers: ["Retry-After": String(seconds)])
    }
}

extension JSONWriter {
    /// A text as a JSON value.
    static func text(_ text: String) -> String {
        var json = JSONWriter()
        json.string(text)
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
