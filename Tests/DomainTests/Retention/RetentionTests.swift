@testable import Domain
import Foundation
import JSON
import SQLite
import Synchronization
import TestSupport
import Testing

@Suite("Retention")
struct RetentionTests {
    /// A mandate that ended on 28 February 2026, of a person who can be searched for.
    private func endedMandate(_ test: TestFederation) throws -> Referent {
        let coop = try test.addCoop()
        let more = #","job_title":"Zibeline en chef","work_email":"zibeline@a.coop","work_phone":"+33299123456","share_contact_network":true"#
        let referent = try test.create(
            Referent.self, #"{"coop_id":"\#(coop.id)","given_name":"Zibeline","family_name":"Quettehou","started_on":"2026-01-05"\#(more)}"#)
        return try test.step(referent, #"{"to":"ended","ended_on":"2026-02-28"}"#)
    }

    private func runDue(_ test: TestFederation) throws { try test.federation.perform { (tx) throws(DomainError) in _ = try Due.run(in: tx) } }

    @Test("twelve months after the end, at midnight in Paris, a mandate forgets who held it and keeps its dates")
    func forgets() throws {
        let test = try TestFederation(clock: TestClock("2026-03-02T09:00:00Z"))
        let referent = try endedMandate(test)
        // Two hours before 28 February 2027 begins in Paris.
        test.clock.advance(seconds: Int64(362 * 86_400 + 12 * 3600))
        try runDue(test)
        #expect(try test.stored(referent).familyName == "Quettehou")
        test.clock.advance(seconds: 2 * 3600)
        try runDue(test)
        let forgotten = try test.stored(referent)
        #expect([forgotten.givenName, forgotten.familyName] == ["ancien", "référent"])
        #expect([forgotten.jobTitle, forgotten.workEmail, forgotten.workPhone] == [nil, nil, nil])
        #expect(forgotten.startedOn.text == "2026-01-05" && forgotten.endedOn?.text == "2026-02-28")
        #expect(try test.document(of: referent, for: .reader)?["anonymised_on"]?.stringValue == "2027-02-28")
        let last = try test.federation.history(of: referent.id, after: 0, limit: 10, for: .admin).last
        #expect(last?.actor == "clock")
        #expect(last?.fields.contains("family_name") == true)
        let head = test.head
        try runDue(test)
        #expect(test.head == head, "once is enough")
        #expect(refusal { try test.patch(referent, #"{"given_name":"Zibeline"}"#) } == "referent.forgotten")
    }

    @Test("nothing of the person is left in the files, nor in answers kept for what is repeated")
    func leavesNothing() throws {
        let folder = TestFolder()
        let clock = TestClock()
        func files() throws -> [UInt8] { try folder.files.reduce(into: []) { $0 += try folder.bytes(of: $1) } }
        let words = ["Zibeline", "Quettehou", "zibeline@a.coop", "+33299123456"]
        do {
            let test = try TestFederation(clock: clock, in: folder) { $0.keepsHouse = false }
            let referent = try endedMandate(test)
            let answer = Idempotency.Answer(status: 201, location: nil, etag: nil, body: Array(#"{"family_name":"Quettehou"}"#.utf8))
            let key = Idempotency.Key(token: nil, method: "POST", path: "/v1/referents", key: "1", body: [], secret: Array(0..<32))
            clock.advance(days: 364)
            try test.federation.perform { (tx) throws(DomainError) in
                try Idempotency.keep(answer, under: key, type: .referent, id: referent.id.text, in: tx)
                try storing { () throws(DatabaseError) in
                    try tx.connection.run(
                        "INSERT INTO push_result (token_id, mid, digest, result, type, id, created_ms) VALUES ('t', 'm', x'00', 'Quettehou', 'referent', ?, ?)",
                        [referent.id.value, .integer(tx.now.milliseconds)])
                }
            }
            test.federation.close()
            let before = try files()
            for word in words { #expect(before.firstRange(of: Array(word.utf8)) != nil, "\(word)") }
        }
        do {
            let test = try TestFederation(clock: clock, in: folder) { $0.keepsHouse = false }
            #expect(try test.federation.applyRetention().count == 1)
            for table in ["idempotency", "push_result"] { #expect(try test.rows("SELECT count(*) FROM \(table)") == [.integer(0)]) }
            #expect(try FeedAudit.findings(test).isEmpty)
            test.federation.close()
        }
        let after = try files()
        for word in words { #expect(after.firstRange(of: Array(word.utf8)) == nil, "\(word)") }
    }

    @Test("a run names the records, a dry one without a change, and finds what no due row says")
    func runs() throws {
        let test = try TestFederation { $0.keepsHouse = false }
        let referent = try endedMandate(test)
        let file = try test.create(AppointmentFile.self, #"{"coop_id":"\#(referent.coopID)","selected_note":"Zibeline hésite"}"#, by: .manager(of: test.stored(referent).coop(test)))
        try test.step(file, #"{"to":"abandoned"}"#)
        #expect(try test.federation.applyRetention().count == 0)
        try test.federation.perform { (tx) throws(DomainError) in try storing { () throws(DatabaseError) in try tx.connection.run("DELETE FROM due") } }
        test.clock.advance(days: 366)
        let head = test.head
        let dry = try test.federation.applyRetention(dryRun: true)
        #expect(dry.parts.filter { !$0.ids.isEmpty }.map { "\($0.type) \($0.ids)" } == ["referent [\"\(referent.id)\"]", "appointment [\"\(file.id)\"]"])
        #expect(test.head == head)
        #expect(try test.federation.applyRetention() == dry)
        #expect(try test.stored(file).steps.allSatisfy { $0.note == nil })
        #expect(try test.federation.applyRetention().count == 0)
    }

    @Test("a term can be shortened and made longer, and is kept with the data")
    func terms() throws {
        let folder = TestFolder()
        let clock = TestClock()
        let id: Identifier<Referent>
        do {
            let test = try TestFederation(clock: clock, in: folder) { $0.keepsHouse = false }
            id = try endedMandate(test).id
            #expect(test.federation.retentionTerms[.referentMonths] == 12)
            for value in [0, 121, -1] { #expect(faults { try test.federation.setTerm(.referentMonths, to: value) } == ["#/value number.range"]) }
            try test.federation.setTerm(.referentMonths, to: 24)
            clock.advance(days: 366)
            try runDue(test)
            #expect(try test.federation.applyRetention().count == 0)
            #expect(try test.rows("SELECT at_ms > ? FROM due WHERE type = 'referent'", [.integer(clock.now.milliseconds)]) == [.integer(1)], "due again later")
            test.federation.close()
        }
        let test = try TestFederation(clock: clock, in: folder) { $0.keepsHouse = false }
        #expect(test.federation.retentionTerms[.referentMonths] == 24)
        try test.federation.setTerm(.referentMonths, to: 6)
        #expect(try test.federation.applyRetention().parts.first?.ids == [id.text])
    }

    @Test("more than a batch is forgotten in several transactions, by the command and in the night", arguments: ["command", "night"])
    func batches(way: String) throws {
        let reports = Monitor<[Int]>([])
        let test = try TestFederation {
            $0.keepsHouse = way == "night"
            $0.onRetention = { report in reports.change { $0.append(report.count) } }
        }
        if way == "night" { #expect(reports.wait(seconds: 60) { $0 == [0] }, "after the start") }
        let coop = try test.addCoop()
        let count = Retention.batch + 3
        for _ in 0..<count { try test.step(test.addReferent(of: coop), #"{"to":"ended","ended_on":"2026-02-28"}"#) }
        try test.federation.perform { (tx) throws(DomainError) in try storing { () throws(DatabaseError) in try tx.connection.run("DELETE FROM due") } }
        test.clock.advance(days: 366)
        if way == "command" {
            #expect(try test.federation.applyRetention().count == count)
            return
        }
        test.federation.lookForDue()
        #expect(reports.wait(seconds: 60) { $0 == [0, count] })
        test.federation.lookForDue()
        test.clock.advance(seconds: 16 * 3600)  // 02:00 in Paris: the same night
        test.federation.lookForDue()
        test.clock.advance(seconds: 3600)
        test.federation.lookForDue()
        #expect(reports.wait(seconds: 60) { $0 == [0, count, 0] })
    }

    @Test("a file that still names the person brings nothing back to a mandate that has forgotten")
    func imports() throws {
        let test = try TestFederation { $0.keepsHouse = false }
        let referent = try endedMandate(test)
        test.clock.advance(days: 366)
        #expect(try test.federation.applyRetention().count == 1)
        let header = "id,coop,given_name,family_name,started_on,status,ended_on"
        let file = ImportFile(name: "referents.csv", bytes: Array("\(header)\n\(referent.id),les-tilleuls,Zibeline,Quettehou,2026-01-05,ended,2026-02-28\n".utf8))
        let report = try Import.run([file], dryRun: false, into: test.federation) { _, _ in }
        #expect(report.notes.count == 1)
        #expect(try test.stored(referent).familyName == "référent")
        // One that comes with the day on which it forgot has nothing to say either.
        let again = #"{"coop_id":"\#(referent.coopID)","given_name":"Zibeline","family_name":"Quettehou","started_on":"2020-01-05","status":"ended","ended_on":"2021-01-05","anonymised_on":"2022-01-05"}"#
        let draft = try Draft<Referent>(TestJSON.parse(again), for: .bringIn)
        #expect(try test.federation.perform { (tx) throws(DomainError) in try Referent.store.create(draft, by: .operatorItself, in: tx).record.givenName } == "ancien")
    }

    static let months: [(String, Int, String)] = [
        ("2026-01-31", 1, "2026-02-28"), ("2024-02-29", 12, "2025-02-28"), ("2023-02-28", 12, "2024-02-28"), ("2026-12-15", 1, "2027-01-15"),
        ("2026-11-30", 3, "2027-02-28"), ("2026-03-31", 120, "2036-03-31"), ("9999-12-31", 12, "9999-12-31"), ("0001-01-01", 12, "0002-01-01"),
    ]

    @Test("months are counted by the calendar, to the month's last day at most", arguments: months)
    func counts(day: String, months: Int, expected: String) throws { #expect(try #require(Day(day)).adding(months: months).text == expected) }
}

extension Referent {
    fileprivate func coop(_ test: TestFederation) throws(DomainError) -> Coop {
        try test.federation.read { (connection) throws(DomainError) in try Coop.store.require(coopID, in: connection) }
    }
}
