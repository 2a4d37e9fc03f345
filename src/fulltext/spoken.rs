//! In which language a text or a question is, told by its little words: those that are in every text of a language and
//! say nothing.
//!
//! Those of a question are left out, with the English ones. In a collection of a few hundred texts they are rare enough
//! to outweigh what was meant ("wie viele" stands in questions, seldom in answers). Those of an article tell by whose
//! stems its words are indexed.

use std::{collections::HashMap, ops::Add, sync::LazyLock};

use super::{
    stems,
    stop_words::{self, is_one},
    tokens::{Reading, tokens},
};

/// Languages other than English, by the name of an index in them and by their code.
const OTHERS: [(&str, &str); 16] = [
    ("arabic", "ar"),
    ("danish", "da"),
    ("dutch", "nl"),
    ("finnish", "fi"),
    ("french", "fr"),
    ("german", "de"),
    ("greek", "el"),
    ("hungarian", "hu"),
    ("italian", "it"),
    ("norwegian", "no"),
    ("portuguese", "pt"),
    ("romanian", "ro"),
    ("russian", "ru"),
    ("spanish", "es"),
    ("swedish", "sv"),
    ("turkish", "tr"),
];
/// The place of English behind them.
const ENGLISH: usize = OTHERS.len();

/// So many words of a language tell that a question is in it: one may be a word of another.
const TELLING: usize = 2;
/// So many tell that an article is.
const TELLING_OF_AN_ARTICLE: usize = 3;
/// Of the words of an article in a language, one in so many at least is a little one. They are every second or third;
/// of a list or of code that has none, nothing is said.
const ONE_IN: usize = 10;
/// Vietnamese words with letters that no other language has, by which a question is told.
const TELLING_LETTERS: usize = 2;

/// The languages of each little word: a bit for each.
static LITTLE: LazyLock<HashMap<String, u32>> = LazyLock::new(|| {
    let mut little: HashMap<String, u32> = HashMap::new();
    for (place, (_, code)) in OTHERS.iter().enumerate() {
        for token in tokens(&::stop_words::lookup(code).unwrap_or_default().join(" ")) {
            *little.entry(token.word).or_default() |= 1 << place;
        }
    }
    for word in stop_words::ENGLISH {
        *little.entry((*word).to_owned()).or_default() |= 1 << ENGLISH;
    }
    little
});

/// A language other than English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language(usize);

impl Language {
    /// As an index calls it.
    pub(crate) fn name(self) -> &'static str {
        OTHERS[self.0].0
    }
}

/// How many little words there are of each language at the beginning of a text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    little: [usize; ENGLISH + 1],
    words: usize,
}

impl Counts {
    /// Counts the words at the beginning of a text.
    pub(super) fn of(text: &Reading<'_>) -> Self {
        let mut counts = Self::default();
        text.first_words(|word| counts.count(word));
        counts
    }

    fn count(&mut self, word: &str) {
        self.words += 1;
        let mut languages = LITTLE.get(word).copied().unwrap_or_default();
        while languages != 0 {
            self.little[languages.trailing_zeros() as usize] += 1;
            languages &= languages - 1;
        }
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let little = std::array::from_fn(|place| self.little[place] + other.little[place]);
        Self { little, words: self.words + other.words }
    }
}

/// The language that the folded words of a question are of, if it is known and another than English.
pub(crate) fn language<'w>(words: impl Iterator<Item = &'w str>) -> Option<Language> {
    let mut counts = Counts::default();
    words.for_each(|word| counts.count(word));
    let (most, place) = (0..ENGLISH).map(|place| (counts.little[place], place)).max()?;
    (most >= TELLING && most > counts.little[ENGLISH]).then_some(Language(place))
}

/// Whether a folded word of a question in `language` says nothing.
pub(super) fn says_nothing(language: Option<Language>, word: &str) -> bool {
    is_one(word) || language.is_some_and(|Language(place)| LITTLE.get(word).is_some_and(|of| of >> place & 1 == 1))
}

/// Whether a folded word says nothing in any language.
pub(crate) fn is_little(word: &str) -> bool {
    is_one(word) || LITTLE.contains_key(word)
}

