//! Cutting inside a block that does not fit: at a line, a sentence, a word, a character.
//!
//! Owns where such a cut falls. Looks at no more than the text that fits and a few characters behind it.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use crate::markdown::Kind;

/// A cut before this share of what fits (one part in …) would waste the chunk; the next kind of place is tried instead.
const LEAST_SHARE: usize = 4;

/// Bytes read after the end, to know whether it is inside a word or character.
const LOOK_AHEAD: usize = 64;

/// Returns a place in `text` after `from` and not after `to`; `to` itself if there is no better one.
pub(super) fn cut(text: &str, from: usize, to: usize, kind: Kind) -> usize {
    let ahead = text.ceil_char_boundary((to + LOOK_AHEAD).min(text.len()));
    let least = text.ceil_char_boundary(from + (to - from) / LEAST_SHARE);
    let inside = Inside { text: &text[..ahead], from, least, to };
    let place = match kind {
        Kind::Lines => inside.line(from),
        Kind::Prose => inside.sentence().or_else(|| inside.line(least)),
    };
    place.or_else(|| inside.word()).or_else(|| inside.character()).unwrap_or(to)
}

/// `from < least ≤ to ≤ text.len()`.
struct Inside<'a> {
    text: &'a str,
    from: usize,
    least: usize,
    to: usize,
}

impl Inside<'_> {
    /// After the last line that ends after `least`.
    fn line(&self, least: usize) -> Option<usize> {
        let place = least + self.text[least..self.to].rfind('\n')? + 1;
        (place > self.from).then_some(place)
    }

    /// Byte offset of the last sentence boundary that fits; a line end alone ends no sentence.
    fn sentence(&self) -> Option<usize> {
        let read = &self.text[self.least..];
        let starts = read.split_sentence_bound_indices().map(|(start, _)| start);
        let fitting = starts.take_while(|start| self.least + start <= self.to);
        let ended = fitting.filter(|&start| start > 0 && read[..start].trim_end().ends_with(ends_sentence));
        ended.last().map(|start| self.least + start)
    }

    /// After the last white space, else between two words that need none between them.
    fn word(&self) -> Option<usize> {
        if self.text[self.to..].starts_with(char::is_whitespace) {
            return Some(self.to);
        }
        let read = &self.text[self.least..self.to];
        if let Some((blank, c)) = read.char_indices().rfind(|(_, c)| c.is_whitespace()) {
            return Some(self.least + blank + c.len_utf8());
        }
        let starts = self.text[self.least..].split_word_bound_indices().map(|(start, _)| self.least + start);
        starts.take_while(|&start| start <= self.to).last().filter(|&start| start > self.least)
    }

    /// Between two characters as a reader sees them.
    fn character(&self) -> Option<usize> {
        let read = &self.text[self.from..];
        let mut cursor = GraphemeCursor::new(self.to - self.from, read.len(), true);
        let place = match cursor.is_boundary(read, 0) {
            Ok(true) => Some(self.to - self.from),
            _ => cursor.prev_boundary(read, 0).ok().flatten(),
        };
        place.filter(|&place| place > 0).map(|place| self.from + place)
    }
}

fn ends_sentence(c: char) -> bool {
    matches!(
        c,
        '.' | '?'
            | '!'
            | '…'
            | '。'
            | '？'
            | '！'
            | '．'
            | '｡'
            | '؟'
            | '۔'
            | '।'
            | '॥'
            | '።'
            | '"'
            | '\''
            | '”'
            | '’'
            | ')'
            | '」'
            | '』'
            | '）'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::markdown::sample;

    fn first_part(text: &str, to: usize, kind: Kind) -> &str {
        &text[..cut(text, 0, to, kind)]
    }

    #[test]
    fn prose_is_cut_at_a_sentence_then_a_line_then_a_word_then_a_character() {
        let text = "One is here. Two is\nthere and goes on";
        assert_eq!(first_part(text, 30, Kind::Prose), "One is here. ");
        assert_eq!(first_part(&text[13..], 20, Kind::Prose), "Two is\n");
        assert_eq!(first_part(&text[20..], 12, Kind::Prose), "there and ");
        assert_eq!(first_part(&text[20..], 9, Kind::Prose), "there and");
        assert_eq!(first_part("abcdefgh", 5, Kind::Prose), "abcde");
    }

    #[test]
    fn code_is_cut_at_a_line() {
        assert_eq!(first_part("a. b\nc. d\ne. f\n", 12, Kind::Lines), "a. b\nc. d\n");
    }

    #[test]
    fn text_without_blanks_is_cut_between_whole_characters() {
        assert_eq!(first_part("数据库。管理系统", 18, Kind::Prose), "数据库。");
        assert_eq!(first_part("abe\u{301}\u{301}", 5, Kind::Prose), "ab");
        assert_eq!(first_part("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 32, Kind::Prose), "👩‍👩‍👧‍👦");
    }

    proptest! {
        #[test]
        fn a_cut_makes_progress_and_stands_on_a_character(text in sample::anything(), from in 0_usize..50, length in 1_usize..400) {
            let from = text.floor_char_boundary(from);
            let to = text.ceil_char_boundary((from + length).min(text.len()));
            prop_assume!(from < to);
            for kind in [Kind::Prose, Kind::Lines] {
                let place = cut(&text, from, to, kind);
                prop_assert!(from < place && place <= to && text.is_char_boundary(place));
            }
        }
    }
}
