//! Texts whose words have been read once: where a question's terms stand in them is looked up.

use std::{collections::HashMap, hash::BuildHasher, ops::Range, sync::LazyLock};

use super::{
    languages::Languages,
    tokens::{self, Kind},
};

/// The words of some texts, by what they may be in an index.
#[derive(Debug)]
pub(crate) struct ReadTexts {
    /// By the term, then by the place.
    words: Box<[Word]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    /// The hash of the term: two terms that share one are taken for each other, which does no harm.
    term: u32,
    /// Which of the texts.
    text: u16,
    /// *Units:* bytes.
    length: u16,
    /// Its first byte in the text.
    start: u32,
}

impl ReadTexts {
    /// Reads `texts`, of which there are at most 65,535.
    pub(crate) fn of<'t>(texts: impl Iterator<Item = &'t str>, languages: &Languages) -> Self {
        let mut known = HashMap::new();
        let mut words = Vec::new();
        for (number, text) in (0..u16::MAX).zip(texts) {
            add(number, text, languages, &mut known, &mut words);
        }
        words.sort_unstable_by_key(|word| (word.term, word.text, word.start));
        Self { words: words.into() }
    }

    /// Returns where `term` stands: which of the texts, and where in it.
    pub(super) fn places(&self, term: &str) -> impl Iterator<Item = (usize, Range<usize>)> {
        let term = hash(term);
        let first = self.words.partition_point(|word| word.term < term);
        let places = self.words[first..].iter().take_while(move |word| word.term == term);
        places.map(|word| {
            let start = word.start as usize;
            (usize::from(word.text), start..start + usize::from(word.length))
        })
    }
}

fn add<'t>(
    number: u16,
    text: &'t str,
    languages: &Languages,
    known: &mut HashMap<&'t str, Box<[u32]>>,
    words: &mut Vec<Word>,
) {
    tokens::each(text, |folded, range, kind| {
        if kind == Kind::Last {
            // A part of the pair before it.
            return;
        }
        let word = &folded.text[range.clone()];
        let origin = folded.origin(range);
        let mut add = |term: u32| words.extend(Word::at(term, number, &origin));
        if kind != Kind::Word {
            return add(hash(word));
        }
        let terms = known.entry(&text[origin.clone()]).or_insert_with_key(|written| {
            let mut terms: Vec<_> = languages.terms_of(word, written).map(|stem| hash(&stem)).collect();
            terms.sort_unstable();
            terms.dedup();
            terms.into()
        });
        terms.iter().copied().for_each(add);
    });
}

impl Word {
    /// `None` for what is no word by its length.
    fn at(term: u32, text: u16, range: &Range<usize>) -> Option<Self> {
        let (start, length) = (u32::try_from(range.start).ok()?, u16::try_from(range.len()).ok()?);
        Some(Self { term, text, length, start })
    }
}

/// Differs from process to process, so that nobody writes texts whose words share one.
fn hash(term: &str) -> u32 {
    static STATE: LazyLock<std::hash::RandomState> = LazyLock::new(Default::default);
    STATE.hash_one(term) as u32
}
