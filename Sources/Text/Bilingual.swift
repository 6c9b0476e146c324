/// A text that a person may see, in both languages of the federation.
package struct Bilingual: Sendable, Equatable {
    package let en: String
    package let fr: String

    package init(en: String, fr: String) {
        self.en = en
        self.fr = fr
    }

    package subscript(_ language: Language) -> String { language == .fr ? fr : en }
}

package enum Language: String, Sendable { case en, fr }
