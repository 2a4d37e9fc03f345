//! Words brought to their stems, by the language of the index for Latin letters and by the script for others.
//!
//! *Source:* Porter, "Snowball: A language for stemming algorithms", 2001.

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};

/// The stemmers of an index.
pub(crate) struct Stems {
    latin: Option<Stemmer>,
    cyrillic: Stemmer,
    greek: Stemmer,
    arabic: Stemmer,
    tamil: Stemmer,
}

/// Languages with stems of their own, written in Latin letters; others are `simple`.
const LATIN: &[(&str, Algorithm)] = &[
    ("danish", Algorithm::Danish),
    ("dutch", Algorithm::Dutch),
    ("english", Algorithm::English),
    ("finnish", Algorithm::Finnish),
    ("french", Algorithm::French),
    ("german", Algorithm::German),
    ("hungarian", Algorithm::Hungarian),
    ("italian", Algorithm::Italian),
    ("norwegian", Algorithm::Norwegian),
    ("portuguese", Algorithm::Portuguese),
    ("romanian", Algorithm::Romanian),
    ("spanish", Algorithm::Spanish),
    ("swedish", Algorithm::Swedish),
    ("turkish", Algorithm::Turkish),
];

/// Languages whose stems an index knows whatever its own language is: by their script.
const BY_SCRIPT: &[&str] = &["arabic", "greek", "russian", "tamil"];

impl Stems {
    /// Those of an index in `language`. Latin words of a language without a stemmer stay as they are; in an index of Russian,
    /// Greek, Arabic or Tamil they are taken for English.
    pub(crate) fn of(language: &str) -> Self {
        let known = LATIN.iter().find(|(name, _)| *name == language).map(|(_, algorithm)| *algorithm);
        let latin = known.or_else(|| BY_SCRIPT.contains(&language).then_some(Algorithm::English));
        Self {
            latin: latin.map(Stemmer::create),
            cyrillic: Stemmer::create(Algorithm::Russian),
            greek: Stemmer::create(Algorithm::Greek),
            arabic: Stemmer::create(Algorithm::Arabic),
            tamil: Stemmer::create(Algorithm::Tamil),
        }
    }

    /// The stem of a folded word; the word itself if it has none.
    pub(crate) fn stem<'w>(&self, word: &'w str) -> Cow<'w, str> {
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            return Cow::Borrowed(word);
        }
        let stemmer = match word.chars().next() {
            Some('a'..='z') => self.latin.as_ref(),
            Some('\u{400}'..='\u{52f}') => Some(&self.cyrillic),
            Some('\u{370}'..='\u{3ff}') => Some(&self.greek),
            Some('\u{600}'..='\u{6ff}') => Some(&self.arabic),
            Some('\u{b80}'..='\u{bff}') => Some(&self.tamil),
            _ => None,
        };
        let stem = stemmer.map_or(Cow::Borrowed(word), |stemmer| stemmer.stem(word));
        if stem.is_empty() { Cow::Borrowed(word) } else { stem }
    }
}

/// Whether an index can be in `language`.
pub(crate) fn is_known(language: &str) -> bool {
    language == "simple" || BY_SCRIPT.contains(&language) || LATIN.iter().any(|(name, _)| *name == language)
}

/// All languages that an index can be in.
pub(crate) fn languages() -> Vec<&'static str> {
    let mut all: Vec<_> =
        LATIN.iter().map(|(name, _)| *name).chain(BY_SCRIPT.iter().copied()).chain(["simple"]).collect();
    all.sort_unstable();
    all
}
