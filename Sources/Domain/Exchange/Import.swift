import SQLite
import Synchronization
import Text

/// Brings files into a federation: the three files of the sample data, and CSV of co-ops, sites and referents.
///
/// All files of a call are one transaction through the ordinary rules and the feed: all of it is there afterwards, or nothing. A
/// second run changes nothing. Existing records are found by slug, sites by co-op and name, referents by id where the file
/// has it, else by co-op, names and first day.
package enum Import {
    /// Waits for the writer.
    ///
    /// - Parameter dryRun: does the work and takes it back.
    /// - Parameter progress: called with the rows done and their number, now on this thread and then on the writer's.
    /// - Throws: `.faults` with every bad row of all files; `.domain` where the server can't write at all.
    package static func run(
        _ files: [ImportFile], dryRun: Bool = false, into federation: Federation, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(ImportFailure) -> ImportReport {
        let work = Work(files, dryRun: dryRun, progress: progress)
        let result: Result<ImportReport, DomainError>
        do throws(DomainError) {
            result = .success(try federation.perform(as: .undoing, work.perform))
        } catch { result = .failure(error) }
        return try work.conclude(result).get()
    }

    /// The same without waiting: `done` is called as by `Federation.write`.
    package static func begin(
        _ files: [ImportFile], dryRun: Bool = false, into federation: Federation, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in },
        done: @escaping @Sendable (Result<ImportReport, ImportFailure>) -> Void
    ) {
        let work = Work(files, dryRun: dryRun, progress: progress)
        federation.write(as: .undoing, work.perform) { done(work.conclude($0)) }
    }

    /// One import, from its files to what became of them.
    private final class Work: Sendable {
        private let plan: ImportPlan
        private let isDry: Bool
        private let progress: @Sendable (Int, Int) -> Void
        /// What a transaction that is taken back leaves.
        private let outcome = Mutex<Result<ImportReport, ImportFailure>?>(nil)

        init(_ files: [ImportFile], dryRun: Bool, progress: @escaping @Sendable (Int, Int) -> Void) {
            plan = ImportPlan(files)
            isDry = dryRun
            self.progress = progress
        }

        func perform(_ tx: Transaction) throws(DomainError) -> ImportReport {
            var session = ImportSession(faults: plan.faults, leftOut: plan.leftOut)
            let rows = plan.inOrder
            progress(0, rows.count)
            for (index, row) in rows.enumerated() where !session.faults.isFull {
                try row.bring(into: &session, in: tx)
                if (index + 1) % 500 == 0 { progress(index + 1, rows.count) }
            }
            progress(rows.count, rows.count)
            session.report.notes = plan.notes + session.notes
            if !session.faults.isEmpty { try takeBack(.failure(.faults(session.faults.inOrder))) }
            if isDry { try takeBack(.success(session.report)) }
            return session.report
        }

        /// Keeps what came out, and lets the writer undo the work as it does for any error.
        private func takeBack(_ result: Result<ImportReport, ImportFailure>) throws(DomainError) -> Never {
            outcome.withLock { $0 = result }
            throw .conflict(code: "import.taken-back", Bilingual(en: "Nothing was imported.", fr: "Rien n'a été importé."))
        }

        func conclude(_ result: Result<ImportReport, DomainError>) -> Result<ImportReport, ImportFailure> {
            switch result {
            case .success(let report): .success(report)
            case .failure(.conflict(code: "import.taken-back", _, _)): outcome.withLock { $0 } ?? .failure(.domain(.busy))
            case .failure(let error): .failure(.domain(error))
            }
        }
    }
}
