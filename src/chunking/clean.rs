//! What a model must not be given.

use std::borrow::Cow;

/// A longer run of one blank, or of one mark such as `-`, is layout: the padding of a table, the rule below its head.
const LONGEST_RUN: usize = 16;
/// What stays of a longer run of marks.
const MARKS: usize = 3;

/// Returns `text` without control characters; line ends become `\n`, other control characters that separate become
/// spaces. Of long runs of one blank one stays, of long runs of one mark [`MARKS`].
///
/// Providers refuse NUL, and tokenizers disagree about the rest. What is stored keeps all of it.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unwanted) && runs(text).all(|run| run.kept == run.length) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    for run in runs(text) {
        clean_into(&mut cleaned, &text[run.start..run.start + run.kept], &text[run.start + run.length..]);
    }
    Cow::Owned(cleaned)
}

/// Returns the length of the longest beginning of `text` of which no more than `most` bytes stay.
pub(super) fn reach(text: &str, most: usize) -> usize {
    let mut kept = 0;
    for run in runs(text) {
        if kept + run.kept > most {
            return text.floor_char_boundary(run.start + (most - kept));
        }
        kept += run.kept;
    }
    text.len()
}

/// A part of a text. *Units:* bytes.
struct Run {
    start: usize,
    length: usize,
    /// How much of it stays.
    kept: usize,
}

/// Takes `text` apart: into long runs of one character, and what is between them.
fn runs(text: &str) -> impl Iterator<Item = Run> {
    let (bytes, mut start) = (text.as_bytes(), 0);
    std::iter::from_fn(move || {
        let (first, mut at) = (start, start);
        while at < bytes.len() {
            let same = bytes[at..].iter().take_while(|byte| **byte == bytes[at]).count();
            if same > LONGEST_RUN && (bytes[at] == b' ' || bytes[at].is_ascii_punctuation()) {
                if at > first {
                    break;
                }
                start = at + same;
                return Some(Run { start: at, length: same, kept: if bytes[at] == b' ' { 1 } else { MARKS } });
            }
            at += same;
        }
        start = at;
        (at > first).then_some(Run { start: first, length: at - first, kept: at - first })
    })
}

fn clean_into(cleaned: &mut String, text: &str, behind: &str) {
    let mut rest = text.chars().chain(behind.chars().take(1)).peekable();
    for _ in text.chars() {
        match rest.next() {
            Some('\r') if rest.peek() == Some(&'\n') => {}
            Some('\r') => cleaned.push('\n'),
            Some(c) if is_unwanted(c) && c.is_whitespace() => cleaned.push(' '),
            Some(c) if !is_unwanted(c) => cleaned.push(c),
            Some(_) | None => {}
        }
    }
}

fn is_unwanted(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_go_and_words_stay_apart() {
        assert_eq!(clean("a\0b\r\nc\rd\u{b}e\tf\u{85}g\u{9f}"), "ab\nc\nd e\tf g");
        assert!(matches!(clean("plain\n\ttext 数"), Cow::Borrowed(_)));
    }

    #[test]
    fn padding_and_rules_of_wide_tables_are_short() {
        let wide = |mark: &str| mark.repeat(1000);
        let table = format!("| a{} | é |\r\n|{}|---|\r\n| b  c | d |", wide(" "), wide("-"));
        assert_eq!(clean(&table), "| a | é |\n|---|---|\n| b  c | d |");
        assert_eq!(clean(&wide("x")), wide("x"));
        assert_eq!(clean(&format!("{}\r\n", wide("="))), "===\n");
        assert_eq!(reach(&table, 5), "| a".len() + 1000 + " | ".len() - 1);
        assert_eq!(reach("数数数", 4), 3);
        assert_eq!(reach("short", 100), 5);
    }
}
