//! A text as terms: what is written to the index, and looked for in it. The same for both engines.
//!
//! A word is a term, brought to its stem. Scripts without spaces are taken in overlapping runs, because no dictionary
//! knows where their words end: pairs of characters of large scripts (备份数据 is 备份, 份数, 数据), threes of small ones, as
//! Thai, of which a pair says too little. What is shorter at the end stands once more by itself, so that it is found as
//! the beginning of a term. A symbol (an emoji, an arrow, the sign of a sum or of a currency) is a term.

use std::{collections::HashMap, ops::Range};

use unicode_normalization::char::is_combining_mark;

use super::{fold::FoldedText, stems::Stems, stop_words, terms::Terms};

/// A word is compared by so many of its characters.
const MAX_TERM_CHARS: usize = 100;
/// A term is compared by so much of itself, whatever marks its characters have: PostgreSQL takes none of two kilobytes.
/// *Units:* bytes.
const LONGEST_BYTES: usize = 1_000;
/// So much of a text tells its language. *Units:* bytes.
const LANGUAGE_SAMPLE_BYTES: usize = 16 << 10;

/// A part of a text that is a term, or becomes one by its stem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Folded.
    pub(crate) word: String,
    /// As it stands in the text.
    pub(crate) written: String,
    /// Where it stands. *Units:* bytes.
    pub(crate) range: Range<usize>,
    pub(crate) kind: Kind,
}

impl Token {
    /// Whether it says nothing by itself: a word that is in every text, or a single character.
    pub(crate) fn is_common(&self) -> bool {
        matches!(self.kind, Kind::Last | Kind::Single) || stop_words::is_one(&self.word)
    }
}

/// How a term was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word between others.
    Word,
    /// Two or three characters of a script without spaces.
    Run,
    /// What is shorter than that, at the end.
    Last,
    /// The same, if there is nothing else.
    Single,
    /// A symbol.
    Symbol,
}

/// The words of `text`, in order, each with its place.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    each(text, |folded, range, kind| {
        let word = folded.text[range.clone()].to_owned();
        let range = folded.origin(range);
        tokens.push(Token { word, written: text[range.clone()].to_owned(), range, kind });
    });
    tokens
}

/// Gives `to` each word of `text`, not yet brought to its stem: the folded text, its place there, and what it is.
pub(super) fn each(text: &str, mut to: impl FnMut(&FoldedText, Range<usize>, Kind)) {
    let folded = FoldedText::of(text);
    each_term(&folded.text, |range, kind| to(&folded, range, kind));
}

/// A text that is to be indexed.
pub(crate) struct Reading<'t> {
    text: &'t str,
    folded: FoldedText,
}

impl<'t> Reading<'t> {
    /// Reads `text`.
    pub(crate) fn of(text: &'t str) -> Self {
        Self { text, folded: FoldedText::of(text) }
    }

    /// Gives `to` the words of scripts with spaces at the beginning of the text, folded.
    pub(super) fn first_words(&self, mut to: impl FnMut(&str)) {
        let beginning = &self.folded.text[..self.folded.text.floor_char_boundary(LANGUAGE_SAMPLE_BYTES)];
        each_term(beginning, |range, kind| {
            if kind == Kind::Word {
                to(&beginning[range]);
            }
        });
    }

    /// The terms as an index is given them, in order.
    pub(super) fn terms(&self, stems: &Stems) -> Terms {
        let folded = self.folded.text.as_str();
        // Words come again, and a stem takes longer to make than to look up.
        let mut known: HashMap<&str, String> = HashMap::new();
        let mut terms = Terms::with_capacity(folded.len());
        each_term(folded, |range, kind| {
            let word = &folded[range.clone()];
            let term = match kind {
                Kind::Word if stems.read_accents() => {
                    let written = &self.text[self.folded.origin(range)];
                    known.entry(written).or_insert_with(|| stems.term(word, written).into_owned())
                }
                Kind::Word => known.entry(word).or_insert_with(|| stems.term(word, word).into_owned()),
                Kind::Run | Kind::Last | Kind::Single | Kind::Symbol => word,
            };
            terms.push(term);
        });
        terms
    }
}

/// Gives `to` the terms of a folded text: the place of each.
fn each_term(folded: &str, mut to: impl FnMut(Range<usize>, Kind)) {
    let mut to = |range: Range<usize>, kind| {
        let longest = folded.floor_char_boundary(range.start.saturating_add(LONGEST_BYTES));
        to(range.start..range.end.min(longest), kind);
    };
    let mut run = Run { class: Class::Gap, clusters: Vec::new() };
    let mut at = 0;
    while at < folded.len() {
        if run.clusters.is_empty()
            && let Some(end) = plain_word(folded.as_bytes(), at)
        {
            if end > at {
                to(at..end.min(at + MAX_TERM_CHARS), Kind::Word);
            }
            at = end.max(at + 1);
            continue;
        }
        let Some(c) = folded[at..].chars().next() else { break };
        run.take(c, at, &mut to);
        at += c.len_utf8();
    }
    run.end(&mut to);
}

