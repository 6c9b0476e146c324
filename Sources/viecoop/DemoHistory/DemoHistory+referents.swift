import Domain
import JSON

extension DemoHistory {
    /// A post falls vacant, is searched for in seven steps, and filled.
    func liveReferents(_ index: Int, in tx: Transaction) throws(DomainError) {
        let house = houses[index]
        if house.search != nil { try search(index, in: tx) }
        guard let mandate = houses[index].mandate else {
            if houses[index].search == nil, dice.permille(20 + house.zeal * 8) { try open(index, in: tx) }
            return
        }
        if !house.isTrained, dice.permille(30) {
            try tell(in: tx) { () throws(DomainError) in try change(mandate, [("trained_on", .string(tx.now.day.text))], in: tx) }
            houses[index].isTrained = true
        }
        if dice.permille(6), houses[index].search == nil {
            try tell(in: tx) { () throws(DomainError) in try step(mandate, to: "ended", in: tx) }
            (houses[index].mandate, houses[index].isTrained) = (nil, false)
        }
    }

    private func open(_ index: Int, in tx: Transaction) throws(DomainError) {
        let coop = houses[index].coop.id.text
        let file = try tell(in: tx) { () throws(DomainError) in try add(AppointmentFile.self, [("coop_id", .string(coop))], in: tx).id }
        if let file { houses[index].search = (file, 0, nil) }
    }

    private func search(_ index: Int, in tx: Transaction) throws(DomainError) {
        guard var search = houses[index].search, dice.permille(380) else { return }
        let steps = AppointmentFile.Step.allCases
        if search.step < 3, dice.permille(25) {
            houses[index].search = nil
            let end = try Transition<AppointmentFile.Status>(Self.object([("to", .string("abandoned"))]), taking: AppointmentFile.transitionFields)
            try tell(in: tx) { () throws(DomainError) in _ = try AppointmentFile.store.transition(search.file, end, expecting: .any, by: .operatorItself, in: tx) }
            return
        }
        let patch = try Draft<AppointmentFile>(Self.object([("\(steps[search.step].rawValue)_on", .string(tx.now.day.text))]), for: .patch)
        try tell(in: tx) { () throws(DomainError) in _ = try AppointmentFile.store.update(search.file, with: patch, expecting: .any, by: .operatorItself, in: tx) }
        search.step += 1
        houses[index].search = search.step == steps.count || (search.step > 5 && dice.permille(200)) ? nil : search
        if search.step == 5 { try appoint(index, search.file, in: tx) }
    }

    /// The new mandate begins, and the file is closed with it.
    private func appoint(_ index: Int, _ file: Identifier<AppointmentFile>, in tx: Transaction) throws(DomainError) {
        let (given, family) = person()
        let coop = houses[index].coop.id.text
        let mandate = try tell(in: tx) { () throws(DomainError) in
            let mandate = try add(
                Referent.self,
                [
                    ("coop_id", .string(coop)), ("given_name", .string(given)), ("family_name", .string(family)), ("status", .string("active")),
                    ("is_primary", .bool(true)), ("started_on", .string(tx.now.day.text)),
                ], in: tx)
            let end = try Transition<AppointmentFile.Status>(
                Self.object([("to", .string("appointed")), ("referent_id", .string(mandate.id.text))]), taking: AppointmentFile.transitionFields)
            _ = try AppointmentFile.store.transition(file, end, expecting: .any, by: .operatorItself, in: tx)
            return mandate.id
        }
        houses[index].mandate = mandate
        houses[index].isTrained = false
    }

    private func change(_ id: Identifier<Referent>, _ members: [(String, JSON)], in tx: Transaction) throws(DomainError) {
        _ = try Referent.store.update(id, with: Draft<Referent>(Self.object(members), for: .patch), expecting: .any, by: .operatorItself, in: tx)
    }

    private func step(_ id: Identifier<Referent>, to state: String, in tx: Transaction) throws(DomainError) {
        let step = try Transition<Referent.Status>(Self.object([("to", .string(state))]), taking: Referent.transitionFields)
        _ = try Referent.store.transition(id, step, expecting: .any, by: .operatorItself, in: tx)
    }
}
