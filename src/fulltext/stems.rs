//! Words brought to their stems, by the language of their text for Latin letters and by the script for others.
//!
//! A stemmer of a language with accents is given the word with them, as it was made for, and what it answers is folded.
//!
//! In an article of another language than its collection's, a stem says of which: `past°it` is that of the Italian
//! pasta, and no English article about the past has it.
//!
//! *Source:* Porter, "Snowball: A language for stemming algorithms", 2001.

use std::{borrow::Cow, fmt};

use rust_stemmers::{Algorithm, Stemmer};

use super::fold::{self, FoldedText};

/// Of Turkish stems so many characters: suffixes of verbs are left, and words that begin so are forms of one. *Source:*
/// Can et al., "Information retrieval on Turkish texts", 2008, who cut words at the fifth; a stem has lost some
/// already. *Units:* characters.
const TURKISH: usize = 6;

/// A longer word is none, and has no stem. *Units:* bytes.
const MAX_WORD_BYTES: usize = 400;

/// Stands between a stem and the code of its language. No word has it.
const OF_LANGUAGE: char = '°';

/// The stemmers of a text.
pub(crate) struct Stems {
    name: &'static str,
    /// What stems of Latin words end with.
    ending: Option<String>,
    latin: Option<(Algorithm, Stemmer)>,
    cyrillic: Stemmer,
    greek: Stemmer,
    arabic: Stemmer,
    tamil: Stemmer,
}

/// Languages with stems of their own, written in Latin letters, and their codes; others are `simple`.
const LATIN: &[(&str, &str, Algorithm)] = &[
    ("danish", "da", Algorithm::Danish),
    ("dutch", "nl", Algorithm::Dutch),
    ("english", "en", Algorithm::English),
    ("finnish", "fi", Algorithm::Finnish),
    ("french", "fr", Algorithm::French),
    ("german", "de", Algorithm::German),
    ("hungarian", "hu", Algorithm::Hungarian),
    ("italian", "it", Algorithm::Italian),
    ("norwegian", "no", Algorithm::Norwegian),
    ("portuguese", "pt", Algorithm::Portuguese),
    ("romanian", "ro", Algorithm::Romanian),
    ("spanish", "es", Algorithm::Spanish),
    ("swedish", "sv", Algorithm::Swedish),
    ("turkish", "tr", Algorithm::Turkish),
];

/// Languages whose stems are known whatever a text's own language is: by their script.
const BY_SCRIPT: &[&str] = &["arabic", "greek", "russian", "tamil"];

/// Words as they are.
const SIMPLE: &str = "simple";

impl Stems {
    /// Those of a text in `language`, which is its collection's. Latin words of a language without a stemmer stay as
    /// they are; in a text in Russian, Greek, Arabic or Tamil they are taken for English.
    pub(crate) fn of(language: &str) -> Self {
        let latin = LATIN.iter().find(|(name, ..)| *name == language).copied();
        let script = BY_SCRIPT.iter().find(|name| **name == language).copied();
        let algorithm = latin.map(|(.., algorithm)| algorithm).or(script.map(|_| Algorithm::English));
        Self {
            name: latin.map(|(name, ..)| name).or(script).unwrap_or(SIMPLE),
            ending: None,
            latin: algorithm.map(|algorithm| (algorithm, Stemmer::create(algorithm))),
            cyrillic: Stemmer::create(Algorithm::Russian),
            greek: Stemmer::create(Algorithm::Greek),
            arabic: Stemmer::create(Algorithm::Arabic),
            tamil: Stemmer::create(Algorithm::Tamil),
        }
    }

    /// Those of a text in `language`, which is another than its collection's.
    pub(crate) fn of_other(language: &str) -> Self {
        let code = LATIN.iter().find(|(name, ..)| *name == language).map(|(_, code, _)| code);
        Self { ending: code.map(|code| format!("{OF_LANGUAGE}{code}")), ..Self::of(language) }
    }

    /// The language.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether accents tell the stemmer something.
    pub(super) fn read_accents(&self) -> bool {
        !matches!(self.latin, None | Some((Algorithm::English, _)))
    }