/// Where the word at a place ends if it is all ASCII, and nothing behind it can belong to it; of a gap, the place
/// itself.
fn plain_word(bytes: &[u8], at: usize) -> Option<usize> {
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let end = bytes[at..].iter().position(|byte| !is_letter(byte)).map_or(bytes.len(), |length| at + length);
    bytes.get(end).is_none_or(u8::is_ascii).then_some(end)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Letters and digits of scripts with spaces.
    Word,
    /// A character of a script without spaces that has thousands of them.
    Pairs,
    /// A character of a script without spaces that has some dozens of them.
    Threes,
    Symbol,
    /// A regional indicator: two of them make a flag.
    Flag,
    /// Belongs to the character before.
    Mark,
    Gap,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            'a'..='z' | '0'..='9' => Self::Word,
            _ if c.is_ascii() => Self::Gap,
            // What is written for an apostrophe, and counts among the letters.
            '\u{2b9}'..='\u{2bf}' | '\u{a78b}' | '\u{a78c}' => Self::Gap,
            '\u{1f1e6}'..='\u{1f1ff}' => Self::Flag,
            // Signs that say what a word would; minus, fraction and dots between words are marks.
            '¢'..='¥'
            | '\u{20a0}'..='\u{20cf}'
            | '\u{2190}'..='\u{21ff}'
            | '\u{27c0}'..='\u{27ff}'
            | '\u{2900}'..='\u{2aff}' => Self::Symbol,
            '\u{2212}' | '\u{2215}' | '\u{2219}' | '\u{2223}' | '\u{2236}' | '\u{22c5}' => Self::Gap,
            '\u{2200}'..='\u{22ff}' => Self::Symbol,
            '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => {
                Self::Symbol
            }
            '\u{e01}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' if is_unspaced(c) => Self::Threes,
            _ if is_unspaced(c) => Self::Pairs,
            _ if is_combining_mark(c) => Self::Mark,
            _ if c.is_alphanumeric() => Self::Word,
            _ => Self::Gap,
        }
    }
}

/// Characters of scripts that are written without spaces, or, as Korean, with particles at their words: Han, kana,
/// Hangul, Thai, Lao, Khmer, Myanmar.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' | '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{e01}'..='\u{e30}' | '\u{e32}' | '\u{e33}' | '\u{e40}'..='\u{e46}' | '\u{e81}'..='\u{eb0}'
        | '\u{eb2}' | '\u{eb3}' | '\u{ebd}'..='\u{ec6}' | '\u{edc}'..='\u{edf}' | '\u{1000}'..='\u{102a}'
        | '\u{103f}' | '\u{1050}'..='\u{1055}' | '\u{1780}'..='\u{17b3}')
}

/// Characters of one class that stand together.
struct Run {
    class: Class,
    /// Each character with its marks.
    clusters: Vec<Range<usize>>,
}

impl Run {
    /// Takes the next character, which stands at a place; a run that ends with it is given to `to` in terms.
    fn take(&mut self, c: char, at: usize, to: &mut impl FnMut(Range<usize>, Kind)) {
        let end = at + c.len_utf8();
        match (Class::of(c), self.clusters.last_mut()) {
            (Class::Mark, Some(last)) => last.end = end,
            (Class::Mark, None) | (Class::Gap, _) => self.end(to),
            (class, _) => {
                if class != self.class || class == Class::Symbol {
                    self.end(to);
                }
                self.class = class;
                self.clusters.push(at..end);
            }
        }
    }

    /// Ends it: gives `to` the place of each term.
    fn end(&mut self, to: &mut impl FnMut(Range<usize>, Kind)) {
        self.each_term(to);
        self.clusters.clear();
    }

    fn each_term(&self, to: &mut impl FnMut(Range<usize>, Kind)) {
        let clusters = &self.clusters;
        let (Some(first), Some(last)) = (clusters.first(), clusters.last()) else { return };
        match self.class {
            Class::Word => {
                let end = clusters.get(MAX_TERM_CHARS).map_or(last.end, |next| next.start);
                to(first.start..end, Kind::Word);
            }
            Class::Pairs => self.overlapping(2, to),
            Class::Threes => self.overlapping(3, to),
            Class::Symbol => to(first.start..last.end, Kind::Symbol),
            Class::Flag => clusters.chunks(2).for_each(|flag| {
                to(flag[0].start..flag.last().unwrap_or(first).end, Kind::Symbol);
            }),
            Class::Mark | Class::Gap => {}
        }
    }

