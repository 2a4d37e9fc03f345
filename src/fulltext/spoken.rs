//! Words of a question that say nothing, in its own language.
//!
//! A question is asked in one language, and its little words tell in which: those of that language are left out with the
//! English ones. In a collection of a few hundred texts they are rare enough to outweigh what was meant ("wie viele" stands in
//! questions, seldom in answers).

use std::{collections::HashSet, sync::LazyLock};

use super::{stems::Stems, stop_words::is_one, tokens::tokens};

/// Other languages, by the name of an index in them and by their code.
const OTHERS: &[(&str, &str)] = &[
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

/// So many words of a language tell that a question is in it: one may be a word of another.
const TELLING: usize = 2;

/// The words of one language that say nothing.
#[derive(Debug)]
pub(crate) struct Language {
    /// As an index calls it.
    pub(crate) name: &'static str,
    words: HashSet<String>,
}

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let plain = Stems::of("simple");
    let language = |&(name, code): &(&'static str, &str)| {
        let listed = ::stop_words::lookup(code).unwrap_or_default().join(" ");
        Language { name, words: tokens(&listed, &plain).into_iter().map(|token| token.word).collect() }
    };
    OTHERS.iter().map(language).collect()
});

/// The language that folded `words` are of, if it is known and another than English.
pub(crate) fn language<'w>(words: impl Iterator<Item = &'w str> + Clone) -> Option<&'static Language> {
    let count = |is_one: &dyn Fn(&str) -> bool| words.clone().filter(|word| is_one(word)).count();
    let english = count(&|word| is_one(word));
    let others = LANGUAGES.iter().map(|language| (count(&|word| language.words.contains(word)), language));
    let (most, language) = others.max_by_key(|(count, _)| *count)?;
    (most >= TELLING && most > english).then_some(language)
}

/// Whether a folded word of a question in `language` says nothing.
pub(super) fn says_nothing(language: Option<&Language>, word: &str) -> bool {
    is_one(word) || language.is_some_and(|language| language.words.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(question: &str) -> Option<&'static str> {
        language(question.split(' ')).map(|language| language.name)
    }

    #[test]
    fn every_language_has_its_list() {
        for Language { name, words } in LANGUAGES.iter() {
            assert!(words.len() > 50, "{name}: {}", words.len());
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
}
