import Domain
import HTTP

/// Sessions for calendars and for the printer.
struct SheetRoutes: Sendable {
    let federation: Federation
    private static let formats = ["text/html", "text/csv"]

    init(federation: Federation) { self.federation = federation }

    var routes: [Route] {
        [
            .read("/v1/sessions/{id}.ics", offers: [ICalendar.mediaType]) { call in
                try calendar(.session(call.id(of: Session.self)), call, isSingle: true)
            },
            .read("/v1/sites/{id}/calendar.ics", offers: [ICalendar.mediaType]) { call in try calendar(.site(call.id(of: Site.self)), call) },
            .read("/v1/coops/{id}/calendar.ics", offers: [ICalendar.mediaType]) { call in try calendar(.coop(call.id(of: Coop.self)), call) },
            .read("/v1/sessions/{id}/sheet", offers: Self.formats, invitation),
            .read("/v1/sessions/{id}/signatures", needsToken: true, offers: Self.formats, signatures),
        ]
    }

    private func calendar(_ scope: Federation.CalendarScope, _ call: Call, isSingle: Bool = false) throws -> Response {
        try call.takesNoQuery()
        let bytes = ICalendar.write(try federation.calendar(scope, for: call.caller), isSingle: isSingle)
        return Response(status: 200, headers: ["Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private, no-cache"], body: bytes)
    }

    private func invitation(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let id = try call.id(of: Session.self)
        let sheet = try federation.sheet(of: id, for: call.caller)
        guard wantsTable(call) else { return page(SheetPage.invitation(sheet)) }
        return table(Session.csvHeader() + Session.csv([try federation.document(of: id, for: call.caller).bytes]))
    }

    private func signatures(_ call: Call) throws -> Response {
        try call.takesNoQuery()
        let id = try call.id(of: Session.self)
        let seated = try federation.seated(at: id, for: call.caller)
        guard wantsTable(call) else { return page(SheetPage.signatures(try federation.sheet(of: id, for: call.caller), seated)) }
        return table(CSVTable.write(["contact_name", "party_size"], seated.map { [$0.contactName ?? "", String($0.partySize)] }))
    }

    private func wantsTable(_ call: Call) -> Bool { MediaType.choose(call.request.headers["Accept"], from: Self.formats) == "text/csv" }

    private func page(_ bytes: [UInt8]) -> Response {
        Response(
            status: 200,
            headers: ["Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": SheetPage.contentSecurityPolicy, "Cache-Control": "no-store"],
            body: bytes)
    }

    private func table(_ bytes: [UInt8]) -> Response {
        Response(status: 200, headers: ["Content-Type": "text/csv; charset=utf-8; header=present", "Cache-Control": "no-store"], body: bytes)
    }
}
