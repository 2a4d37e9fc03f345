//! Words that are written together in some texts and apart in others: `useEffect`, `use effect`, `use-effect`,
//! `10.0.0.1`.

use std::ops::Range;

use super::{
    languages::Languages,
    phrase::Phrase,
    spoken,
    tokens::{Kind, Token, tokens},
};

/// Parts that a name has at most: hashes have more.
const MAX_PARTS: usize = 5;
/// Names of a question that are looked for by their parts, and as they stand together.
pub(super) const MAX_NAMES: usize = 20;
/// Words that marks join to one name at most.
const MAX_JOINED: usize = 12;
/// Words at the beginning of a question of which neighbours are looked for as one.
const LOOKED_AT: usize = 12;
/// Neighbours that are one word at most.
const MAX_NEIGHBOURS: usize = 4;
/// Longer ones are no units. *Units:* characters.
const LONGEST_UNIT: usize = 3;
/// Longer ones are no words. *Units:* characters.
const MAX_WORD_CHARS: usize = 40;

/// Something to look for: what it may be in an index, and as it was written.
pub(super) type JoinedTerm = (Vec<Phrase>, String);

/// Parts of a question that are joined by marks, as phrases: an address or a version is more than its numbers.
pub(super) fn by_marks(text: &str, found: &[Token], languages: &Languages) -> Vec<JoinedTerm> {
    let joins = |pair: &[Token]| {
        let gap = text.get(pair[0].range.end..pair[1].range.start).unwrap_or_default();
        // Two words are written with a hyphen, without and as one, and it says nothing more: Cranfield loses .004 by
        // it.
        let is_hyphen = gap == "-" && !pair.iter().any(|token| token.word.contains(|c: char| c.is_numeric()));
        !gap.is_empty()
            && !is_hyphen
            && gap.chars().all(|c| matches!(c, '.' | '-' | ':' | '/' | '_' | '@' | '&' | '>' | '='))
    };
    let mut joined: Vec<Range<usize>> = Vec::new();
    for (at, pair) in found.windows(2).enumerate() {
        if !joins(pair) {
            continue;
        }
        match joined.last_mut() {
            Some(last) if last.end == at + 1 => last.end = at + 2,
            _ => joined.push(at..at + 2),
        }
    }
    let mut wanted: Vec<JoinedTerm> = Vec::new();
    let names = joined.into_iter().filter(|range| range.len() <= MAX_JOINED);
    for tokens in names.map(|range| &found[range]).take(MAX_NAMES) {
        let written = &text[tokens[0].range.start..tokens[tokens.len() - 1].range.end];
        let mut phrases = languages.phrases(written);
        if let Some(number) = version(written) {
            phrases.extend(languages.phrases(number));
        }
        let one = (phrases, written.to_owned());
        if !wanted.contains(&one) {
            wanted.push(one);
        }
    }
    wanted
}

