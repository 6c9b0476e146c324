/// What became of an event at a webhook.
package struct Delivery: Sendable {
    package enum State: String, Sendable, CaseIterable {
        case delivered
        /// To be tried at a time.
        case waiting
        /// Behind another event of the same record, at an ordered webhook.
        case held
        /// Given up; to be sent again by hand.
        case dead
    }

    /// One request and what came of it.
    package struct Attempt: Sendable {
        package let at: Timestamp
        package let milliseconds: Int
        /// Of the answer; nil where none came.
        package let status: Int?
        /// Why it failed; nil where it did not.
        package let error: String?
        /// The first KiB of the answer.
        package let answer: String?

        package init(at: Timestamp, milliseconds: Int, status: Int?, error: String?, answer: String?) {
            self.at = at
            self.milliseconds = milliseconds
            self.status = status
            self.error = error
            self.answer = answer
        }
    }

    package let event: Event
    package let state: State
    package let attempts: Int
    package let next: Timestamp?
    package let last: Attempt
}
