import SQLite
import Synchronization
import Text

extension Retention {
    /// How long something is kept. The standard is what the federation has told people; another one is kept with the data, since
    /// every program that opens them has to go by the same.
    package enum Term: String, Sendable, CaseIterable {
        /// Name and contact of a referent, after the end of the mandate.
        case referentMonths = "referent_months"
        /// Notes of an appointment file, after its closing.
        case appointmentMonths = "appointment_months"

        /// Who had a seat, after the session.
        case registrationDays = "registration_days"
        /// Who had none, after the session.
        case waitlistDays = "waitlist_days"
        /// A volunteer who leads groups, after the last session.
        case facilitatorMonths = "facilitator_months"

        package var standard: Int {
            switch self {
            case .registrationDays: 90
            case .waitlistDays: 30
            case .facilitatorMonths: 6
            case .referentMonths, .appointmentMonths: 12
            }
        }

        package var range: ClosedRange<Int> {
            switch self {
            case .registrationDays: 30...365
            case .waitlistDays: 1...365
            case .facilitatorMonths: 1...60
            case .referentMonths, .appointmentMonths: 1...120
            }
        }
    }

    package struct Terms: Sendable, Equatable {
        private var others: [Term: Int] = [:]

        package init() {}

        package internal(set) subscript(_ term: Term) -> Int {
            get { others[term] ?? term.standard }
            set { others[term] = newValue }
        }

        static func load(from connection: Connection) throws(DatabaseError) -> Terms {
            var terms = Terms()
            for (name, value) in try connection.all("SELECT name, value FROM retention_term", [], { ($0.text(0), $0.integer(1)) }) {
                if let term = Term(rawValue: name) { terms[term] = Int(truncatingIfNeeded: value) }
            }
            return terms
        }
    }
}

extension Federation {
    package var retentionTerms: Retention.Terms { terms.withLock { $0 } }

    /// Keeps something longer or shorter from now on; the next run forgets what that makes due.
    ///
    /// - Throws: `.invalid` beyond the term's range.
    package func setTerm(_ term: Retention.Term, to value: Int) throws(DomainError) {
        guard term.range.contains(value) else {
            let (least, most) = (term.range.lowerBound, term.range.upperBound)
            throw .invalid([Fault("#/value", "number.range", en: "must be a whole number from \(least) to \(most)", fr: "doit être un nombre entier de \(least) à \(most)")])
        }
        try perform { (tx) throws(DomainError) in
            try storing { () throws(DatabaseError) in
                try tx.connection.run(
                    "INSERT INTO retention_term (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    [.text(term.rawValue), .integer(Int64(value))])
            }
            tx.afterCommit { [self] in terms.withLock { $0[term] = value } }
        }
    }
}
