//! Makes foreign texts safe for a log, a message or a terminal: one line, no control characters, cut to a length.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

/// Returns at most `most` characters of `text` in one line; control characters are written as escapes, `…` marks where
/// it was cut.
pub(crate) fn line(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(4 * most));
    let mut characters = text.chars();
    for c in characters.by_ref().take(most) {
        // Writing to a text cannot fail.
        let _ = push(&mut shown, c);
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Writes a character so that no terminal obeys it and no log ends its line there.
pub(crate) fn push(to: &mut impl Write, c: char) -> fmt::Result {
    if c.is_control() || is_hidden(c) { write!(to, "{}", c.escape_unicode()) } else { to.write_char(c) }
}

/// Makes a text of many lines safe for a terminal: it may change colours, and nothing else.
pub(crate) fn for_terminal(text: &str) -> Cow<'_, str> {
    let is_obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_obeyed) {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let colour = colour(rest);
        shown.push_str(&rest[..colour]);
        let mut characters = rest[colour..].chars();
        if colour == 0
            && let Some(c) = characters.next()
        {
            // Writing to a text cannot fail.
            let _ = push(&mut shown, c);
        }
        rest = characters.as_str();
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Length of the sequence that sets a colour, if `text` begins with one. *Units:* bytes.
fn colour(text: &str) -> usize {
    let Some(numbers) = text.strip_prefix("\u{1b}[") else { return 0 };
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(numbers.len());
    if numbers[end..].starts_with('m') { end + 3 } else { 0 }
}

/// Whether `c` is a line separator that is not a control character, or changes the direction of writing.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_given_colours_and_nothing_else_to_obey() {
        assert_eq!(for_terminal("a\n\tb"), "a\n\tb");
        assert_eq!(
            for_terminal("\u{1b}[1;31mred\u{1b}[0m\u{1b}]0;t\u{7}"),
            "\u{1b}[1;31mred\u{1b}[0m\\u{1b}]0;t\\u{7}"
        );
        assert_eq!(for_terminal("\u{1b}[2Jx\r\u{9b}"), "\\u{1b}[2Jx\\u{d}\\u{9b}");
    }

    #[test]
    fn nothing_ends_the_line_and_nothing_is_obeyed() {
        assert_eq!(line("a\nb\u{1b}[2J\u{9b}", 100), "a\\u{a}b\\u{1b}[2J\\u{9b}");
        assert_eq!(line("数据库", 2), "数据…");
        assert!(line(&"x".repeat(1 << 20), 10).len() < 20);
    }
}
