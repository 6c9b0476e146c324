import HTTP
import Text

/// A request that never reaches the application, with the answer it gets. The connection always ends with it, because
/// a sender that frames one request wrongly cannot be trusted about where the next one starts (RFC 9112 section 11.2).
struct Refusal: Equatable {
    let status: Int
    let code: String
    let detail: Bilingual
    var headers: [(String, String)] = []

    static func == (left: Refusal, right: Refusal) -> Bool { left.code == right.code && left.status == right.status }

    private init(_ status: Int, _ code: String, _ en: String, _ fr: String, headers: [(String, String)] = []) {
        (self.status, self.code, self.headers) = (status, code, headers)
        detail = Bilingual(en: en, fr: fr)
    }

    var problem: Problem {
        var fields = Headers()
        for (name, value) in headers { fields.add(name, value) }
        return Problem(status, code, title: title, detail: detail, headers: fields, closes: true)
    }

    private var title: Bilingual {
        switch status {
        case 408: Bilingual(en: "The request took too long.", fr: "La requête a pris trop de temps.")
        case 413: Bilingual(en: "The body is too large.", fr: "Le corps est trop grand.")
        case 414: Bilingual(en: "The address is too long.", fr: "L'adresse est trop longue.")
        case 415: Bilingual(en: "The body's form is not supported.", fr: "La forme du corps n'est pas prise en charge.")
        case 417: Bilingual(en: "The expectation cannot be met.", fr: "L'attente ne peut être satisfaite.")
        case 431: Bilingual(en: "The headers are too large.", fr: "Les en-têtes sont trop grands.")
        case 501: Bilingual(en: "This transfer coding is not supported.", fr: "Ce codage de transfert n'est pas pris en charge.")
        case 503 where self == .busy: Bilingual(en: "The server is busy.", fr: "Le serveur est occupé.")
        case 503: Bilingual(en: "The server is stopping.", fr: "Le serveur s'arrête.")
        default: Bilingual(en: "The request is malformed.", fr: "La requête est mal formée.")
        }
    }
}

extension Refusal {
    static let headerLine = Refusal(
        400, "framing.header-line", "A header line is folded, ends without CR LF or holds a NUL.",
        "Une ligne d'en-tête est repliée, finit sans CR LF ou contient un NUL.")
    static let headerName = Refusal(
        400, "framing.header-name", "The name of a header is not a token, or a space follows it.",
        "Le nom d'un en-tête n'est pas valable, ou un espace le suit.")
    static let headerValue = Refusal(
        400, "framing.header-value", "The value of a header holds a control character.",
        "La valeur d'un en-tête contient un caractère de contrôle.")
    static let requestLine = Refusal(
        400, "framing.request-line", "The request line is not: method, one space, target, one space, version.",
        "La ligne de requête n'est pas : méthode, un espace, cible, un espace, version.")
    static let contentLength = Refusal(
        400, "framing.content-length", "Content-Length has to be given at most once, as a plain decimal number.",
        "Content-Length doit figurer au plus une fois, comme nombre décimal simple.")
    static let bothLengths = Refusal(
        400, "framing.both-lengths", "Content-Length and Transfer-Encoding exclude each other.",
        "Content-Length et Transfer-Encoding s'excluent.")
    static let transferEncoding = Refusal(
        501, "framing.transfer-encoding", "The only transfer coding of requests is `chunked`, given once, in HTTP/1.1.",
        "Le seul codage de transfert des requêtes est `chunked`, une seule fois, en HTTP/1.1.")
    static let unexpectedBody = Refusal(
        400, "framing.unexpected-body", "A request with this method has no body.",
        "Une requête avec cette méthode n'a pas de corps.")
    static let host = Refusal(
        400, "framing.host", "There has to be exactly one Host, a name or address with an optional port.",
        "Il faut exactement un Host, un nom ou une adresse avec un port facultatif.")
    static let targetForm = Refusal(
        400, "uri.form", "The target has to be a path that starts with `/`, or an absolute address of this very Host.",
        "La cible doit être un chemin qui commence par `/`, ou une adresse absolue de ce même Host.")
    static let targetCharacter = Refusal(
        400, "uri.character", "The target may hold printable ASCII only, no space and no `#`; escape the rest as %XX.",
        "La cible ne peut contenir que de l'ASCII imprimable, sans espace ni `#` ; écrivez le reste %XX.")
    static let targetEscape = Refusal(
        400, "uri.escape", "After `%`, the target has to have two hexadecimal digits, and not 00.",
        "Après `%`, la cible doit avoir deux chiffres hexadécimaux, différents de 00.")
    static let targetLength = Refusal(
        414, "uri.too-long", "The target is longer than this server reads.",
        "La cible dépasse ce que ce serveur lit.")
    static let headersSize = Refusal(
        431, "headers.too-large", "The headers have more lines or bytes than this server reads.",
        "Les en-têtes ont plus de lignes ou d'octets que ce serveur n'en lit.")
    static let bodySize = Refusal(
        413, "body.too-large", "The body has more bytes than this server takes.",
        "Le corps a plus d'octets que ce serveur n'en accepte.")
    static let expectation = Refusal(
        417, "expect.unknown", "The only expectation is `100-continue`.", "La seule attente admise est `100-continue`.")
    static let contentEncoding = Refusal(
        415, "body.encoding", "Send the body without Content-Encoding.", "Envoyez le corps sans Content-Encoding.",
        headers: [("Accept-Encoding", "identity")])
    static let timeout = Refusal(
        408, "timeout", "The request did not arrive in time.", "La requête n'est pas arrivée à temps.")
    static let busy = Refusal(
        503, "busy", "Too many large bodies arrive at once. Nothing was stored; send it again in a moment.",
        "Trop de contenus volumineux arrivent en même temps. Rien n'a été enregistré ; renvoyez dans un instant.", headers: [("Retry-After", "5")])
    static let stopping = Refusal(
        503, "stopping", "The server is stopping; try again in a moment.",
        "Le serveur s'arrête ; réessayez dans un instant.", headers: [("Retry-After", "2")])
}
