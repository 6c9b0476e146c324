import Crypto
import Domain
import HTTP
import JSON

/// The federation's figures, for its administrators and dashboards.
struct IndicatorRoutes: Sendable {
    let federation: Federation
    private let bodies = StampedCache<BodyPlace, IndicatorStamp, Body>(limit: 500)
    private static let formats = ["application/json", "text/csv"]

    init(_ federation: Federation) { self.federation = federation }

    var routes: [Route] {
        [
            .read("/v1/indicators", needsToken: true, offers: Self.formats) { try answer(Indicator.all, $0) },
            .read("/v1/indicators/{name}", needsToken: true, offers: Self.formats) { call in
                try checkReads(call)
                guard let indicator = call.parameters.first.flatMap({ Indicator.named(String($0)) }) else { throw Problem.notFound }
                return try answer([indicator], call, isSingle: true)
            },
        ]
    }

    private struct BodyPlace: Hashable {
        let number: Int?
        let question: IndicatorQuestion
        let format: String
    }

    private struct Body: Sendable {
        let etag: String
        let bytes: [UInt8]
    }

    private func checkReads(_ call: Call) throws(DomainError) {
        guard call.caller.role == .federationAdmin || call.caller.role == .federationReader else { throw .scopeMissing }
    }

    private func answer(_ indicators: [Indicator], _ call: Call, isSingle: Bool = false) throws -> Response {
        try checkReads(call)
        let question = try IndicatorQuestion(call, of: isSingle ? indicators.first : nil, today: federation.indicatorToday)
        let format = MediaType.choose(call.request.headers["Accept"], from: Self.formats) ?? Self.formats[0]
        let place = BodyPlace(number: isSingle ? indicators.first?.number : nil, question: question, format: format)
        let stamp = federation.indicatorStamp(of: indicators)
        let body = try bodies.value(for: place, at: stamp) ?? write(indicators, question, format, isSingle)
        bodies.keep(body, for: place, at: stamp)
        let isKnown = call.clientHas(body.etag)
        var response = Response(status: isKnown ? 304 : 200, body: isKnown ? [] : body.bytes)
        if !isKnown { response.headers.add("Content-Type", format == "text/csv" ? "text/csv; charset=utf-8; header=present" : format) }
        response.headers.add("ETag", body.etag)
        response.headers.add("Cache-Control", "private, no-cache")
        return response
    }

    private func write(_ indicators: [Indicator], _ question: IndicatorQuestion, _ format: String, _ isSingle: Bool) throws -> Body {
        if let activity = question.activity, try federation.read({ (connection) throws(DomainError) in try Activity.store.find(slug: activity, in: connection) }) == nil {
            throw Problem.parameter("activity", en: "`activity` must be the slug of an activity; GET /v1/activities lists them.", fr: "`activity` doit être le slug d'une activité ; GET /v1/activities les liste.")
        }
        let answers = try federation.answers(of: indicators, to: question)
        let bytes = format == "text/csv" ? IndicatorTable.csv(answers) : json(answers, isSingle)
        // The bytes decide: the same figures have the same tag, also after a restart.
        return Body(etag: "\"\(Base64URL.encode(Array(Crypto.sha256(bytes).prefix(12))))\"", bytes: bytes)
    }

    private func json(_ answers: [IndicatorAnswer], _ isSingle: Bool) -> [UInt8] {
        var json = JSONWriter(reserving: answers.count * 1024)
        if isSingle, let answer = answers.first {
            json.indicator(answer)
        } else {
            json.beginObject()
            json.key("items")
            json.beginArray()
            for answer in answers { json.indicator(answer) }
            json.endArray()
            json.endObject()
        }
        return json.bytes
    }
}
