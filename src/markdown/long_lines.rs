//! Keeps the parser from using many times the length of a very long line in memory.
//!
//! Owns which characters may be hidden from the parser without moving a block. Knows no blocks itself.

use std::borrow::Cow;

/// After this many bytes of a line, no quotation and no list begins.
const LONG_LINE: usize = 1024;
/// A line of more bytes is not prose, even though a paragraph may be one line: its inline markup is not read.
const LONGEST_PROSE: usize = 16 << 10;

/// Returns `text` with the beginnings of quotations and lists blanked after the first [`LONG_LINE`] bytes of each line,
/// and inline markup after [`LONGEST_PROSE`]; every byte keeps its place.
///
/// The parser makes a node of some 50 bytes for every `*`, `[` or `` ` ``, and for every quotation or list that begins
/// within another; in a minified or base64 line of many megabytes they mean nothing. What can end a block (`</`, `-->`,
/// `?>`, `]]>`, `|`) is left alone.
pub(crate) fn neutralised(text: &str) -> Cow<'_, str> {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if text.as_bytes().split(is_end).all(|line| line.len() <= LONG_LINE) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut line_start = 0;
    let hidden = text.char_indices().map(|(at, c)| {
        if matches!(c, '\n' | '\r') {
            line_start = at + 1;
        }
        let in_line = at - line_start.min(at);
        let is_hidden = (in_line > LONG_LINE && begins_within(bytes, at))
            || (in_line > LONGEST_PROSE && is_inline_markup(bytes, at));
        if is_hidden { 'x' } else { c }
    });
    Cow::Owned(hidden.collect())
}

fn is_inline_markup(bytes: &[u8], at: usize) -> bool {
    let next = bytes.get(at + 1);
    match bytes[at] {
        b'*' | b'_' | b'~' | b'[' | b'!' | b'`' | b'&' | b'\\' => true,
        b'<' => next != Some(&b'/'),
        b']' => next != Some(&b']') && next != Some(&b'>'),
        _ => false,
    }
}

/// Whether a quotation or a list begins within another.
fn begins_within(bytes: &[u8], at: usize) -> bool {
    let next = bytes.get(at + 1);
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    let is_blank = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    match bytes[at] {
        b'*' => is_blank(before) && is_blank(next),
        b'>' => before.is_some_and(|before| matches!(before, b'>' | b' ' | b'\t')),
        b'-' | b'+' => is_blank(before) && is_blank(next),
        b'.' | b')' => before.is_some_and(u8::is_ascii_digit) && is_blank(next),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_lines_are_untouched() {
        let text = "# a *b*\n".repeat(1000);
        assert!(matches!(neutralised(&text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn a_paragraph_in_one_line_is_read_to_its_end() {
        let text = format!("{}[[tides]] and *so* on\n", "word ".repeat(2_000));
        assert_eq!(neutralised(&text), text);
    }

    #[test]
    fn what_begins_within_another_is_hidden_in_the_tail_of_a_long_line() {
        for nested in [">", "> ", "- ", "+ ", "* ", "1. ", "7) "] {
            let hidden = neutralised(&nested.repeat(LONG_LINE)).into_owned();
            let kept = hidden.matches(nested.trim()).count();
            assert!(kept <= LONG_LINE + 2, "{nested:?}: {kept}");
        }
    }

    #[test]
    fn the_tail_of_a_long_line_keeps_its_length_and_its_block_ends() {
        let text = format!("{}数*[`<b></b>-->\n# next *em*\n", "é".repeat(LONGEST_PROSE));
        let hidden = neutralised(&text);
        assert_eq!(hidden.len(), text.len());
        assert!(hidden.ends_with("数xxxxb></b>-->\n# next *em*\n"), "{hidden}");
    }
}