    /// What stands in an index for a folded word, which is `written` so in its text.
    pub(crate) fn term<'w>(&self, word: &'w str, written: &str) -> Cow<'w, str> {
        self.marked(self.stem(word, written))
    }

    /// A stem as a term of theirs.
    pub(super) fn marked<'s>(&self, stem: Cow<'s, str>) -> Cow<'s, str> {
        match &self.ending {
            Some(ending) if stem.starts_with(|first: char| first.is_ascii_lowercase()) => {
                Cow::Owned(stem.into_owned() + ending)
            }
            _ => stem,
        }
    }

    /// Whether they make the same terms as others do.
    pub(super) fn are_those(&self, others: &Self) -> bool {
        (self.name, &self.ending) == (others.name, &others.ending)
    }

    /// The folded stem of a folded word; the word itself if it has none.
    fn stem<'w>(&self, word: &'w str, written: &str) -> Cow<'w, str> {
        if word.len() > MAX_WORD_BYTES || word.bytes().any(|byte| byte.is_ascii_digit()) {
            return Cow::Borrowed(word);
        }
        let stemmer = match word.chars().next() {
            Some('a'..='z') => match &self.latin {
                Some((Algorithm::English, stemmer)) => stemmer,
                Some((algorithm, stemmer)) => return latin(*algorithm, stemmer, word, written),
                None => return Cow::Borrowed(word),
            },
            Some('\u{400}'..='\u{52f}') => &self.cyrillic,
            Some('\u{370}'..='\u{3ff}') => &self.greek,
            Some('\u{600}'..='\u{6ff}') => &self.arabic,
            Some('\u{b80}'..='\u{bff}') => &self.tamil,
            _ => return Cow::Borrowed(word),
        };
        let stem = stemmer.stem(word);
        if stem.is_empty() { Cow::Borrowed(word) } else { stem }
    }
}

impl fmt::Debug for Stems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stems").field("name", &self.name).field("ending", &self.ending).finish_non_exhaustive()
    }
}

/// The stem of a term, whatever language it is of.
pub(crate) fn stem_of(term: &str) -> &str {
    term.split(OF_LANGUAGE).next().unwrap_or(term)
}

/// The folded stem of a word in Latin letters, other than English.
fn latin<'w>(algorithm: Algorithm, stemmer: &Stemmer, word: &'w str, written: &str) -> Cow<'w, str> {
    let spelt = match algorithm {
        Algorithm::Turkish => {
            let written: String = written.chars().map(|c| if c == 'I' { 'ı' } else { c }).collect();
            fold::written(&written).replace("i\u{307}", "i")
        }
        _ if written.is_ascii() => word.to_owned(),
        // The stemmer knows the letters that were written before computers had their own.
        Algorithm::Romanian => fold::written(written).replace('ș', "ş").replace('ț', "ţ"),
        _ => fold::written(written),
    };
    let mut stem = FoldedText::of(&stemmer.stem(&spelt)).text;
    if algorithm == Algorithm::Turkish
        && let Some((end, _)) = stem.char_indices().nth(TURKISH)
    {
        stem.truncate(end);
    }
    if stem.is_empty() { Cow::Borrowed(word) } else { Cow::Owned(stem) }
}

/// Whether an index can be in `language`.
pub(crate) fn is_known(language: &str) -> bool {
    language == SIMPLE || BY_SCRIPT.contains(&language) || LATIN.iter().any(|(name, ..)| *name == language)
}

/// Whether `language` has stems for words in Latin letters.
pub(super) fn is_latin(language: &str) -> bool {
    LATIN.iter().any(|(name, ..)| *name == language)
}

/// All languages that an index can be in.
pub(crate) fn languages() -> Vec<&'static str> {
    let mut all: Vec<_> =
        LATIN.iter().map(|(name, ..)| *name).chain(BY_SCRIPT.iter().copied()).chain([SIMPLE]).collect();
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(language: &str, words: &str) -> Vec<String> {
        let stems = Stems::of(language);
        words.split(' ').map(|word| stems.stem(&FoldedText::of(word).text, word).into_owned()).collect()
    }

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for (language, forms) in [
            ("dutch", "boek boeken"),
            ("french", "UNIVERSITÉ université universités universite\u{301}"),
            ("german", "Häuser Haus HÄUSER"),
            ("greek", "βιβλίο ΒΙΒΛΊΟ βιβλιο"),
            ("hungarian", "házból házhoz HÁZRÓL"),
            ("italian", "libro libri"),
            ("portuguese", "informação informações"),
            ("romanian", "informaţie informație informaţii"),
            ("russian", "книга книги книгой"),
            ("spanish", "información informaciones INFORMACIÓN"),
            ("swedish", "böcker böckerna"),
            ("turkish", "kitap kitaplar kitapları KİTAPLAR"),
        ] {
            let mut found = stems(language, forms);
            found.dedup();
            assert_eq!(found.len(), 1, "{language}: {found:?}");
        }
    }

    #[test]
    fn a_stem_is_folded() {
        assert_eq!(stems("french", "Éléphants"), ["eleph"]);
        assert_eq!(stems("turkish", "Irak ışık"), ["irak", "isik"]);
        assert_eq!(stems("simple", "Éléphants"), ["elephants"]);
    }
}