    /// So many characters at a time, and what is left at the end.
    fn overlapping(&self, count: usize, to: &mut impl FnMut(Range<usize>, Kind)) {
        for (at, first) in self.clusters.iter().enumerate() {
            let taken = &self.clusters[at..(at + count).min(self.clusters.len())];
            let kind = match (taken.len() == count, at) {
                (true, _) => Kind::Run,
                (false, 0) => Kind::Single,
                (false, _) => Kind::Last,
            };
            to(first.start..taken.last().unwrap_or(first).end, kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms_by(stems: &Stems, text: &str) -> Vec<String> {
        let terms: Vec<_> = Reading::of(text).terms(stems).iter().map(str::to_owned).collect();
        let of_token = |Token { word, written, kind, .. }: Token| match kind {
            Kind::Word => stems.term(&word, &written).into_owned(),
            Kind::Run | Kind::Last | Kind::Single | Kind::Symbol => word,
        };
        assert_eq!(tokens(text).into_iter().map(of_token).collect::<Vec<_>>(), terms);
        terms
    }

    fn terms(text: &str) -> Vec<String> {
        terms_by(&Stems::of("english"), text)
    }

    #[test]
    fn words_are_stems_and_scripts_without_spaces_are_pairs() {
        assert_eq!(terms("Running, snake_case: café's"), ["run", "snake", "case", "cafe", "s"]);
        assert_eq!(terms("如何备份"), ["如何", "何备", "备份", "份"]);
        assert_eq!(terms("サーバー"), ["サー", "ーバ", "バー", "ー"]);
        assert_eq!(terms("데이터는"), ["데이", "이터", "터는", "는"]);
        assert_eq!(terms("สวัสดี ไป"), ["สวัส", "วัสดี", "สดี", "ดี", "ไป", "ป"]);
        assert_eq!(terms("go🚀🎉 猫"), ["go", "🚀", "🎉", "猫"]);
        assert_eq!(terms("a → b: ∑ √2 ≤ 5 €, −1"), ["a", "→", "b", "∑", "√", "2", "≤", "5", "€", "1"]);
        assert_eq!(terms("x ≠ y ∉ z"), ["x", "≠", "y", "∉", "z"]);
        assert_eq!(terms("🇩🇪Berlin🇫🇷🇮🇹"), ["🇩🇪", "berlin", "🇫🇷", "🇮🇹"]);
        assert_eq!(terms("don\u{2bc}t, don't, Hawai\u{2bb}i"), ["don", "t", "don", "t", "hawai", "i"]);
        assert_eq!(terms("हिन्दी में"), ["हिन्दी", "में"]);
    }

    #[test]
    fn a_term_knows_where_it_stands() {
        let text = "Die Straße ﬁn 数据库";
        let found: Vec<_> = tokens(text).into_iter().map(|token| text[token.range].to_owned()).collect();
        assert_eq!(found, ["Die", "Straße", "ﬁn", "数据", "据库", "库"]);
    }

    #[test]
    fn no_term_is_too_long_for_an_engine() {
        for mark in ['\u{e47}', '\u{301}', '\u{93f}', '\u{bbf}'] {
            for letter in ["ก", "กก", "a", "猫", "猫猫", "🚀", "क", "தமிழ்"] {
                let text = format!("{letter}{}", mark.to_string().repeat(2_000));
                for language in ["english", "german", "turkish", "romanian"] {
                    let terms = terms_by(&Stems::of(language), &text);
                    assert!(!terms.is_empty() && terms.iter().all(|term| term.len() <= 1_000), "{letter}, {mark:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn words_that_are_plain_are_what_they_are_by_their_characters(
            text in r"([a-z0-9]{0,120}|[ -~]{0,12}|[\u{300}-\u{306}é猫ガ数据שа-я\u{1f600} \n]{0,4}|\PC{0,3}){0,12}",
        ) {
            let folded = FoldedText::of(&text).text;
            let (mut quickly, mut slowly) = (Vec::new(), Vec::new());
            each_term(&folded, |range, kind| quickly.push((range, kind)));
            let mut run = Run { class: Class::Gap, clusters: Vec::new() };
            let mut to = |range, kind| slowly.push((range, kind));
            folded.char_indices().for_each(|(at, c)| run.take(c, at, &mut to));
            run.end(&mut to);
            prop_assert_eq!(quickly, slowly);
        }
    }
}