/// The language whose stems the words of an article in Latin letters have: the one that its texts are clearly in,
/// `otherwise` if there is none.
pub(super) fn of_article(counts: Counts, otherwise: &'static str) -> &'static str {
    let name = |place: usize| if place == ENGLISH { "english" } else { OTHERS[place].0 };
    let latin = (0..=ENGLISH).filter(|place| stems::is_latin(name(*place)));
    let Some((most, place)) = latin.map(|place| (counts.little[place], place)).max() else { return otherwise };
    let of_the_other = (0..=ENGLISH).find(|place| name(*place) == otherwise).map_or(0, |place| counts.little[place]);
    // Half as many again: texts in two languages are not in one.
    let is_clear = most >= TELLING_OF_AN_ARTICLE && most * ONE_IN >= counts.words && 2 * most > 3 * of_the_other;
    if is_clear { name(place) } else { otherwise }
}

/// Whether a text is in Vietnamese, which writes a space behind every syllable.
pub(super) fn is_vietnamese(text: &str) -> bool {
    let tells = |c: char| matches!(c, 'ơ' | 'Ơ' | 'ư' | 'Ư' | '\u{1ea0}'..='\u{1ef9}');
    text.split_whitespace().filter(|word| word.contains(tells)).nth(TELLING_LETTERS - 1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(question: &str) -> Option<&'static str> {
        language(question.split(' ')).map(Language::name)
    }

    #[test]
    fn every_language_has_its_list() {
        for (place, (name, _)) in OTHERS.iter().enumerate() {
            let words = LITTLE.values().filter(|languages| **languages >> place & 1 == 1).count();
            assert!(words > 50, "{name}: {words}");
        }
    }

    #[test]
    fn a_question_tells_its_language_by_its_little_words() {
        assert_eq!(named("wie viele spiele hat er gewonnen"), Some("german"));
        assert_eq!(named("ou se trouve le fichier de configuration"), Some("french"));
        assert_eq!(named("как мне сделать копию базы"), Some("russian"));
        assert_eq!(named("why do cells die in the body"), None);
        assert_eq!(named("rust lifetimes"), None);
        assert_eq!(named("die hard"), None, "one word tells nothing");
        assert_eq!(named(""), None);
    }

    #[test]
    fn an_article_tells_its_language_and_a_list_or_a_mixture_does_not() {
        let counts = |text: &str| Counts::of(&Reading::of(text));
        let told = |text: &str, otherwise| of_article(counts("Title") + counts(text), otherwise);
        for (text, language) in [
            ("Die Katze ist heute nicht nach Hause gekommen.", "german"),
            ("El gato no ha vuelto a casa y la puerta está cerrada por la noche.", "spanish"),
            ("Le chat n'est pas rentré à la maison et la porte est fermée.", "french"),
            ("O gato não voltou para casa e a porta está fechada à noite.", "portuguese"),
            ("Il gatto non è tornato a casa e la porta è chiusa.", "italian"),
            ("Pisica nu a venit acasă și ușa este închisă pentru noapte.", "romanian"),
            ("De kat is vandaag niet naar huis gekomen en de deur is dicht.", "dutch"),
            ("Kissa ei ole tullut kotiin ja ovi on kiinni, kun yö on pimeä.", "finnish"),
            ("A macska ma nem jött haza, és az ajtó is zárva van.", "hungarian"),
            ("Katten kom inte hem i dag och dörren är stängd för natten.", "swedish"),
            ("Kedi bu gece eve gelmedi ve kapı daha çok kapalı kaldı, çünkü o da yok.", "turkish"),
            ("The cat has not come home and the door is closed.", "english"),
        ] {
            assert_eq!(told(text, "english"), language, "{text}");
            assert_eq!(told(text, "simple"), language, "{text}");
        }
        for text in [
            "Milch, Brot, Butter, Eier, Mehl",
            "The cat has not come home and it is late. Die Katze ist nicht nach Hause gekommen.",
            "fn main() { println!(\"{}\", la); }",
            "Mèo không về nhà và cửa đã đóng vào ban đêm, con chó nằm trong sân.",
            "Кошка не вернулась домой, и дверь была закрыта на ночь.",
            "",
        ] {
            assert_eq!(told(text, "english"), "english", "{text}");
        }
    }

    #[test]
    fn vietnamese_is_told_by_its_letters() {
        assert!(is_vietnamese("thủ đô của Việt Nam là gì"));
        assert!(!is_vietnamese("the history of Việt Nam") && !is_vietnamese("où est l'hôtel"));
    }
}
