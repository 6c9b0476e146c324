import Domain
import JSON
import SQLite
let f = try Federation(directory: CommandLine.arguments[1])
let json = try JSON.parse(Array(#"{"slug":"a-casa","name":"A Casa Cumuna","department_code":"2B","membership":"member"}"#.utf8))
let d = try Draft<Coop>(json, for: .create)
let c = try f.perform { (tx) throws(DomainError) in try Coop.store.create(d, by: .operatorItself, in: tx) }
print(c.record.id, String(decoding: try f.document(of: c.record.id, for: .anonymous).bytes, as: UTF8.self))
f.close()
