//! How words go on whose beginning was written: a stem may end before it (`happine*` is to find happi, the stem of
//! happiness).
//!
//! A beginning may end anywhere in a suffix, and is completed by what is left of it. What the stemmer makes of the
//! whole is looked for, so that a suffix that does not belong to the word finds nothing.

mod suffixes;

use std::collections::BTreeSet;

use self::suffixes::suffixes;
use super::{
    fold::FoldedText,
    tokens::{Kind, Token},
};

/// The words that `start` may be the beginning of, as far as their suffixes tell; it itself is the first.
pub(super) fn completed(language: &str, start: &Token) -> impl Iterator<Item = Token> {
    let mut rests = BTreeSet::from([""]);
    for suffix in suffixes(language, &start.word) {
        for (at, _) in suffix.char_indices() {
            if start.word.ends_with(&FoldedText::of(&suffix[..at]).text) {
                // It may end with any part of the suffix, too: -ation in -ational.
                let rest = &suffix[at..];
                rests.extend(rest.char_indices().skip(1).map(|(end, _)| &rest[..end]).chain([rest]));
            }
        }
    }
    rests.into_iter().map(|rest| Token {
        word: format!("{}{}", start.word, FoldedText::of(rest).text),
        written: format!("{}{rest}", start.written),
        range: start.range.clone(),
        kind: Kind::Word,
    })
}