/// The number of a version that is written with a `v`: many texts have it without.
fn version(written: &str) -> Option<&str> {
    written.strip_prefix(['v', 'V']).filter(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

/// What a word is if its parts are written apart: `useEffect` as "use effect", `rfc9110` as "rfc 9110".
pub(super) fn apart(token: &Token, languages: &Languages) -> Vec<Phrase> {
    let parts = parts(&token.written);
    if token.kind != Kind::Word || !(2..=MAX_PARTS).contains(&parts.len()) {
        return Vec::new();
    }
    languages.phrases(&parts.join(" "))
}

/// The parts of a name, which begin with a capital letter, or where digits begin or end.
fn parts(written: &str) -> Vec<&str> {
    let letters: Vec<(usize, char)> = written.char_indices().collect();
    let (mut parts, mut from) = (Vec::new(), 0);
    for (at, pair) in letters.windows(2).enumerate() {
        let (one, (place, other)) = (pair[0].1, pair[1]);
        let next = letters.get(at + 2).map(|(_, next)| *next);
        let is_word = one.is_lowercase() && other.is_uppercase();
        let is_behind_capitals = one.is_uppercase() && other.is_uppercase() && next.is_some_and(char::is_lowercase);
        let is_number = one.is_alphabetic() && other.is_ascii_digit() || one.is_ascii_digit() && other.is_alphabetic();
        if is_word || is_behind_capitals || is_number {
            parts.push(&written[from..place]);
            from = place;
        }
    }
    parts.push(&written[from..]);
    parts
}

/// Neighbours in a question that may be one word in articles: `use effect` as useeffect. Most are none.
pub(super) fn neighbours(text: &str, languages: &Languages) -> Vec<JoinedTerm> {
    if spoken::is_vietnamese(text) {
        return Vec::new();
    }
    let found: Vec<_> = tokens(text).into_iter().take(LOOKED_AT).collect();
    let says_something = |token: &Token| token.kind == Kind::Word && !spoken::is_little(&token.word);
    let mut wanted: Vec<JoinedTerm> = Vec::new();
    for count in 2..=MAX_NEIGHBOURS {
        for words in found.windows(count) {
            let telling = words.iter().filter(|token| says_something(token)).count();
            // Two of which one says nothing are a word by chance: "a part", "in form".
            let is_name = telling == count || telling > 0 && count > 2 || is_quantity(words);
            let word: String = words.iter().map(|token| token.word.as_str()).collect();
            // 1.5 is not 15.
            let (ends, begins) =
                (|word: &str| word.ends_with(char::is_numeric), |word: &str| word.starts_with(char::is_numeric));
            if words.windows(2).any(|pair| ends(&pair[0].word) && begins(&pair[1].word)) {
                continue;
            }
            if !is_name || words.iter().any(|token| token.kind != Kind::Word) || word.chars().count() > MAX_WORD_CHARS {
                continue;
            }
            let Ok([token]) = <[Token; 1]>::try_from(tokens(&word)) else { continue };
            let one = (languages.alternatives(&token), word);
            if !wanted.contains(&one) {
                wanted.push(one);
            }
        }
    }
    wanted
}

/// A number and its unit, which may be a little word elsewhere: 16 A, 230 V.
fn is_quantity(words: &[Token]) -> bool {
    let [number, unit] = words else { return false };
    let is_unit = unit.word.chars().count() <= LONGEST_UNIT && unit.word.chars().all(char::is_alphabetic);
    is_unit && number.word.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_parts() {
        assert_eq!(parts("useEffect"), ["use", "Effect"]);
        assert_eq!(parts("XMLHttpRequest"), ["XML", "Http", "Request"]);
        assert_eq!(parts("rfc9110"), ["rfc", "9110"]);
        assert_eq!(parts("maxRetryCount2"), ["max", "Retry", "Count", "2"]);
        assert_eq!(parts("HTTP"), ["HTTP"]);
        assert_eq!(parts("Straße"), ["Straße"]);
    }

    #[test]
    fn words_that_marks_join_are_looked_for_together() {
        let languages = Languages::of("english", [].into_iter());
        let words = |text: &str| -> Vec<String> {
            let found: Vec<_> = tokens(text);
            by_marks(text, &found, &languages).into_iter().map(|(_, word)| word).collect()
        };
        assert_eq!(words("ping 10.0.0.1 or user@host.example now"), ["10.0.0.1", "user@host.example"]);
        assert_eq!(words("v4.13.2, 2>&1; std::vec don't a - b"), ["v4.13.2", "2>&1", "std::vec"]);
        assert_eq!(words("RFC-9110 and 2026-11-27"), ["RFC-9110", "2026-11-27"]);
        assert!(words("several words, none joined, of a boundary-layer").is_empty());
    }

    #[test]
    fn a_version_is_one_without_its_letter_too() {
        let languages = Languages::of("english", [].into_iter());
        let of = |text: &str| by_marks(text, &tokens(text), &languages).remove(0).0;
        assert!(of("v1.94.0").contains(&of("1.94.0")[0]) && !of("x1.94.0").contains(&of("1.94.0")[0]));
    }

    #[test]
    fn neighbours_that_say_something_may_be_one_word() {
        let languages = Languages::of("english", [].into_iter());
        let words =
            |text: &str| -> Vec<String> { neighbours(text, &languages).into_iter().map(|(_, word)| word).collect() };
        assert_eq!(words("use effect"), ["useeffect"]);
        assert_eq!(words("get user by id"), ["getuserby", "userbyid", "getuserbyid"]);
        assert!(words("a part in form").iter().all(|word| word != "apart" && word != "inform"));
        assert_eq!(words("16 A"), ["16a"], "a unit says something behind a number");
        assert_eq!(words("230 V"), ["230v"]);
        assert!(words("in to the").is_empty() && words("a 16").is_empty());
        assert!(words("1.5 10.0.0.1").is_empty(), "numbers are no parts of one");
    }
}
